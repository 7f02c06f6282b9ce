"""The publisher as a manager drives it: what each turn tells, and when the sources are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import SourceFailed
from confbus_publisher import standing
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.manager.forgetful import Forgetful
from confbus_publisher.manager.turn import TurningPublisher
from confbus_publisher.oneshot import publish_once
from confbus_publisher.sources.file import FileSource
from support.bus import Edits

if TYPE_CHECKING:
    from pathlib import Path


def publisher_of(source: Edits | FileSource) -> TurningPublisher:
    inputs, ledger = Inputs([source], limit_bytes=1_000_000), Ledger(MemoryStore())
    return TurningPublisher(inputs, ledger, Forgetful(), identity="me", author="me")


def test_a_turn_tells_what_it_published() -> None:
    edits = Edits({"n": 1})
    publisher = publisher_of(edits)

    first, second = publisher.take_turn(is_looking=True), publisher.take_turn(is_looking=True)

    assert first.published is not None
    assert (first.published.version, first.standing.state) == (1, "in step")
    assert (second.published, second.refusal) == (None, None)


def test_sources_that_are_not_looked_at_say_what_they_said() -> None:
    edits = Edits({"n": 1})
    publisher = publisher_of(edits)
    publisher.take_turn(is_looking=True)
    edits.write({"n": 2})

    assert publisher.take_turn(is_looking=False).published is None

    late = publisher.take_turn(is_looking=True)
    assert late.published is not None
    assert late.published.version == 2


def test_what_was_published_between_two_turns_is_in_step_at_the_next() -> None:
    edits = Edits({"n": 1})
    publisher = publisher_of(edits)
    publisher.take_turn(is_looking=True)
    edits.write({"n": 2})

    publish_once(publisher.ledger, publisher.merge(), Why("ann"), identity="me")

    later = publisher.take_turn(is_looking=False)
    assert (later.published, later.standing.state) == (None, "in step")


def test_a_refusal_lasts_until_the_sources_are_looked_at_again(tmp_path: Path) -> None:
    file = FileSource(tmp_path / "app.yaml")
    publisher = publisher_of(file)

    for is_looking in (True, False):
        turn = publisher.take_turn(is_looking=is_looking)
        assert isinstance(turn.refusal, SourceFailed)
        assert turn.standing.state == standing.REFUSED
