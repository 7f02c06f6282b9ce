"""Changes to be asked for, in a loop of one's own: the other way to hear of them is to be called back.

Nothing is kept for a loop that is busy or gone: each step compares what it was told last with what is newest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from confbus.wire.diff import Change, diff
from confbus.wire.path import Pattern

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.local import Local


class ChangeIterator:
    """For `for` and `async for`: each step waits for the next release that changes a leaf under its path, and gives
    all that changed since the step before. Ends when the configuration is closed. Threads and tasks may share one;
    each change goes to one of them."""

    __slots__ = ("_is_over", "_local", "_pattern", "_told")

    def __init__(self, local: Local, path: str, *, is_over: Callable[[], bool]) -> None:
        self._pattern = Pattern(path)
        self._local = local
        self._is_over = is_over
        self._told = local.snapshot

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> list[Change]:
        while True:
            self._local.wait_for(self._has_moved)
            is_over = self._is_over()
            changes = self._take()
            if changes:
                return changes
            if is_over:
                raise StopIteration

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Change]:
        from confbus.awaiting import moved

        while True:
            await moved(self._local, self._has_moved)
            is_over = self._is_over()
            changes = self._take()
            if changes:
                return changes
            if is_over:
                raise StopAsyncIteration

    def _has_moved(self) -> bool:
        return self._is_over() or self._local.snapshot is not self._told

    def _take(self) -> list[Change]:
        with self._local.changing:
            told, newest = self._told, self._local.snapshot
            self._told = newest
        return [change for change in diff(told or {}, newest or {}) if self._pattern.matches(change.parts)]
