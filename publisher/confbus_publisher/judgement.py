"""Whether a merge may go out: the last word before a publish, whoever wants it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import ChecksFailed, Malformed, SealBroken
from confbus_publisher.checks import refuse_errors
from confbus_publisher.overrides.approval import approved as approvals

if TYPE_CHECKING:
    from confbus.wire.frozen import Frozen
    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.ledger import State, Store


def judge_next(inputs: Inputs, merge: Merge, state: State | None, store: Store) -> tuple[str, ...]:
    """The warnings about `merge` as the one after `state`; `store` keeps what people approved.

    Raises `ChecksFailed`, naming every error, and for a merge without any value after one that had some.
    """
    if state and state.release.manifest.sections and not merge.manifest.sections:
        problem = "the sources say nothing at all; `confbus publish --allow-empty` if that is meant"
        raise ChecksFailed([problem], rules=["empty"])
    return judge(inputs, merge, state, store)


def judge(inputs: Inputs, merge: Merge, state: State | None, store: Store) -> tuple[str, ...]:
    """As `judge_next`, for whoever said that nothing at all is meant."""

    def approved(digest: str) -> bool:
        return digest in approvals(store.approvals())

    def before() -> Frozen | None:
        try:
            return state.document(inputs.seals.open) if state else None
        except (Malformed, SealBroken):  # Somebody altered it: there is nothing to compare with.
            return None

    return refuse_errors(inputs.judge(merge, before, approved=approved))
