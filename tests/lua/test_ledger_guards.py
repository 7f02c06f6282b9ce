"""What every store promises about guards: written, carried on and ended with the changes of the head."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import Refused
from confbus_publisher.guard.guard import Guard, Retreat, Terms
from confbus_publisher.guard.limit import Limit
from confbus_publisher.ledger import Amendment, Ledger, Why
from support.places import encoded, ledger

if TYPE_CHECKING:
    from confbus_publisher.ledger import State
    from support.clock import Clock
    from support.places import Place, RedisPlace

ANN = Why("ann")
TERMS = Terms(60.0, Limit(5, is_share=True))
ENDED = {"action": "guarded", "author": "ann"}


def document(number: int) -> dict[str, Any]:
    return {"web": {"number": number}, "db": {"host": "a"}}


def state_of(publisher: Ledger) -> State:
    assert publisher.state
    return publisher.state


@pytest.fixture
def publisher(place: Place) -> Ledger:
    """A publisher of two releases, the second of which is guarded."""
    publisher = ledger(place)
    publisher.publish(encoded(document(1)), ANN, terms=TERMS)
    publisher.publish(encoded(document(2)), ANN, terms=TERMS)
    return publisher


def test_the_first_release_has_no_guard_because_nothing_was_before_it(place: Place) -> None:
    publisher = ledger(place)

    publisher.publish(encoded(document(1)), ANN, terms=TERMS)

    assert (publisher.store.guard(), state_of(publisher).guard) == (None, None)


def test_a_guard_is_there_with_the_head_that_it_guards(place: Place, publisher: Ledger) -> None:
    state = state_of(publisher)

    guard = publisher.store.guard()

    assert guard
    assert (guard.change, guard.version, guard.back) == (state.head.change, 2, 1)
    assert (guard.digest, guard.author, guard.vetoes) == (publisher.release(1).digest, "ann", TERMS.vetoes)
    assert guard.until_ms - guard.since_ms == 60_000
    assert ledger(place).state == state
    assert state.retreat == Retreat(publisher.release(1), publisher.blobs(publisher.release(1).manifest))


def test_whatever_comes_next_ends_a_guard(publisher: Ledger) -> None:
    publisher.publish(encoded(document(3)), ANN)
    after_publish = publisher.store.guard()
    publisher.publish(encoded(document(4)), ANN, terms=TERMS)
    publisher.rollback(publisher.release(3), Why("ann", "bad", "rollback"))

    assert (after_publish, publisher.store.guard(), state_of(publisher).guard) == (None, None, None)


def test_the_next_release_on_trial_goes_back_to_what_was_accepted(publisher: Ledger) -> None:
    publisher.publish(encoded(document(3)), ANN, terms=TERMS)

    guard = publisher.store.guard()

    assert guard
    assert (guard.version, guard.back, guard.digest) == (3, 1, publisher.release(1).digest)


def test_what_was_accepted_is_not_guarded_when_it_comes_again(publisher: Ledger) -> None:
    publisher.publish(encoded(document(1)), ANN, terms=TERMS)

    assert publisher.store.guard() is None


def test_a_guard_goes_on_when_a_hold_is_lifted(place: Place, publisher: Ledger) -> None:
    before = publisher.store.guard()

    publisher.resume([], ANN)

    after = publisher.store.guard()
    assert before
    assert after == replace(before, change=state_of(publisher).head.change)
    assert ledger(place).state == state_of(publisher)


def test_a_guard_that_ended_does_not_come_back_with_the_next_change(place: Place, publisher: Ledger) -> None:
    late = ledger(place)
    guard = publisher.store.guard()
    assert guard

    assert publisher.end_guard(guard, ENDED)
    late.resume([], ANN)

    assert publisher.store.guard() is None


def test_a_guard_ends_once_with_its_entry(publisher: Ledger) -> None:
    guard = publisher.store.guard()
    assert guard

    ended = [publisher.end_guard(guard, ENDED), publisher.end_guard(guard, ENDED)]

    assert ended == [True, False]
    assert (state_of(publisher).guard, state_of(publisher).retreat) == (None, None)
    assert [entry.fields["action"] for entry in publisher.store.log(9)] == ["guarded", "publish", "publish"]


def test_the_guard_of_a_later_change_stays(place: Place, publisher: Ledger) -> None:
    earlier = publisher.store.guard()
    publisher.publish(encoded(document(3)), ANN, terms=TERMS)
    before = place.content()
    assert earlier

    assert not publisher.store.end_guard(earlier, ENDED)

    assert place.content() == before


def test_what_a_guard_may_go_back_to_is_kept(place: Place, clock: Clock) -> None:
    publisher = Ledger(place.store(), history=16, clock=clock)
    publisher.publish(encoded(document(1)), ANN)
    for number in range(2, 40):
        clock.advance(3600)
        publisher.publish(encoded(document(number)), ANN, terms=Terms(10**6))

    good = publisher.rollback(publisher.release(1), Why("ann", "bad", "rollback"))

    assert good.digest == encoded(document(1)).manifest.digest
    assert publisher.is_whole()
    clock.advance(3600)
    publisher.publish(encoded(document(40)), ANN)
    assert len(publisher.history()) == 16


@pytest.mark.parametrize("is_whole", [False, True])
def test_a_repair_brings_guard_and_holds_back_and_a_rollback_needs_no_release(place: Place, is_whole: bool) -> None:
    publisher = ledger(place)
    publisher.store.amend(Amendment("holds", "web", "freeze", {"action": "hold"}))
    for number in (1, 2):
        publisher.publish(encoded(document(number)), ANN, terms=TERMS)
    publisher.look_at_holds()
    known = state_of(publisher)
    assert known.guard
    if not is_whole:
        place.lose_release(1)
    publisher.store.amend(Amendment("holds", "web", None, {"action": "resume"}))
    publisher.refresh()

    restored = publisher.anchor(known, Why("ann", "lost", "restore"))
    guard = publisher.store.guard()
    good = publisher.rollback(known.retreat.release if known.retreat else restored, Why("ann", "bad", "rollback"))

    assert guard == replace(known.guard, change=guard.change if guard else "", version=restored.version)
    assert publisher.store.holds().texts == {"web": "freeze"}
    assert good.digest == encoded(document(1)).manifest.digest
    assert publisher.is_whole()
    assert publisher.store.guard() is None


def test_what_a_guard_went_back_to_may_be_gone_and_the_guard_is_there(place: Place, publisher: Ledger) -> None:
    place.lose_release(1)

    state = state_of(ledger(place))

    assert state.guard == state_of(publisher).guard
    assert state.retreat is None


def test_something_else_in_place_of_the_guard_is_refused_and_left_alone(redis_place: RedisPlace) -> None:
    publisher = ledger(redis_place)
    publisher.publish(encoded(document(1)), ANN)
    redis_place.client.set(redis_place.keys.guard, "something else")
    before = redis_place.content()
    guard = Guard(change="a", version=1, back=1, digest="b", author="", since_ms=0, until_ms=0)

    with pytest.raises(Refused, match="guard is a string"):
        publisher.publish(encoded(document(2)), ANN)
    with pytest.raises(Refused, match="guard is a string"):
        publisher.store.end_guard(guard, ENDED)

    assert redis_place.content() == before


def test_what_redis_keeps_of_a_guard_is_readable(redis_place: RedisPlace) -> None:
    publisher = ledger(redis_place)
    for number in (1, 2):
        publisher.publish(encoded(document(number)), ANN, terms=TERMS)

    fields = {name.decode(): text.decode() for name, text in redis_place.client.hgetall(redis_place.keys.guard).items()}

    assert fields.keys() == {"change", "version", "back", "digest", "author", "since", "until", "vetoes"}
    assert (fields["version"], fields["back"], fields["vetoes"], fields["author"]) == ("2", "1", "5%", "ann")


def test_redis_cli_may_take_a_guard_away(redis_place: RedisPlace) -> None:
    publisher = ledger(redis_place)
    for number in (1, 2):
        publisher.publish(encoded(document(number)), ANN, terms=TERMS)

    redis_place.client.delete(redis_place.keys.guard)
    publisher.publish(encoded(document(3)), ANN, terms=TERMS)

    guard = publisher.store.guard()
    assert guard
    assert guard.back == 2
