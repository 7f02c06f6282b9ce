"""Sealed sections in processes that fork: what opens them is loaded where no fork can fall into it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.ledger import Why
from support.eventually import eventually
from support.family import WATCHED_IMPORTS
from support.seals import ring, sealed

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.bus import Bus
    from support.family import Family

PROGRAM = (
    WATCHED_IMPORTS
    + """
config = connect()
os.fork()
rest()
"""
)


def publish(bus: Bus, number: int) -> None:
    content = sealed(
        {"number": number, "database": {"password": f"hunter{number}"}}, "database", namespace=bus.namespace
    )
    bus.ledger.refresh()
    bus.ledger.publish(content, Why("test"))


def test_what_opens_a_section_is_loaded_where_no_fork_falls_into_it(
    bus: Bus, family: Family, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(ring("k1").text())
    monkeypatch.setenv("CONFBUS_OPEN_KEYS_FILE", str(keys))
    bus.publish(1)
    family.run(PROGRAM)
    eventually(lambda: len(family.fleet()) == 2, describe=lambda: family.errors)

    for number in (2, 3):
        publish(bus, number)
        family.told_all(family.fleet(), number)

    assert [report["locked"] for report in family.reports().values()] == [[], []]
    assert family.errors == ""
