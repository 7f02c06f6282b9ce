"""Holds: what they cover, what stands in the store, and what a publisher makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import ConfBusError, OnHold
from confbus_publisher.holds.hold import ALL, Hold, keeping, lift, parse_all, put
from confbus_publisher.holds.holding import Holding
from confbus_publisher.inputs import Inputs, Merge
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.oneshot import publish_once
from confbus_publisher.sources import DictSource
from support.clock import Clock
from support.places import encoded

if TYPE_CHECKING:
    from confbus.wire.manifest import Manifest

ANN = Why("ann")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(clock: Clock) -> MemoryStore:
    return MemoryStore(clock=clock)


def manifest(**tree: Any) -> Manifest:
    return encoded(tree).manifest


def merge(**tree: Any) -> Merge:
    return Inputs([DictSource(tree)], limit_bytes=1_000_000).load()


@pytest.mark.parametrize(
    ("section", "name", "is_covered"),
    [
        (ALL, "web", True),
        (ALL, ".", True),
        ("web", "web", True),
        ("web", "web.pages", True),
        ("web", "webs", False),
        ("web", ".", False),
        (".", ".", True),
        (".", "web", False),
        ('["a.b"]', '["a.b"]', True),
        ('["a.b"]', '["a.b"].c', True),
        ("a", '["a.b"]', False),
    ],
)
def test_a_hold_covers_its_section_and_the_parts_of_it(section: str, name: str, is_covered: bool) -> None:
    assert Hold(section=section, reason="x").covers(name) is is_covered


def test_only_a_change_of_what_is_held_is_kept_back() -> None:
    running, web = manifest(web={"n": 1}, db={"n": 1}), Hold(section="web", reason="x")

    assert keeping([web], manifest(web={"n": 1}, db={"n": 2}), running) == []
    assert keeping([web], manifest(web={"n": 2}, db={"n": 1}), running) == [web]
    assert keeping([web], manifest(db={"n": 1}), running) == [web]
    assert keeping([web], manifest(db={"n": 1}), None) == []
    assert keeping([web, Hold(section=ALL, reason="y")], manifest(db={"n": 2}), running) == [
        web,
        Hold(section=ALL, reason="y"),
    ]


def test_what_is_held_is_there_with_who_and_why_and_in_the_audit_trail(store: MemoryStore) -> None:
    hold = put(store, "web", by="ann", reason="the migration", until_ms=store.time_ms() + 5000)

    assert parse_all(store.holds().texts) == [hold]
    assert store.log(1)[0].fields == {
        "action": "hold",
        "section": "web",
        "author": "ann",
        "message": "the migration",
        "until_ms": str(hold.until_ms),
    }
    assert str(hold).startswith("web is held by ann until 2025-")
    assert str(hold).endswith(": the migration")


def test_a_plain_text_by_hand_holds_as_well() -> None:
    held = parse_all({"web": "a freeze", ALL: '{"reason": 1', "db": '{"reason": "x", "until_ms": "soon"}'})

    assert [(hold.section, hold.until_ms) for hold in held] == [(ALL, None), ("db", None), ("web", None)]
    assert held[2].reason == "a freeze"


@given(st.text(max_size=300) | st.from_regex(r'\{"reason": ?.{0,9}, "until_ms": ?-?[0-9]{0,25}\}', fullmatch=True))
def test_whatever_stands_there_holds_and_can_be_told(text: str) -> None:
    (hold,) = parse_all({"web": text})

    assert hold.covers("web")
    assert str(hold).startswith("web is held")


@pytest.mark.parametrize("section", ["", "a.b", "a[0]", "[", "x" * 300])
def test_only_a_section_can_be_held(store: MemoryStore, section: str) -> None:
    with pytest.raises(ConfBusError, match="is no section"):
        put(store, section, by="ann", reason="x")

    assert store.holds().texts == {}


def test_a_hold_needs_a_reason_and_a_time_to_come(store: MemoryStore) -> None:
    with pytest.raises(ConfBusError, match="needs a reason"):
        put(store, "web", by="ann", reason=" ")
    with pytest.raises(ConfBusError, match="end in the past"):
        put(store, "web", by="ann", reason="x", until_ms=store.time_ms())


def test_a_publisher_takes_away_what_ended_and_not_what_was_set_since(store: MemoryStore, clock: Clock) -> None:
    ledger = Ledger(store)
    ledger.publish(encoded({"web": {"n": 1}}), ANN)
    running = ledger.state.release.manifest if ledger.state else None
    put(store, "web", by="ann", reason="short", until_ms=store.time_ms() + 1000)
    put(store, "db", by="ann", reason="long")
    holding = Holding(ledger, None)
    holding.look()
    kept = holding.keep_back(manifest(web={"n": 2}), running)
    assert 0.9 < holding.ends_in_s < 1.1

    clock.advance(1)
    holding.look()
    put(store, "web", by="bob", reason="again", until_ms=store.time_ms() + 1000)
    holding.withdraw_ended("ann")
    after = parse_all(store.holds().texts)
    clock.advance(1)
    holding.look()
    holding.withdraw_ended("ann")

    assert [hold.reason for hold in kept] == ["short"]
    assert [(hold.section, hold.reason) for hold in after] == [("db", "long"), ("web", "again")]
    assert list(store.holds().texts) == ["db"]
    assert store.log(1)[0].fields == {"action": "hold ended", "section": "web", "author": "ann", "message": ""}
    assert holding.keep_back(manifest(web={"n": 2}), running) == []


def test_publishing_once_is_refused_for_what_is_held_unless_it_is_forced(store: MemoryStore) -> None:
    ledger = Ledger(store)
    publish_once(ledger, merge(web={"n": 1}, db={"n": 1}), ANN)
    put(store, "web", by="bob", reason="the migration")

    publish_once(ledger, merge(web={"n": 1}, db={"n": 2}), ANN)
    with pytest.raises(OnHold, match=r"Held: web is held by bob: the migration"):
        publish_once(ledger, merge(web={"n": 2}, db={"n": 2}), ANN)
    forced = publish_once(ledger, merge(web={"n": 2}, db={"n": 2}), ANN, force=True)

    assert forced
    assert list(store.holds().texts) == ["web"]
    assert lift(store, "web", by="bob")
    assert not lift(store, "web", by="bob")
