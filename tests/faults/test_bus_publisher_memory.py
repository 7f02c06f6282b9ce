"""A publisher starts again: what its memory file knows, and what it does without one."""

from __future__ import annotations

import json
import resource
import shutil
import signal
from typing import TYPE_CHECKING

import pytest

from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.survey import survey
from support.bus import document
from support.eventually import eventually
from support.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confbus_publisher.ledger import State
    from support.bus import Bus


def _made_a_directory(memory: MemoryFile) -> None:
    memory.path.unlink()
    memory.path.mkdir()


DAMAGES: dict[str, Callable[[MemoryFile], object]] = {
    "empty": lambda memory: memory.path.write_bytes(b""),
    "noise": lambda memory: memory.path.write_bytes(b"\x93\x00\xff" * 100),
    "cut": lambda memory: memory.path.write_bytes(memory.path.read_bytes()[:-1]),
    "altered": lambda memory: memory.path.write_bytes(memory.path.read_bytes().replace(b"db-1", b"db-2")),
    "a directory": _made_a_directory,
    "another namespace's": lambda memory: MemoryFile(memory.path, "another").save(*must_know(memory)),
}


def must_know(memory: MemoryFile) -> tuple[State, str]:
    state, accounted = memory.load()
    assert state
    return state, accounted


def ran_before(bus: Bus, number: int) -> None:
    """A publisher published this, ended, and a worker runs it."""
    bus.publisher(number).stop()
    bus.worker()
    bus.agree(number)


def test_a_start_with_the_same_sources_publishes_nothing(bus: Bus) -> None:
    ran_before(bus, 1)

    publisher = bus.publisher(1)

    assert publisher.state == "in step"
    assert bus.actions() == [("publish", 1)]
    bus.agree(1)


def test_what_somebody_puts_into_quarantine_by_hand_is_remembered(bus: Bus) -> None:
    publisher, _ = bus.resting_publisher(1)
    memory = bus.memory_file()
    publisher.turn()
    before, _ = must_know(memory)

    bus.client.hset(bus.keys.quarantine, f"web {'ab' * 32}", "by hand")
    publisher.turn()

    publisher.ledger.store.close()
    after, _ = must_know(memory)
    assert after.head == before.head
    assert after.quarantine == {f"web {'ab' * 32}": "by hand"}


def test_an_edit_while_it_was_down_is_published_at_the_start(bus: Bus) -> None:
    ran_before(bus, 1)

    bus.publisher(2)

    bus.agree(2)
    assert bus.actions() == [("publish", 1), ("publish", 2)]


def test_a_rollback_while_it_was_down_stays(bus: Bus) -> None:
    ran_before(bus, 1)
    bus.publisher(2).stop()
    bus.agree(2)

    bus.rollback(to=1)
    bus.publisher(2)

    bus.agree(1)
    assert bus.actions() == [("publish", 1), ("publish", 2), ("rollback", 3)]


def test_a_report_that_went_with_the_data_is_there_again_after_the_next_turn(bus: Bus) -> None:
    publisher, _ = bus.resting_publisher(1)
    publisher.turn()
    publisher.turn()

    bus.client.delete(*bus.client.keys(f"*{{{bus.namespace}}}*"))
    publisher.turn()

    active = survey(bus.ledger.store).active
    publisher.ledger.store.close()
    assert active
    assert active.state == "in step"


def test_without_its_memory_a_start_with_other_sources_asks_first(bus: Bus) -> None:
    ran_before(bus, 1)
    shutil.rmtree(bus.memory_file().path.parent)

    publisher = bus.publisher(2)
    assert (publisher.state, bus.actions()) == ("diverged", [("publish", 1)])
    bus.agree(1)
    bus.edit(publisher, 3)

    bus.agree(3)


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_memory_file_is_told_of_and_believed_in_nothing(
    bus: Bus, damage: Callable[[MemoryFile], object], caplog: pytest.LogCaptureFixture
) -> None:
    ran_before(bus, 1)
    memory = bus.memory_file()

    damage(memory)
    publisher = bus.publisher(1)
    bus.edit(publisher, 2)
    bus.agree(2)

    assert str(memory.path) in caplog.text
    assert bus.actions() == [("publish", 1), ("publish", 2)]


def test_a_memory_that_cannot_be_written_is_told_of_and_publishing_goes_on(
    bus: Bus, caplog: pytest.LogCaptureFixture
) -> None:
    bus.memory_file().path.parent.write_text("a file where the directory should be")

    publisher = bus.publisher(1)
    bus.worker()
    bus.edit(publisher, 2)
    bus.agree(2)

    assert "memory file was not written" in caplog.text


def has_all(memory: MemoryFile) -> bool:
    """True when a publisher wrote the last of what it learns in its first turns."""
    state, accounted = memory.load()
    return bool(state and accounted and state.overrides is not None)


@pytest.mark.slow
def test_a_full_disk_costs_the_memory_alone_and_it_is_written_when_there_is_room(bus: Bus, tmp_path: Path) -> None:
    shop = Shop(tmp_path, bus.namespace, url=bus.url)
    memory = shop.directory / ".confbus" / f"state-{bus.namespace}"
    bus.story += [1, 2, 3]
    shop.write(json.dumps(document(1)))
    with shop.start("run") as daemon:
        daemon.says("in step")
        bus.worker()
        bus.agree(1)
        eventually(lambda: has_all(MemoryFile(memory, bus.namespace)))
        before = memory.read_bytes()

        pid, (_, most) = daemon.process.pid, resource.getrlimit(resource.RLIMIT_FSIZE)
        size = len(daemon.err.encode()) + 4000
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))
        shop.write(json.dumps(document(2, padding=10_000)))
        bus.agree(2)
        daemon.says("the memory file was not written")
        assert memory.read_bytes() == before
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (most, most))
        shop.write(json.dumps(document(3)))
        bus.agree(3)

        eventually(lambda: memory.read_bytes() != before)
        assert daemon.end(signal.SIGTERM) == 0
    assert [entry.name for entry in memory.parent.iterdir()] == [memory.name]
