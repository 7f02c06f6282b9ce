"""Overrides of a section that was rolled back: what its sources say stays held, whatever lies on top of it."""

from __future__ import annotations

from typing import Any

import pytest

from confbus.errors import Quarantined
from confbus.wire.frozen import freeze
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Amendment, Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.ledger.rollback import target
from confbus_publisher.manager.forgetful import Forgetful
from confbus_publisher.oneshot import publish_once
from confbus_publisher.overrides.override import Override, parse_path
from confbus_publisher.publisher import Publisher
from confbus_publisher.sources.overrides import OverridesSource
from support.bus import Edits


def document(host: str, **pool: int) -> dict[str, Any]:
    return {"db": {"host": host, "pool": {"max": 20} | pool}, "web": {"port": 80}}


class Site:
    """One publisher, and an operator who overrides and rolls back."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.edits = Edits(document("good"))
        self.inputs = Inputs([self.edits], limit_bytes=1_000_000)
        self.publisher = Publisher(self.inputs, Ledger(self.store), Forgetful(), identity="one", author="publisher")
        self.turn()

    def turn(self) -> str:
        self.publisher.turn()
        return self.publisher.standing.state

    def edit(self, host: str, **pool: int) -> str:
        self.edits.write(document(host, **pool))
        return self.turn()

    def set(self, path: str, value: Any, *, is_over: bool = False) -> str:
        now_ms = self.store.time_ms()
        override = Override(path=parse_path(path), value=freeze(value), at_ms=now_ms)
        override = override.ended(now_ms) if is_over else override
        self.store.amend(Amendment("overrides", path, override.text(), {"action": "set"}))
        return self.turn()

    def rollback(self) -> str:
        ledger = Ledger(self.store)
        state = ledger.refresh()
        assert state
        ledger.rollback(target(state, ledger.history()), Why("operator"))
        return self.turn()

    @property
    def db(self) -> Any:
        """What workers read."""
        state = Ledger(self.store).refresh()
        assert state
        return state.document()["db"]


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.mark.parametrize(("path", "value"), [("db.pool.max", 50), ("db.extra.deep", 1), ("db", {"pool": {"min": 1}})])
def test_an_override_does_not_let_out_what_was_rolled_back_beneath_it(site: Site, path: str, value: Any) -> None:
    site.edit("bad")
    site.rollback()

    states = site.set(path, value), site.set(path, value, is_over=True)

    assert states == ("held", "held")
    assert site.db == document("good")["db"]
    assert site.edit("mended") == "in step"
    assert site.db == document("mended")["db"]


def test_an_override_that_ends_or_changes_does_not_let_it_out(site: Site) -> None:
    site.set("db.pool.max", 50)
    site.edit("bad")
    site.rollback()

    states = site.set("db.pool.max", 60), site.set("db.pool.max", 60, is_over=True)

    assert states == ("held", "held")
    assert site.db == document("good", max=50)["db"]


def test_who_publishes_by_hand_is_refused_as_well_and_may_insist(site: Site) -> None:
    site.edit("bad")
    site.rollback()
    site.set("db.pool.max", 50)
    seen, ledger = site.store.overrides(), Ledger(site.store)
    merge = site.inputs.load(OverridesSource(seen.texts, at_ms=seen.now_ms))

    with pytest.raises(Quarantined):
        publish_once(ledger, merge, Why("ann"), inputs=site.inputs, identity="one")
    publish_once(ledger, merge, Why("ann"), inputs=site.inputs, identity="one", force=True)

    assert site.db == document("bad", max=50)["db"]
    assert (site.turn(), site.store.quarantine()) == ("in step", {})


def test_when_an_override_was_rolled_back_another_one_goes_out(site: Site) -> None:
    site.set("db.pool.max", 1)
    held = site.rollback()

    mended = site.set("db.pool.max", 50)

    assert (held, mended) == ("held", "in step")
    assert site.db == document("good", max=50)["db"]


def test_a_source_that_changed_beside_the_override_is_not_held(site: Site) -> None:
    site.set("db.pool.max", 50)
    site.edit("bad")
    site.rollback()

    assert site.edit("mended") == "in step"
    assert site.db == document("mended", max=50)["db"]
