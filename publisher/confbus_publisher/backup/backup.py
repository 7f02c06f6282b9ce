"""An export that is looked through: what it holds is a whole namespace, before anything is written anywhere."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING

from confbus.errors import Malformed, Refused
from confbus.wire import head as heads
from confbus.wire import release as releases
from confbus.wire.head import PROTOCOL
from confbus.wire.sections import is_sealed, path_of, value_of
from confbus_publisher.backup import lines
from confbus_publisher.ledger import LogEntry
from confbus_publisher.ledger.image import Image

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.wire.head import Head
    from confbus.wire.release import Release
    from confbus_publisher.backup.lines import Facts

MAX_RELEASES = 100_000
MAX_SECTIONS = 1_000_000
MAX_BESIDE = 100_000
MAX_LOG = 20_000
MAX_ENTRY = 256
_LOG_ID = re.compile(r"([0-9]{1,15})-([0-9]{1,15})")
_BATCH_BYTES = 4 * 1024 * 1024
_PAIR = re.compile(r".{1,5000} [0-9a-f]{64}", re.DOTALL)


class Backup:
    """The export in `file`, which can be read from its beginning; `name` is for messages.

    Raises `Malformed` for one that was cut off or altered, or is none, and `Refused` for that of a newer confbus.
    """

    def __init__(self, file: IO[bytes], *, name: str) -> None:
        self._file = file
        self._name = name
        lines.verify(file, name=name)
        found = _Found(name)
        for kind, facts in lines.read(file, name=name):
            found.take(kind, facts)
        self.namespace = found.namespace
        self.image = found.image()
        self.sealed = found.sealed_in(self.image.release)

    def batches(self) -> Iterator[dict[str, bytes]]:
        """All blobs, some megabytes at a time. Raises `Malformed` when the file changed meanwhile."""
        batch: dict[str, bytes] = {}
        size = 0
        for kind, facts in lines.read(self._file, name=self._name):
            if kind == "blob":
                digest, blob = facts["blob"]
                batch[digest] = blob
                size += len(blob)
            if size > _BATCH_BYTES:
                yield batch
                batch, size = {}, 0
        if batch:
            yield batch

    def blobs_of(self, release: Release) -> dict[str, bytes]:
        """All blobs of one release."""
        wanted = {*release.manifest.sections.values(), *release.origins}
        return {digest: blob for batch in self.batches() for digest, blob in batch.items() if digest in wanted}


@dataclass(slots=True)
class _Found:
    """What the lines said so far."""

    name: str
    namespace: str = ""
    head: Head | None = None
    releases: dict[int, Release] = field(default_factory=dict[int, "Release"])
    beside: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    log: list[LogEntry] = field(default_factory=list[LogEntry])
    blobs: dict[str, bool] = field(default_factory=dict[str, bool])
    sections: dict[str, str] = field(default_factory=dict[str, str])
    count: int = 0

    def take(self, kind: str, facts: Facts) -> None:
        """One line. Raises `Malformed`."""
        if not self.namespace and kind != "confbus export":
            raise self._malformed("it does not begin as an export does")
        match kind:
            case "confbus export":
                self._begin(facts)
            case "head":
                self.head = heads.parse(lines.texts(facts, "fields"))
            case "release":
                self._take_release(releases.parse(lines.texts(facts, "fields")))
            case "quarantine" | "override" | "approval" | "hold":
                self._take_beside(kind, lines.text(facts, "field"), lines.text(facts, "value", most=128 * 1024))
            case "log":
                self._take_entry(lines.text(facts, "id", most=40), lines.texts(facts, "fields"))
            case "blob":
                self._take_blob(*facts["blob"])
            case _:
                raise self._malformed("it has a kind of line that this version does not know")

    def image(self) -> Image:
        """All of it. Raises `Malformed` when a part is not there, `Refused` when a newer confbus wrote it."""
        if self.head is None or self.head.version not in self.releases:
            raise self._malformed("it has no head, or not its release")
        if self.head.protocol > PROTOCOL:
            raise Refused(f"{self.name} is of protocol {self.head.protocol}", advice="Upgrade confbus here.")
        if self.releases[self.head.version].digest != self.head.digest:
            raise self._malformed("the release of its head is another one")
        if not self.sections.keys() <= self.blobs.keys():
            raise self._malformed("the content of a section is not in it")
        return Image(
            self.head,
            tuple(self.releases.values()),
            frozenset(self.blobs),
            tuple(self.log),
            *(self.beside.get(kind, {}) for kind in ("quarantine", "override", "approval", "hold")),
        )

    def sealed_in(self, release: Release) -> list[str]:
        """The sections of a release that are sealed."""
        return [name for name, digest in release.manifest.sections.items() if self.blobs[digest]]

    def _begin(self, facts: Facts) -> None:
        if facts.get("format") != lines.FORMAT:
            raise Refused(f"{self.name} has a format that this version does not know", advice="Upgrade confbus here.")
        self.namespace = lines.text(facts, "namespace", most=100)

    def _take_release(self, release: Release) -> None:
        self.count += len(release.manifest)
        if len(self.releases) >= MAX_RELEASES or self.count > MAX_SECTIONS or release.version in self.releases:
            raise self._malformed("it has a release twice, or more than an export may have")
        for name, digest in release.manifest.sections.items():
            path_of(name)
            self.sections.setdefault(digest, name)
        self.releases[release.version] = release

    def _take_beside(self, kind: str, name: str, value: str) -> None:
        fields = self.beside.setdefault(kind, {})
        fields[name] = value
        if len(fields) > MAX_BESIDE or (kind == "quarantine" and not _PAIR.fullmatch(name)):
            raise self._malformed(f"a line of the kind {kind!r} is none, or there are too many")

    def _take_entry(self, entry_id: str, fields: dict[str, str]) -> None:
        found = _LOG_ID.fullmatch(entry_id)
        last = self.log[-1].id.partition("-") if self.log else ("0", "", "0")
        is_next = found and (int(found[1]), int(found[2])) > (int(last[0]), int(last[2]))
        if not is_next or not 0 < len(fields) <= MAX_ENTRY or len(self.log) >= MAX_LOG:
            raise self._malformed("an entry of its log is none, or there are too many")
        self.log.append(LogEntry(entry_id, fields))

    def _take_blob(self, digest: str, blob: bytes) -> None:
        """Releases come first: so it is known which blobs are sections."""
        if digest in self.sections:
            value_of(self.sections[digest], blob)
        self.blobs[digest] = is_sealed(blob)

    def _malformed(self, reason: str) -> Malformed:
        return Malformed(self.name, reason)
