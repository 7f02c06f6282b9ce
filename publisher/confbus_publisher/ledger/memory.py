"""The store in memory: for one process, for `ConfigManager` without Redis, and for tests of everything above it."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING

from confbus.errors import Conflict
from confbus_publisher.ledger.answer import judge_install
from confbus_publisher.ledger.store import Amendment, BlobsDiffer, Commit, Holds, LogEntry, Overrides, VersionTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from confbus.wire.head import Head
    from confbus.wire.release import Release
    from confbus_publisher.guard.guard import Guard
    from confbus_publisher.ledger.image import Image

MAX_LOG = 10_000


class MemoryStore:
    """Keeps the same promises as Redis inside one process, and forgets all when it ends. Thread-safe."""

    def __init__(self, *, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._head: Head | None = None
        self._releases: dict[int, Release] = {}
        self._blobs: dict[str, bytes] = {}
        self._quarantine: dict[str, str] = {}
        self._amended: dict[str, dict[str, str]] = {"overrides": {}, "approvals": {}, "holds": {}}
        self._guard: Guard | None = None
        self._log: list[LogEntry] = []
        self._fleet: dict[str, bytes] = {}
        self._lease: tuple[str, int] = ("", 0)

    @property
    def where(self) -> str:
        return "memory"

    def head(self) -> Head | None:
        return self._head

    def releases(self, versions: Sequence[int]) -> list[Release]:
        return [self._releases[version] for version in versions if version in self._releases]

    def blobs(self, digests: Iterable[str]) -> dict[str, bytes]:
        return {digest: self._blobs[digest] for digest in digests if digest in self._blobs}

    def blob_names(self) -> set[str]:
        return set(self._blobs)

    def commit(self, commit: Commit) -> str:
        with self._lock:
            now = self._head
            if now and commit.head.change in (now.change, *now.ancestors):
                return ""
            self._refuse(commit, now)
            self._blobs.update(commit.blobs)
            if commit.release:
                self._releases[commit.release.version] = commit.release
            self._append(commit.entry)
            self._quarantine.update(commit.quarantined)
            for pair in commit.lifted:
                self._quarantine.pop(pair, None)
            self._head, self._guard = commit.head, commit.guard
            self._put_back(commit)
            for version in commit.dropped:
                self._releases.pop(version, None)
            for digest in commit.freed:
                self._blobs.pop(digest, None)
        return ""

    def leave(self, blobs: Mapping[str, bytes], releases: Sequence[Release] = ()) -> None:
        with self._lock:
            if self._head is not None:
                judge_install("exists", str(self._head.version))
            self._blobs.update(blobs)
            self._releases.update((release.version, release) for release in releases)

    def install(self, image: Image, *, tail: str) -> None:
        with self._lock:
            if self._head is not None:
                word = "installed" if self._head.change == image.head.change else "exists"
                judge_install(word, str(self._head.version))
                return
            is_there = all(self._releases.get(each.version) == each for each in image.releases)
            if not is_there or not self._blobs.keys() >= set(image.wanted()):
                judge_install("missing")
            if tail != (self._log[-1].id if self._log else ""):
                judge_install("log")
            for entry in image.log:
                self._append(entry.fields, entry_id=entry.id)
            self._quarantine.update(image.quarantine)
            for kind in ("overrides", "approvals", "holds"):
                self._amended[kind] = {**getattr(image, kind), **self._amended[kind]}
            self._head = image.head

    def quarantine(self) -> dict[str, str]:
        return dict(self._quarantine)

    def overrides(self) -> Overrides:
        with self._lock:
            return Overrides(dict(self._amended["overrides"]), self._head.change if self._head else "", self.time_ms())

    def holds(self) -> Holds:
        with self._lock:
            return Holds(dict(self._amended["holds"]), self._head.change if self._head else "", self.time_ms())

    def guard(self) -> Guard | None:
        return self._guard

    def end_guard(self, guard: Guard, entry: Mapping[str, str]) -> bool:
        with self._lock:
            if self._guard is None or self._guard.change != guard.change:
                return False
            self._append(entry)
            self._guard = None
        return True

    def approvals(self) -> dict[str, str]:
        return dict(self._amended["approvals"])

    def amend(self, amendment: Amendment) -> bool:
        with self._lock:
            fields = self._amended[amendment.kind]
            found = fields.get(amendment.field)
            if amendment.text is not None and found == amendment.text:
                return True
            is_absent = amendment.text is None and found is None
            if is_absent or (amendment.expected is not None and found != amendment.expected):
                return False
            self._append(amendment.entry)
            if amendment.text is None:
                del fields[amendment.field]
            else:
                fields[amendment.field] = amendment.text
        return True

    def log(self, count: int, *, after: str = "", before: str = "") -> list[LogEntry]:
        first, last = _place(after), _place(before)
        entries = [each for each in self._log if first < _place(each.id) and (not before or _place(each.id) < last)]
        return entries[: -count - 1 : -1]

    def note(self, entry: Mapping[str, str]) -> None:
        with self._lock:
            self._append(entry)

    def fleet(self) -> dict[str, bytes]:
        return dict(self._fleet)

    def report(self, instance: str, report: bytes) -> None:
        self._fleet[instance] = report

    def forget(self, instances: Iterable[str]) -> None:
        for instance in instances:
            self._fleet.pop(instance, None)

    def listeners(self) -> int:
        return 0

    def time_ms(self) -> int:
        return int(self._clock() * 1000)

    def age_s(self) -> float:
        return float("inf")

    def lease(self) -> str:
        holder, until_ms = self._lease
        return holder if self.time_ms() < until_ms else ""

    def lease_ends_in_s(self) -> float:
        return max(0, self._lease[1] - self.time_ms()) / 1000

    def take_lease(self, holder: str, ttl_ms: int) -> str:
        with self._lock:
            until_ms = self.time_ms() + ttl_ms
            if self.lease() in {"", holder}:
                self._lease = (holder, until_ms)
            else:
                self._lease = (self._lease[0], min(self._lease[1], until_ms))
            return self._lease[0]

    def drop_lease(self, holder: str) -> None:
        with self._lock:
            if self.lease() == holder:
                self._lease = ("", 0)

    def close(self) -> None:
        """Nothing to close; what is kept stays readable."""

    def _refuse(self, commit: Commit, now: Head | None) -> None:
        base = commit.base
        if (now and (now.epoch, now.revision)) != (base and (base.epoch, base.revision)):
            raise Conflict(_name(base), _name(now))
        parent = commit.parent
        if len(self._blobs) != commit.blob_count:
            raise BlobsDiffer
        if parent and (parent.version not in self._releases or self._releases[parent.version].digest != parent.digest):
            raise BlobsDiffer
        if commit.release and commit.release.version in self._releases:
            raise VersionTaken

    def _put_back(self, commit: Commit) -> None:
        overrides = self._amended["overrides"]
        for path in commit.withdrawn:
            overrides.pop(path, None)
        for path, text in commit.restored.items():
            overrides.setdefault(path, text)
        for section, text in commit.holds.items():
            self._amended["holds"].setdefault(section, text)
        if commit.release:
            self._amended["approvals"].pop(commit.release.digest, None)

    def _append(self, entry: Mapping[str, str], *, entry_id: str = "*") -> None:
        last_ms, _, count = self._log[-1].id.partition("-") if self._log else ("0", "", "0")
        now_ms = max(self.time_ms(), int(last_ms))
        serial = int(count) + 1 if now_ms == int(last_ms) else 0
        self._log.append(LogEntry(f"{now_ms}-{serial}" if entry_id == "*" else entry_id, dict(entry)))
        del self._log[:-MAX_LOG]


def _place(entry_id: str) -> tuple[int, int]:
    """Where an entry stands in the log; an id may be a time alone."""
    at_ms, _, serial = entry_id.partition("-")
    return int(at_ms or 0), int(serial or 0)


def _name(head: Head | None) -> str:
    return f"revision {head.revision}" if head else "no head"
