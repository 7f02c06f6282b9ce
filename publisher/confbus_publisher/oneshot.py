"""Publishing once, because a person or a pipeline says so: what is refused, and what overrides that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import ChecksFailed, LeaseHeld, Lost, Malformed, NoRelease, OnHold, Quarantined
from confbus_publisher import fleet, repair
from confbus_publisher.holds.hold import in_force, keeping
from confbus_publisher.judgement import judge
from confbus_publisher.ledger import state_of
from confbus_publisher.overrides.beneath import held_now
from confbus_publisher.sealing.resealing import vouch

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.wire.release import Release
    from confbus_publisher.fleet import Report
    from confbus_publisher.guard.guard import Terms
    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.ledger import Ledger, State, Why


def publish_once(
    ledger: Ledger,
    merge: Merge,
    why: Why,
    *,
    inputs: Inputs | None = None,
    identity: str = "",
    force: bool = False,
    adopt: bool = False,
    allow_empty: bool = False,
    terms: Terms | None = None,
    warn: Callable[[str], object] = lambda _warning: None,
) -> Release | None:
    """The new release with the content of `merge`, or None when the head has just that.

    Raises `LeaseHeld` beside an active publisher other than `identity` and `Quarantined` for content that was rolled
    back, unless `force`, which takes it out of quarantine; `OnHold` for a section that somebody holds, unless `force`,
    which leaves the hold. Raises `KeyLacking` when the keyring of `inputs` is behind the one that sealed the head,
    unless `force`. Raises `Lost` while instances run what Redis has lost, unless `adopt`: then the merge begins a new
    epoch above all that they report, and so they follow; that needs no leave of the active publisher, which waits for
    it. Raises `ChecksFailed` for a merge without any value, unless `allow_empty`, and, whatever is forced, for one that
    does not pass the checks of `inputs`; what they only warn of, `warn` is told before anything is written.

    With `terms` the release is guarded, but for one that is adopted: of what was before, nobody knows whether it is
    good.
    """
    holder = ledger.store.lease()
    if holder not in {"", identity} and not force and not adopt:
        raise LeaseHeld(holder)
    there = _head(ledger, may_be_damaged=adopt)
    lift = _lifted(merge, ledger, there, force=force)
    if not force:
        _refuse_held(merge, ledger, there)
    if not merge.manifest.sections and not allow_empty:
        raise ChecksFailed(["the sources say nothing at all; use --allow-empty if that is meant"])
    if inputs is not None:
        for warning in judge(inputs, merge, there, ledger.store):
            warn(warning)
    everybody = fleet.parse_all(ledger.store.fleet())
    reports = fleet.subscribers(everybody, ledger.store.time_ms())
    ledger.fleet_size = len(reports)
    if adopt:
        stands = [report.seen for report in everybody if report.seen]
        return ledger.anchor(state_of(merge.encoded), why, stands=stands, lift=lift)
    _refuse_loss(there, merge, reports)
    if there is not None and there.release.digest == merge.manifest.digest:
        return None
    if there is not None and inputs is not None and not force:
        vouch(there.release.manifest, there.blobs, inputs.seals)
    return ledger.publish(merge.encoded, why, origins=merge.origins, lift=lift, terms=terms)


def _head(ledger: Ledger, *, may_be_damaged: bool) -> State | None:
    try:
        return ledger.refresh()
    except (Malformed, NoRelease):
        if may_be_damaged:
            return None
        raise


def _lifted(merge: Merge, ledger: Ledger, there: State | None, *, force: bool) -> list[str]:
    """The quarantined pairs that `merge` has, if it may go out with them."""
    held = held_now(merge, ledger, there, ledger.store.quarantine())
    if held and not force:
        raise Quarantined(held)
    return [pair for pairs in held.values() for pair in pairs]


def _refuse_held(merge: Merge, ledger: Ledger, there: State | None) -> None:
    kept_back = keeping(in_force(ledger.store.holds()), merge.manifest, there.release.manifest if there else None)
    if kept_back:
        raise OnHold(map(str, kept_back))


def _refuse_loss(there: State | None, merge: Merge, reports: list[Report]) -> None:
    contents = [state_of(merge.encoded), *([there] if there else [])]
    verdict = repair.assess(there.head if there else None, None, contents, reports)
    if not isinstance(verdict, repair.Fine):
        raise Lost(verdict.reason)
