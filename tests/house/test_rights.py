"""Whatever a script does to a key, its callers may do: one that is refused half way leaves its first half."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from confbus_publisher.access.rights import ON_KEYS, Role, rights_of

LUA = Path(__file__).parents[2] / "lua"
CALL = re.compile(r'redis\.p?call\("([A-Z]+)", (\w+)')
OTHER_NAMES = {"target": "release", "bad": "release", "parent": "release"}

CALLERS: dict[str, tuple[Role, ...]] = {
    "amend": ("publisher", "operator"),
    "install": ("operator",),
    "lease": ("publisher",),
    "leave": ("operator",),
    "publish": ("publisher", "operator"),
    "rollback": ("operator",),
    "show": ("operator",),
    "unguard": ("publisher",),
    "unlease": ("publisher",),
}


def test_every_script_has_its_callers() -> None:
    assert CALLERS.keys() == {file.stem for file in LUA.glob("*.lua")}


@pytest.mark.parametrize(("name", "role"), [(name, role) for name, roles in CALLERS.items() for role in roles])
def test_who_calls_a_script_may_do_what_it_does_to_each_key(name: str, role: Role) -> None:
    granted = rights_of(role).keys
    called = [
        (command.lower(), OTHER_NAMES.get(key, key)) for command, key in CALL.findall((LUA / f"{name}.lua").read_text())
    ]

    known = [(command, key) for command, key in called if key in ON_KEYS]

    assert [(command, key) for command, key in known if key and command not in granted[key]] == []
