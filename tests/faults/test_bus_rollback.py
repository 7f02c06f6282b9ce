"""What was rolled back does not come back by itself, whatever happens to sources, publishers and Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from support.bus import OPERATOR, document
from support.eventually import eventually

if TYPE_CHECKING:
    from support.bus import Bus, RunningPublisher
    from support.server import Server


def rolled_back(bus: Bus) -> RunningPublisher:
    """A publisher whose source says 2, and a fleet that went back to 1."""
    publisher = bus.publisher(1)
    for _ in range(2):
        bus.worker()
    bus.agree(1)
    bus.edit(publisher, 2)
    bus.agree(2)
    bus.rollback(to=1)
    bus.agree(1)
    return publisher


def mixed(bad: int, other: int) -> dict[str, Any]:
    """Document `bad` but for another section, which is that of document `other`."""
    return document(bad) | {"fixed": {"port": other}}


def test_a_rollback_is_followed_and_stays(bus: Bus) -> None:
    publisher = rolled_back(bus)

    publisher.publisher.look()
    bus.worker()

    bus.agree(1)
    assert bus.actions() == [("publish", 1), ("publish", 2), ("rollback", 3)]


def test_a_change_of_something_else_does_not_bring_it_back(bus: Bus) -> None:
    publisher = rolled_back(bus)

    publisher.write(mixed(2, other=9))
    eventually(lambda: publisher.state == "held")

    assert "db" in publisher.why
    assert "web" in publisher.why
    assert "confbus resume" in publisher.why
    bus.agree(1)
    assert bus.actions()[-1] == ("rollback", 3)


def test_a_mended_source_is_published(bus: Bus) -> None:
    publisher = rolled_back(bus)
    publisher.write(mixed(2, other=9))
    eventually(lambda: publisher.state == "held")

    bus.edit(publisher, 3)

    bus.agree(3)
    eventually(lambda: publisher.state == "in step")


def test_after_the_mending_the_bad_content_is_still_held(bus: Bus) -> None:
    publisher = rolled_back(bus)
    bus.edit(publisher, 3)
    bus.agree(3)

    publisher.write(document(2))
    eventually(lambda: publisher.state == "held")

    bus.agree(3)


def test_resume_lets_it_out(bus: Bus) -> None:
    publisher = rolled_back(bus)

    state = bus.ledger.refresh()
    assert state
    bus.story.append(2)
    bus.ledger.resume(list(state.quarantine), OPERATOR)

    bus.agree(2)
    eventually(lambda: publisher.state == "in step")
    assert bus.ledger.store.quarantine() == {}


@pytest.mark.parametrize("is_killed", [False, True], ids=["publisher lives", "publisher is killed"])
def test_after_a_flush_the_fleet_ends_on_the_old_content_and_the_bad_stays_held(
    bus: Bus, server: Server, is_killed: bool
) -> None:
    publisher = rolled_back(bus)
    eventually(lambda: publisher.remembers(1))

    if is_killed:
        publisher.kill()
    server.flush()
    if is_killed:
        publisher = bus.publisher(2)

    bus.agree(1)
    assert [action for action, _ in bus.actions()] == ["restore"]
    publisher.write(mixed(2, other=9))
    eventually(lambda: publisher.state == "held")
    bus.agree(1)


def test_a_flush_and_no_memory_of_the_rollback_ends_on_the_old_content(bus: Bus, server: Server) -> None:
    publisher = rolled_back(bus)
    publisher.kill()

    server.flush()
    stranger = bus.publisher(2, name="stranger")
    eventually(lambda: stranger.state == "lost")

    bus.assert_sane()
    assert [worker.number for worker in bus.workers] == [1, 1]


@pytest.mark.slow
def test_a_backup_from_before_the_rollback_does_not_bring_it_back(own_bus: Bus, own_server: Server) -> None:
    publisher = own_bus.publisher(1)
    own_bus.worker()
    own_bus.edit(publisher, 2)
    own_bus.agree(2)
    old = own_server.dump()
    own_bus.rollback(to=1)
    own_bus.agree(1)
    eventually(lambda: publisher.remembers(1))

    own_server.restart(dump=old)

    own_bus.agree(1)
    publisher.write(mixed(2, other=9))
    eventually(lambda: publisher.state == "held")
    own_bus.agree(1)


def test_a_rollback_of_a_rollback_goes_further_back(bus: Bus) -> None:
    publisher = bus.publisher(1)
    bus.worker()
    for number in (2, 3):
        bus.edit(publisher, number)
        bus.agree(number)

    bus.rollback(to=2)
    bus.agree(2)
    bus.rollback(to=1)

    bus.agree(1)
    assert bus.actions()[-2:] == [("rollback", 4), ("rollback", 5)]
