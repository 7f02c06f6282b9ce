"""The table of rights is whole, and its rules say just that."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from confbus.wire.keys import Keys
from confbus_publisher.access.rights import BESIDES, CHANNEL, ON_KEYS, ROLES, Role, rights_of
from confbus_publisher.access.rules import PLACEHOLDER, pattern, rules, user_line

ROOT = Path(__file__).parents[2]
CALL = re.compile(r'redis\.p?call\("([A-Z]+)"')


def commands_of(*roles: Role) -> set[str]:
    texts = [row.get(role, "") for row in ON_KEYS.values() for role in roles] + [BESIDES[role] for role in roles]
    return {command for text in texts for command in text.split()}


def test_every_key_has_its_row() -> None:
    keys = {name for name, thing in vars(Keys).items() if isinstance(thing, property) or name == "release"}

    assert ON_KEYS.keys() == keys


def test_who_calls_scripts_has_a_right_to_each_command_in_them() -> None:
    called = {file.name: set(CALL.findall(file.read_text())) for file in (ROOT / "lua").glob("*.lua")}

    granted = {command.upper() for command in commands_of("publisher", "operator")}
    assert {name: words - granted for name, words in called.items() if words - granted} == {}


def test_a_worker_writes_its_report_and_nothing_else() -> None:
    writing = [rule for rule in rules(rights_of("subscriber"), Keys("shop")) if "%W~" in rule or "(~" in rule]

    assert writing == ["(+hset +hdel %W~confbus:{shop}:fleet)"]


@pytest.mark.parametrize("role", ROLES)
def test_nobody_deletes_the_log(role: Role) -> None:
    assert set(rights_of(role).keys["log"]) <= {"type", "xadd", "xrange", "xrevrange"}


def test_an_approval_is_for_people_alone() -> None:
    assert "hset" not in rights_of("publisher").keys["approvals"]
    assert "hset" in rights_of("operator").keys["approvals"]


def test_a_publisher_alone_takes_the_lease() -> None:
    assert {role: rights_of(role).keys["lease"] for role in ROLES} == {
        "subscriber": (),
        "publisher": ("get", "pttl", "set", "del"),
        "operator": ("get",),
    }


def test_a_cluster_has_words_of_its_own() -> None:
    granted = " ".join(rules(rights_of("publisher", topology="cluster"), Keys("shop"))).split()

    assert {"+spublish", "+ssubscribe", "+sunsubscribe", "+pubsub|shardnumsub", "+cluster|slots"} <= set(granted)
    assert {"+publish", "+subscribe"}.isdisjoint(granted)


def test_every_rule_is_of_one_namespace() -> None:
    keys = Keys("team/shop.eu", 3, "we[i]rd*")

    patterns = [pattern(name, keys) for name in ON_KEYS]

    assert pattern(CHANNEL, keys) == r"we\[i\]rd\*:{team/shop.eu}:notices:*"
    assert pattern("release", keys) == r"we\[i\]rd\*:{team/shop.eu}:release:*"
    assert all(text.startswith(r"we\[i\]rd\*:{team/shop.eu}:") for text in patterns)


def test_a_line_that_nobody_filled_in_has_what_no_server_takes() -> None:
    assert user_line("ann", [], ["+ping"]) == f"ACL SETUSER ann reset on {PLACEHOLDER} +ping"
    assert user_line("ann", ["ab", "cd"], ["+ping"], is_for_file=True) == "user ann on #ab #cd +ping"
