"""What people put beside the releases: what is refused, what is audited, and what nobody may read in the log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import ConfBusError, InvalidDocument, Refused
from confbus.wire.frozen import freeze
from confbus_publisher.ledger import Amendment
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.overrides import amending, approval
from confbus_publisher.overrides.override import MAX_BYTES, MAX_COUNT, Override, parse, parse_path
from support.clock import Clock

if TYPE_CHECKING:
    from confbus_publisher.ledger import Store

DIGEST = "0123456789abcdef" * 4


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> Store:
    return MemoryStore(clock=clock)


def put(store: Store, path: str, value: Any = 1, *, ttl_s: float | None = None) -> Override:
    return amending.put(store, parse_path(path), freeze(value), by="ann", reason="a trial", ttl_s=ttl_s)


def kept(store: Store) -> dict[str, Override]:
    return {name: parse(name, text) for name, text in store.overrides().texts.items()}


def test_it_lasts_from_the_stores_time_on(store: Store, clock: Clock) -> None:
    put(store, "a.b", {"c": [1]}, ttl_s=1.5)

    [override] = kept(store).values()

    now_ms = int(clock() * 1000)
    assert (override.value, override.at_ms, override.until_ms) == ({"c": [1]}, now_ms, now_ms + 1500)
    assert (override.by, override.reason) == ("ann", "a trial")


def test_the_log_tells_everything_but_the_value(store: Store) -> None:
    override = put(store, "a.b", "hunter2", ttl_s=60)
    amending.end(store, "a.b", by="bob", reason="over")

    ended, begun = (dict(entry.fields) for entry in store.log(5))

    until = {"until_ms": str(override.until_ms)}
    assert begun == {"action": "set", "path": "a.b", "author": "ann", "message": "a trial", **until}
    assert ended == {"action": "unset", "path": "a.b", "author": "bob", "message": "over"}


def test_what_is_ended_stays_as_ended_for_a_publisher_to_take_away(store: Store, clock: Clock) -> None:
    put(store, "a.b", ttl_s=3600)
    clock.advance(60)

    amending.end(store, "a.b", by="bob")

    assert kept(store)["a.b"].until_ms == int(clock() * 1000)


def test_the_later_one_of_a_path_replaces_the_earlier(store: Store) -> None:
    put(store, "a.b", 1)
    put(store, "a.b", 2)

    assert kept(store)["a.b"].value == 2


@pytest.mark.parametrize("others", [["a"], ["a.b.c"], ["a.x", "a.b.c"]])
def test_no_override_lies_around_or_inside_another(store: Store, others: list[str]) -> None:
    for other in others:
        put(store, other)

    with pytest.raises(Refused, match=rf"which is overridden already.*`confbus unset {others[-1]}`"):
        put(store, "a.b")

    assert sorted(kept(store)) == sorted(others)


def test_what_ended_is_in_nobodys_way(store: Store) -> None:
    put(store, "a")
    amending.end(store, "a", by="ann")

    put(store, "a.b")

    assert sorted(kept(store)) == ["a", "a.b"]


def test_there_are_only_so_many_and_those_can_still_be_changed(store: Store) -> None:
    for number in range(MAX_COUNT):
        text = Override(path=(f"k{number}",), value=1, at_ms=1).text()
        store.amend(Amendment("overrides", f"k{number}", text, {"action": "set"}))

    with pytest.raises(Refused, match="256 overrides already"):
        put(store, "more")
    put(store, "k0", 2)

    assert kept(store)["k0"].value == 2


def test_a_large_value_is_refused_with_its_size_alone(store: Store) -> None:
    with pytest.raises(InvalidDocument, match=r"a\.b: it has 70,0\d\d bytes") as caught:
        put(store, "a.b", "hunter2" * 10_000)

    assert "hunter2" not in str(caught.value)
    assert MAX_BYTES < 70_000
    assert kept(store) == {}


@pytest.mark.parametrize("written", ["a.b", 'a["b"]', '["a"]["b"]'])
def test_a_path_may_be_written_in_every_way_when_it_is_ended(store: Store, written: str) -> None:
    put(store, "a.b")

    assert amending.end(store, written, by="ann") == "a.b"


@pytest.mark.parametrize("name", ["hosts[0]", "x", "..", '["x"]'])
def test_what_nobody_can_read_goes_at_once(store: Store, name: str) -> None:
    text = Override(path=("x",), value=1, at_ms=1).text() if name == '["x"]' else "{"
    store.amend(Amendment("overrides", name, text, {"action": "set"}))

    amending.end(store, name, by="ann")

    assert store.overrides().texts == {}


def test_ending_what_is_not_overridden_names_what_is(store: Store) -> None:
    with pytest.raises(ConfBusError, match=r"'x' is not overridden\. Nothing is\."):
        amending.end(store, "x", by="ann")
    put(store, "a.b")

    with pytest.raises(ConfBusError, match=r"Overridden are: a\.b\."):
        amending.end(store, "x", by="ann")


def test_an_approval_says_who_and_why(store: Store) -> None:
    given = amending.approve(store, DIGEST, by="ann", reason="we mean it")

    assert approval.parse_all(store.approvals()) == [given]
    assert approval.approved(store.approvals()) == {DIGEST}
    assert dict(store.log(1)[0].fields) == {
        "action": "approve",
        "digest": DIGEST,
        "author": "ann",
        "message": "we mean it",
    }


@pytest.mark.parametrize(("digest", "reason"), [("abc", "why"), (DIGEST.upper(), "why"), (DIGEST, ""), (DIGEST, " ")])
def test_an_approval_of_nothing_or_for_nothing_is_refused(store: Store, digest: str, reason: str) -> None:
    with pytest.raises(ConfBusError):
        amending.approve(store, digest, by="ann", reason=reason)

    assert store.approvals() == {}


@pytest.mark.parametrize(
    ("digest", "text"),
    [
        (DIGEST, "{"),
        (DIGEST, "[]"),
        (DIGEST, '{"reason": "", "by": "ann", "at_ms": 1}'),
        (DIGEST, '{"reason": "why", "by": "", "at_ms": 1}'),
        (DIGEST, '{"reason": "why", "by": "ann"}'),
        (DIGEST, '{"reason": "why", "by": "ann", "at_ms": "1"}'),
        (DIGEST, '{"reason": ["why"], "by": "ann", "at_ms": 1}'),
        ("abc", '{"reason": "why", "by": "ann", "at_ms": 1}'),
    ],
)
def test_what_does_not_say_who_and_why_approves_nothing(digest: str, text: str) -> None:
    assert approval.approved({digest: text}) == frozenset()
