"""Reading the log of one namespace: what is there, and what comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confbus_publisher.audit.contents import Contents

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.audit.contents import Step
    from confbus_publisher.audit.query import Query
    from confbus_publisher.ledger import LogEntry, Store

_PAGE = 500


class Reading:
    """The entries that `query` means. Not thread-safe."""

    def __init__(self, query: Query, store: Store) -> None:
        self._query = query
        self._store = store
        self._contents = Contents(store)
        self._newest = ""

    def newest(self, count: int) -> Iterator[LogEntry]:
        """Those that are there, newest first, at most `count`. Raises `Unreachable`."""
        before = self._query.before
        while page := self._store.log(_PAGE, after=self._query.after, before=before):
            self._newest = self._newest or page[0].id
            before = page[-1].id
            for entry in page:
                if self._query.matches(entry, self._contents):
                    yield entry
                    count -= 1
                if count <= 0:
                    return

    def next(self, *, pause_s: float) -> Iterator[LogEntry]:
        """Those that come after what `newest` saw, oldest first, until the query's end. Raises `Unreachable`."""
        while not self._query.has_ended(self._store.time_ms()):
            entries = self._since(self._newest)
            self._newest = entries[0].id if entries else self._newest
            yield from (entry for entry in reversed(entries) if self._query.matches(entry, self._contents))
            if not entries:
                time.sleep(pause_s)

    def step(self, entry: LogEntry, *, has_values: bool) -> Step | None:
        """What the entry changed, by the releases that are kept; looked for when that is not told, or for values."""
        is_wanted = has_values or "changes" not in entry.fields
        return self._contents.step(entry) if is_wanted else None

    def _since(self, newest: str) -> list[LogEntry]:
        """All after that one, newest first."""
        before = self._query.before
        found: list[LogEntry] = []
        while page := self._store.log(_PAGE, after=newest or self._query.after, before=before):
            found += page
            before = page[-1].id
        return found
