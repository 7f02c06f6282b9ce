"""How the sources of a publisher that must not publish by itself differ from the head, in a line for people."""

from __future__ import annotations

import time
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from confbus.errors import Malformed
from confbus_publisher.ledger.summary import Sections, summary

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.wire.encoder import Encoded
    from confbus_publisher.ledger import State

_MOST_PATHS = 8


class Divergence:
    """Tells the paths that would change, never a value. What it found out stays known while neither side changes."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pair = ("", "")
        self._paths = ""
        self._since = clock()

    def between(self, there: State, mine: Encoded, *, for_s: float = 0.0) -> str:
        """`its sources differ …: ~pool.size +features.new -old`, from what is in force to what is merged here.

        Empty when that is the same, or has been asked for less than `for_s` ago for the first time.
        """
        before, after = there.release.manifest, mine.manifest
        if self._pair != (before.digest, after.digest):
            self._pair, self._since, self._paths = (before.digest, after.digest), self._clock(), ""
            with suppress(Malformed):
                self._paths = _paths(there, mine)
        if not self._paths or self._clock() - self._since < for_s:
            return ""
        return f"its sources differ from the head, as `confbus plan` there shows: {self._paths}"


def _paths(there: State, mine: Encoded) -> str:
    before = there.release.manifest
    all_of_them = summary(before.changes_to(mine.manifest), Sections(before, there.blobs), mine.by_digest)
    shown, left = all_of_them.items[:_MOST_PATHS], len(all_of_them.items[_MOST_PATHS:])
    return replace(all_of_them, items=shown, more=all_of_them.more + left).text()
