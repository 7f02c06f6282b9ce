"""The origins that go out with a release: kept as long as it is, never needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.ledger import Why
from support.places import encoded, ledger

if TYPE_CHECKING:
    from support.clock import Clock
    from support.places import Place

ANN = Why("ann")


def origins(*digests: str) -> dict[str, bytes]:
    return {digit * 64: digit.encode() for digit in digests}


def test_a_release_names_its_origins_in_their_order(place: Place) -> None:
    publisher = ledger(place)

    publisher.publish(encoded({"a": {"b": 1}}), ANN, origins=origins("f", "e"))
    publisher.publish(encoded({"a": {"b": 2}}), ANN, origins=origins("f", "d"))

    kept = ledger(place)
    assert [release.origins for release in kept.history()] == [("f" * 64, "d" * 64), ("f" * 64, "e" * 64)]
    assert kept.store.blobs(["f" * 64, "d" * 64, "e" * 64]) == origins("f", "d", "e")


def test_a_rollback_takes_the_origins_of_its_content(place: Place) -> None:
    publisher = ledger(place)
    publisher.publish(encoded({"a": {"b": 1}}), ANN, origins=origins("e"))
    publisher.publish(encoded({"a": {"b": 2}}), ANN, origins=origins("f"))

    release = publisher.rollback(publisher.release(1), ANN)

    assert release.origins == ("e" * 64,)


def test_origins_go_with_the_last_release_that_names_them(place: Place, clock: Clock) -> None:
    publisher = ledger(place, clock=clock, history=16)
    publisher.publish(encoded({"a": {"b": 0}}), ANN, origins=origins("e", "f"))
    for number in range(1, 40):
        clock.now_s += 700
        publisher.publish(encoded({"a": {"b": number}}), ANN, origins=origins("f"))

    names = place.store().blob_names()

    assert "e" * 64 not in names
    assert "f" * 64 in names


def test_a_repair_names_only_the_origins_that_are_known(place: Place) -> None:
    publisher, other = ledger(place), ledger(place)
    publisher.publish(encoded({"a": {"b": 1}}), ANN, origins=origins("e"))
    own = publisher.state
    foreign = other.refresh()
    assert own
    assert foreign

    other.anchor(foreign, ANN)
    without = other.release(2).origins
    publisher.refresh()
    publisher.anchor(own, ANN)

    assert without == ()
    assert publisher.release(3).origins == ("e" * 64,)
