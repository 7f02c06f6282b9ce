"""Overrides on bad days: they go out once, end when they shall, and no loss brings one back or takes one away."""

from __future__ import annotations

import shutil
import time
from typing import TYPE_CHECKING

import pytest

from support.bus import document
from support.eventually import eventually
from support.overruled import HOST, Reader, end, head, kill, names, put, turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confbus_publisher.publisher import Publisher
    from support.bus import Bus, Edits, RunningPublisher
    from support.server import Server

FORGETFUL = pytest.mark.parametrize("remembers", [True, False], ids=["with its memory", "without memory"])


def soon(running: RunningPublisher, check: Callable[[], object]) -> None:
    """Wait for it, while the publisher looks, which it does anyway, but not so often."""

    def looked() -> object:
        running.publisher.look()
        return check()

    eventually(looked)


@pytest.fixture
def publishers(bus: Bus) -> Iterator[Publishers]:
    publishers = Publishers(bus)
    yield publishers
    publishers.close()


class Publishers:
    """Publishers one after the other, each with one turn behind it."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.all: list[Publisher] = []

    def begin(self, number: int = 1, *, name: str = "ann") -> tuple[Publisher, Edits]:
        publisher, edits = self.bus.resting_publisher(number, name=name)
        self.all.append(publisher)
        publisher.turn()
        return publisher, edits

    def heir(self, *, remembers: bool) -> Publisher:
        """The one before is killed; another one begins in its place."""
        kill(self.bus, self.all[-1])
        if not remembers:
            shutil.rmtree(self.bus.memory_file().path.parent)
        return self.begin()[0]

    def close(self) -> None:
        for publisher in self.all:
            publisher.ledger.store.close()


def test_an_override_goes_out_with_the_next_turn_and_ends_by_itself(bus: Bus, publishers: Publishers) -> None:
    publisher, _ = publishers.begin()
    put(bus, ttl_s=0.2)
    publisher.turn()
    during = head(bus), names(bus)

    eventually(lambda: turn(publisher) == "in step" and not names(bus))

    assert during == (document(1) | {"db": {"host": "by hand", "number": 1}}, [HOST])
    assert head(bus) == document(1)
    told = [action for action, _ in bus.actions()]
    assert told == ["publish", "set", "publish", "publish", "override ended"]


def test_a_publisher_sleeps_until_the_next_override_ends_and_no_longer(bus: Bus, publishers: Publishers) -> None:
    publisher, _ = publishers.begin()
    usual_s = publisher.turn()

    put(bus, ttl_s=usual_s / 2)

    assert 0 < publisher.turn() <= usual_s / 2 + 0.002


def test_what_a_person_ends_is_gone_with_the_next_turn(bus: Bus, publishers: Publishers) -> None:
    publisher, _ = publishers.begin()
    override = put(bus)
    publisher.turn()

    end(bus, override)
    publisher.turn()

    assert (head(bus), names(bus)) == (document(1), [])


def test_an_override_is_taken_away_only_when_the_head_is_without_it(bus: Bus, publishers: Publishers) -> None:
    publisher, edits = publishers.begin()
    override = put(bus)
    publisher.turn()
    end(bus, override)

    edits.write(document(1, padding=11_000_000))
    refused = turn(publisher), names(bus), head(bus)["db"]["host"]
    edits.write(document(1))
    after = turn(publisher), names(bus), head(bus)["db"]["host"]

    assert refused == ("refused", [HOST], "by hand")
    assert after == ("in step", [], "db-1")


@FORGETFUL
def test_what_was_set_before_a_publisher_died_is_published_by_the_next(
    bus: Bus, publishers: Publishers, remembers: bool
) -> None:
    publishers.begin()
    put(bus)

    heir = publishers.heir(remembers=remembers)

    assert heir.standing.state == "in step"
    assert head(bus)["db"]["host"] == "by hand"


@FORGETFUL
@pytest.mark.parametrize("by_hand", [True, False], ids=["unset", "ended by itself"])
def test_what_ended_while_nobody_published_is_gone_with_the_first_merge(
    bus: Bus, publishers: Publishers, remembers: bool, by_hand: bool
) -> None:
    publisher, _ = publishers.begin()
    override = put(bus, ttl_s=None if by_hand else 0.1)
    publisher.turn()
    assert head(bus)["db"]["host"] == "by hand"
    kill(bus, publisher)
    if by_hand:
        end(bus, override)

    eventually(lambda: override.has_ended(bus.ledger.store.time_ms()) or by_hand)
    heir = publishers.heir(remembers=remembers)

    assert heir.standing.state == "in step"
    assert (head(bus), names(bus)) == (document(1), [])


def test_a_restart_with_the_same_overrides_publishes_nothing(bus: Bus, publishers: Publishers) -> None:
    publisher, _ = publishers.begin()
    put(bus)
    publisher.turn()

    for remembers in (True, False):
        assert publishers.heir(remembers=remembers).standing.state == "in step"

    assert [action for action, _ in bus.actions()] == ["publish", "set", "publish"]


def test_without_memory_other_sources_still_ask_first(bus: Bus, publishers: Publishers) -> None:
    publisher, _ = publishers.begin()
    put(bus)
    kill(bus, publisher)
    shutil.rmtree(bus.memory_file().path.parent)

    heir, _ = publishers.begin(2)

    assert (heir.standing.state, head(bus)) == ("diverged", document(1))


def test_a_publisher_that_stands_by_knows_the_overrides_when_it_takes_over(bus: Bus, publishers: Publishers) -> None:
    active, _ = publishers.begin()
    other, _ = publishers.begin(name="bob")
    put(bus)
    turn(active)
    assert turn(other) == "standby"

    kill(bus, active)
    bus.client.delete(bus.keys.overrides, bus.keys.head)
    states = [turn(other) for _ in range(2)]

    assert states == ["in step", "in step"]
    assert (head(bus)["db"]["host"], names(bus)) == ("by hand", [HOST])
    assert bus.actions()[-1][0] == "restore"


def test_a_standing_override_outlives_a_loss_and_no_worker_sees_it_gone(own_bus: Bus, own_server: Server) -> None:
    running = own_bus.publisher(1)
    with Reader(own_bus.url, own_bus.namespace) as reader:
        put(own_bus)
        running.publisher.look()
        eventually(lambda: reader.host == "by hand")

        own_server.flush()
        soon(running, lambda: own_bus.actions()[-1:] == [("restore", 3)])
        running.write(document(1) | {"more": True})
        eventually(lambda: "more" in reader.config)

        assert reader.hosts == ["db-1", "by hand"]
    assert names(own_bus) == [HOST]


def test_a_backup_brings_no_override_back_that_was_ended_since(own_bus: Bus, own_server: Server) -> None:
    running = own_bus.publisher(1)
    override = put(own_bus)
    soon(running, lambda: head(own_bus)["db"]["host"] == "by hand")
    with Reader(own_bus.url, own_bus.namespace) as reader:
        backup = own_server.dump()
        end(own_bus, override)
        soon(running, lambda: not names(own_bus))
        eventually(lambda: reader.host == "db-1")

        own_server.restart(dump=backup)
        soon(running, lambda: "restore" in [action for action, _ in own_bus.actions()])
        soon(running, lambda: not names(own_bus))

        assert reader.hosts == ["by hand", "db-1"]
    assert (head(own_bus)["db"]["host"], names(own_bus)) == ("db-1", [])


def test_what_nobody_can_read_is_left_out_told_once_and_stops_nothing(
    bus: Bus, publishers: Publishers, caplog: pytest.LogCaptureFixture
) -> None:
    publisher, edits = publishers.begin()
    put(bus)
    bus.client.hset(bus.keys.overrides, mapping={"db.port": "{", "hosts[0]": "1", b"\xff\xfe": b"\xff", "web": "\0"})

    edits.write(document(2))
    state = turn(publisher, 3)

    assert (state, head(bus)["db"]) == ("in step", {"host": "by hand", "number": 2})
    assert len(publisher.standing.failures) == 4
    assert [record.getMessage() for record in caplog.records if "'db.port'" in record.getMessage()] == [
        publisher.standing.failures["db.port"]
    ]
    bus.client.hdel(bus.keys.overrides, "db.port", "hosts[0]", b"\xff\xfe", "web")
    publisher.turn()
    assert publisher.standing.failures == {}


def test_something_else_in_place_of_the_overrides_keeps_the_known_ones_each_to_its_end(
    bus: Bus, publishers: Publishers, caplog: pytest.LogCaptureFixture
) -> None:
    publisher, edits = publishers.begin()
    put(bus)
    timed = put(bus, "web.padding", "timed", ttl_s=0.3)
    publisher.turn()

    bus.client.delete(bus.keys.overrides)
    bus.client.set(bus.keys.overrides, "something else")
    edits.write(document(2))
    state = turn(publisher)
    during = head(bus)
    eventually(lambda: timed.has_ended(bus.ledger.store.time_ms()))
    turn(publisher)

    assert state == "in step"
    assert (during["db"], during["web"]["padding"]) == ({"host": "by hand", "number": 2}, "timed")
    assert "cannot be read, those known stay" in publisher.standing.failures["overrides"]
    assert "cannot be taken away" in publisher.standing.failures["ended overrides"]
    turn(publisher, 3)
    assert [caplog.text.count(each) for each in ("those known stay", "cannot be taken away")] == [1, 1]
    assert (head(bus)["db"]["host"], head(bus)["web"]["padding"]) == ("by hand", "")


def test_a_publisher_that_may_not_see_overrides_says_so_and_publishes_nothing_without_them(
    own_bus: Bus, own_server: Server
) -> None:
    publishers = Publishers(own_bus)
    publishers.begin()
    put(own_bus)
    publishers.all[0].turn()
    kill(own_bus, publishers.all[0])
    keys = own_bus.keys
    releases = keys.release(1)[:-1] + "*"
    kept = (keys.head, releases, keys.blobs, keys.log, keys.quarantine, keys.guard, keys.holds)
    allowed = (*kept, keys.lease, keys.fleet)
    rules = ["on", ">secret", "+@all", "allchannels", *(f"~{key}" for key in allowed)]
    own_bus.client.execute_command("ACL", "SETUSER", "limited", *rules)

    limited, edits = own_bus.resting_publisher(1, url=own_bus.url.replace("://", "://limited:secret@"))
    edits.write(document(2))
    state = turn(limited, 2)
    told = limited.standing
    own_bus.client.execute_command("ACL", "SETUSER", "limited", "allkeys")
    after = turn(limited)

    assert state == "refused"
    assert "cannot be read" in told.failures["overrides"]
    assert "NOPERM" in told.why or "permission" in told.why.lower()
    assert (after, head(own_bus)["db"]) == ("in step", {"host": "by hand", "number": 2})
    limited.ledger.store.close()
    publishers.close()


def test_what_cannot_be_merged_is_refused_until_the_override_goes(bus: Bus, publishers: Publishers) -> None:
    publisher, _ = publishers.begin()
    override = put(bus, "db", "no mapping")

    refused = turn(publisher)
    why = publisher.standing.why
    kept = head(bus)
    end(bus, override)

    assert (refused, kept) == ("refused", document(1))
    assert "override db (`confbus unset db`)" in why
    assert (turn(publisher), names(bus)) == ("in step", [])


def test_an_override_of_what_was_rolled_back_is_held_with_it(bus: Bus, publishers: Publishers) -> None:
    publisher, _ = publishers.begin()
    override = put(bus)
    publisher.turn()

    bus.rollback(to=1)
    held = turn(publisher)
    during = head(bus), names(bus)
    end(bus, override)

    assert (held, during) == ("held", (document(1), [HOST]))
    assert (turn(publisher), head(bus), names(bus)) == ("in step", document(1), [])


def test_the_clock_of_a_publisher_ends_no_override(
    bus: Bus, publishers: Publishers, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, _ = publishers.begin()
    monkeypatch.setattr(time, "time", lambda: time.monotonic() + 10**10)
    publisher.turn()

    put(bus, ttl_s=3600)
    publisher.turn()

    assert head(bus)["db"]["host"] == "by hand"


def test_a_server_that_is_away_leaves_the_overrides_in_force(own_bus: Bus, own_server: Server) -> None:
    running = own_bus.publisher(1)
    put(own_bus)
    with Reader(own_bus.url, own_bus.namespace) as reader:
        soon(running, lambda: reader.host == "by hand")

        own_server.restart()
        running.write(document(2))
        eventually(lambda: reader.config["number"] == 2, within_s=10)

        assert reader.hosts == ["db-1", "by hand"]
