"""Which entries of the log somebody asks for."""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from confbus.errors import InvalidPath
from confbus.wire.path import parse as parse_path
from confbus_publisher.ledger.summary import parse, read_names

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.path import Path, Pattern
    from confbus_publisher.audit.contents import Contents
    from confbus_publisher.ledger import LogEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What an entry must have; what is None or empty is not asked for. `author` may hold `*`; times are inclusive."""

    actions: tuple[str, ...] = ()
    author: str | None = None
    since_ms: int | None = None
    until_ms: int | None = None
    version: int | None = None
    path: Pattern | None = None

    @property
    def after(self) -> str:
        """The id after which its entries are."""
        return f"{self.since_ms - 1}-{2**64 - 1}" if self.since_ms else ""

    @property
    def before(self) -> str:
        """The id before which its entries are."""
        return "" if self.until_ms is None else f"{self.until_ms + 1}-0"

    def has_ended(self, now_ms: int) -> bool:
        """Whether no entry from now on is meant."""
        return self.until_ms is not None and now_ms > self.until_ms

    def matches(self, entry: LogEntry, contents: Contents) -> bool:
        """Whether it is meant, whatever its time."""
        fields = entry.fields
        if self.actions and fields.get("action") not in self.actions:
            return False
        if self.author is not None and not fnmatchcase(fields.get("author", ""), self.author):
            return False
        if self.version is not None and fields.get("version") != str(self.version):
            return False
        return self.path is None or _touches(self.path, entry, contents)


def _touches(pattern: Pattern, entry: LogEntry, contents: Contents) -> bool:
    """True also when nobody knows any more: an audit that shows too much is better than one that hides."""
    fields = entry.fields
    told = parse(fields.get("changes", ""))
    named = [item.path for item in told.items]
    beside = [path for word in ("held", "lifted") for path in read_names(fields.get(word, ""))]
    if any(map(pattern.matches, named)) or any(map(pattern.touches, [*beside, *_overridden(fields)])):
        return True
    is_told = "changes" in fields and not told.more and not any(map(pattern.touches, named))
    if is_told or "from" not in fields or fields.get("digest", "") == fields.get("from_digest"):
        return False
    step = contents.step(entry)
    if step is None:
        return True
    return any(pattern.matches(leaf.parts) for leaf in step.leaves) or any(map(pattern.touches, step.sealed))


def _overridden(fields: Mapping[str, str]) -> list[Path]:
    try:
        return [parse_path(fields["path"])] if "path" in fields else []
    except InvalidPath:
        return []
