"""What came of a reload or a rollback."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confbus.wire.diff import Change


class ReloadStatus(Enum):
    """How it ended. Whatever it says, the last good configuration is there to be read.

    SUCCESS: a new version is in force. PARTIAL: so it is, but a source failed and keeps its last good values.
    NO_CHANGE: the sources say what is in force; or another publisher is active, and this process only follows.
    VALIDATION_FAILED: what a source says was refused before it became a version. FAILED: a source, Redis or the call
    itself failed. HELD: what the sources say was rolled back before, or differs from the head since before this
    process was active; `publish` overrides that. ROLLED_BACK: an earlier content is in force again, because somebody
    asked for it or because a validator or a health gate refused the new one.
    """

    SUCCESS = "success"
    PARTIAL = "partial"
    NO_CHANGE = "no change"
    VALIDATION_FAILED = "validation failed"
    FAILED = "failed"
    HELD = "held"
    ROLLED_BACK = "rolled back"


@dataclass(frozen=True, slots=True)
class ReloadResult:
    """`version` is in force afterwards (None: nothing is). `changes` are the leaves that changed for readers, `errors`
    one text for each thing that went wrong or stood in the way, without any value."""

    status: ReloadStatus
    version: int | None = None
    changes: tuple[Change, ...] = ()
    errors: tuple[str, ...] = ()
    duration_ms: float = 0.0
