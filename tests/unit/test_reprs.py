"""What shows in a traceback, a debugger or a failed assertion: never a value of the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus import candidate
from confbus.events import Apply, Fetched, Heard
from confbus.wire.notice import Notice
from confbus.wire.notice import decode as decode_notice
from confbus.wire.sections import NOTHING
from confbus_publisher.explain import of_merge
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Amendment, Ledger, Overrides, State, Why
from confbus_publisher.ledger.draft import Draft
from confbus_publisher.ledger.inventory import Inventory
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.overrides.override import Override
from confbus_publisher.sources import DictSource

if TYPE_CHECKING:
    from collections.abc import Callable

SECRET = "hunter2"
TREE = {"database": {"password": SECRET}}


def published() -> State:
    ledger = Ledger(MemoryStore())
    ledger.publish(Inputs([DictSource(TREE)], limit_bytes=1_000_000).load().encoded, Why("ann"))
    assert ledger.state
    return ledger.state


def sent() -> list[object]:
    """What goes from a publisher to a worker."""
    state = published()
    override = Override(path=("database", "password"), value=SECRET, at_ms=1)
    draft = Draft(state.release, Why("ann"), "", state.blobs, restored={override.name: override.text()})
    inventory = Inventory((), ())
    commit = draft.commit(state.head, None, inventory, history=16, now_ms=1, fleet_size=1, whole=True)
    notice = decode_notice(commit.notice)
    assert isinstance(notice, Notice)
    overrides = Overrides({override.name: override.text()}, state.head.change, 1)
    amendment = Amendment("overrides", override.name, override.text(), {"action": "set"}, expected=override.text())
    return [state, override, draft, commit, notice, Heard(commit.notice), overrides, amendment]


def read() -> list[object]:
    """What a worker makes of it."""
    state = published()
    blobs = {name: state.blobs[digest] for name, digest in state.release.manifest.sections.items()}
    fetched = Fetched(state.head, state.release.manifest, blobs, state.release.at_ms)
    apply = candidate.from_fetch(fetched, NOTHING)
    assert isinstance(apply, Apply)
    assembly = candidate.assemble(apply)
    return [fetched, apply, assembly, candidate.snapshot(apply, assembly)]


def merged() -> list[object]:
    """What the sources say, and why."""
    inputs = Inputs([DictSource(TREE)], limit_bytes=1_000_000)
    merge = inputs.load()
    [explanation] = of_merge(inputs, merge, ("database", "password"))
    return [merge, merge.merged, merge.expanded, merge.encoded, explanation, explanation.parts]


@pytest.mark.parametrize("made", [sent, read, merged])
def test_no_value_shows_where_something_prints_what_holds_it(made: Callable[[], list[object]]) -> None:
    for holder in made():
        assert SECRET not in repr(holder)
        assert SECRET not in str(holder)
