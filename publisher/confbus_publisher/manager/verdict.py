"""What a turn of the publisher means to whoever asked for a reload. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import ChecksFailed, InvalidDocument
from confbus_publisher import standing
from confbus_publisher.decision import Step
from confbus_publisher.manager.result import ReloadStatus

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.errors import ConfBusError, SourceFailed
    from confbus_publisher.manager.turn import Turn

_STUCK = {standing.UNREACHABLE, standing.LOST, standing.STARTING}
_KEPT_BACK = {Step.HELD.value, Step.DIVERGED.value}


def status_of(turn: Turn, failures: Mapping[str, SourceFailed], *, is_new: bool) -> ReloadStatus:
    """The status, when no validator and no gate objected. `is_new`: readers see another version than before."""
    if turn.refusal is not None:
        return ReloadStatus.VALIDATION_FAILED if _is_invalid(turn.refusal) else ReloadStatus.FAILED
    if turn.standing.state in _STUCK:
        return ReloadStatus.FAILED
    if turn.standing.state in _KEPT_BACK:
        return ReloadStatus.HELD
    if is_new:
        return ReloadStatus.PARTIAL if failures else ReloadStatus.SUCCESS
    if failures:
        all_invalid = all(map(_is_invalid, failures.values()))
        return ReloadStatus.VALIDATION_FAILED if all_invalid else ReloadStatus.FAILED
    return ReloadStatus.NO_CHANGE


def errors_of(turn: Turn, failures: Mapping[str, SourceFailed]) -> tuple[str, ...]:
    """One text for each thing that stands in the way, the most important first."""
    texts = [str(turn.refusal)] if turn.refusal is not None else []
    if turn.standing.state in _STUCK | _KEPT_BACK and turn.standing.why:
        texts.append(turn.standing.why)
    texts += map(str, failures.values())
    return tuple(dict.fromkeys(texts))


def _is_invalid(error: ConfBusError) -> bool:
    return isinstance(error, ChecksFailed | InvalidDocument) or isinstance(error.__cause__, ChecksFailed)
