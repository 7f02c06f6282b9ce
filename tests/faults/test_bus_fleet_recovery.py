"""A fleet of processes of which one refuses a release: everybody is back on the old content, soon and by itself."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from confbus_publisher.guard.guard import Terms
from confbus_publisher.guard.guarding import Policy
from confbus_publisher.survey import survey
from confbus_publisher.waiting import wait_for_fleet
from support.bus import digest_of
from support.eventually import eventually
from support.family import Family
from support.scale import scaled

if TYPE_CHECKING:
    from pathlib import Path

    from support.bus import Bus

COUNT = scaled(8, 50)
REPORT_S = 10.0
"""So seldom that nothing is back in two of them that waits for one."""

FLEET = f"""
TIMING = confbus.Timing(poll_s=2.0, report_s={REPORT_S}, ping_s=1.0, silence_s=5.0)
REFUSING = os.getpid()
SAW = Path(PLACE, "saw")
SAW.mkdir()

def odd_only(snapshot):
    if os.getpid() == REFUSING and snapshot["number"] % 2 == 0:
        raise ValueError("web.number: it is even")

def write_down(changes):
    number = next(change.new_value for change in changes if change.path == "number")
    with Path(SAW, str(os.getpid())).open("a") as file:
        print(number, file=file)

config = connect(write_down, is_lazy=True, validators=[odd_only])
for _ in range({COUNT - 1}):
    if os.fork() == 0:
        break
config["number"]
rest()
"""


def stands(bus: Bus) -> list[tuple[int, str]]:
    """The version and the digest that each instance runs, by what it reported last."""
    reports = map(json.loads, bus.ledger.store.fleet().values())
    running = [report["running"] for report in reports if report.get("running")]
    return [(stand["version"], stand["digest"]) for stand in running]


def saw(place: Path) -> dict[int, list[int]]:
    """The numbers that the callback of each process was told, by pid."""
    return {int(file.name): [int(line) for line in file.read_text().split()] for file in (place / "saw").iterdir()}


def all_back(place: Path) -> dict[int, list[int]]:
    """What all saw, as soon as each callback was told the old number last."""
    told = saw(place)
    assert len(told) == COUNT
    assert {numbers[-1] for numbers in told.values()} == {1}
    return told


@pytest.mark.slow
def test_what_one_process_refuses_is_undone_in_all_of_them(bus: Bus, tmp_path: Path) -> None:
    publisher = bus.publisher(1, guard=Policy(Terms(600.0)))
    with Family(bus, tmp_path / "family") as family:
        refusing = family.run(FLEET)
        eventually(lambda: stands(bus) == [(1, digest_of(1))] * COUNT, within_s=60, describe=lambda: family.errors)

        bus.edit(publisher, 2)

        eventually(
            lambda: stands(bus) == [(3, digest_of(1))] * COUNT,
            within_s=2 * REPORT_S,
            describe=lambda: (bus.actions(), stands(bus), family.errors),
        )
        assert bus.actions() == [("publish", 1), ("publish", 2), ("rollback", 3)]
        told = eventually(lambda: all_back(family.place))
        assert told.pop(refusing.pid) == [1]
        assert {tuple(numbers) for numbers in told.values()} <= {(1,), (1, 2, 1)}
        eventually(lambda: publisher.state == "held")


@pytest.mark.slow
def test_whoever_waits_for_a_fleet_of_processes_learns_who_refuses_and_who_is_back(bus: Bus, tmp_path: Path) -> None:
    bus.publish(1)
    with Family(bus, tmp_path / "family") as family:
        refusing = family.run(FLEET)
        eventually(lambda: stands(bus) == [(1, digest_of(1))] * COUNT, within_s=60, describe=lambda: family.errors)
        before = survey(bus.ledger.store)

        bus.publish(2)
        assert bus.ledger.state
        refused = wait_for_fleet(bus.ledger, before, bus.ledger.state, timeout_s=60)
        bus.rollback(to=1)
        assert bus.ledger.state
        undone = wait_for_fleet(bus.ledger, before, bus.ledger.state, timeout_s=60)

        assert (len(refused.applied), refused.judges) == (COUNT - 1, (1, 1))
        assert [(each.instance.split(":")[1], each.state, each.reason) for each in refused.laggards] == [
            (str(refusing.pid), "vetoing", "odd_only: web.number: it is even")
        ]
        assert (len(undone.applied), undone.is_reached) == (COUNT, True)
        assert stands(bus) == [(3, digest_of(1))] * COUNT
