"""Writing a namespace into a file: all of one moment, or nothing."""

from __future__ import annotations

import errno
import os
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from confbus.errors import ConfBusError, Malformed, NoRelease
from confbus.wire import codec
from confbus_publisher.backup import lines
from confbus_publisher.ledger import archive
from confbus_publisher.ledger.installation import MAX_LOG

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator

    from confbus.wire.head import Head
    from confbus.wire.release import Release
    from confbus_publisher.ledger import Store

_TRIES = 5
_ALL = 1_000_000
_AT_ONCE = 16
_DAMAGED = "A publisher that knows it writes it again; `confbus status` says more."


@dataclass(frozen=True, slots=True)
class Export:
    """What was written. `left_out` are versions that were kept with a section's content gone."""

    version: int
    releases: int
    blobs: int
    entries: int
    checksum: str
    left_out: tuple[int, ...] = ()


def write(
    store: Store, namespace: str, file: IO[bytes], *, tell: Callable[[int], None] = lambda _blobs: None
) -> Export:
    """Everything that is kept of `namespace`, of one moment: begun again when something changed meanwhile. `tell`
    hears now and then how many blobs are written.

    Raises `NoRelease` when nothing is published or the content of the head is gone, `ConfBusError` when it changes all
    the time, and `OSError`.
    """
    for _ in range(_TRIES):
        mark = _mark(store)
        file.seek(0)
        file.truncate()
        export = _written(store, namespace, file, tell)
        file.flush()
        if _mark(store) == mark:
            return export
    raise ConfBusError(
        f"{namespace} changed while it was read, {_TRIES} times.", advice="Try again when it changes less often."
    )


@contextmanager
def whole(path: Path) -> Generator[IO[bytes]]:
    """A new file that takes the place of `path` when all is written, readable for its owner alone; else nothing is left
    of it. Raises `OSError`, also for a link, a pipe or a device in its place: those are not replaced."""
    if path.is_symlink() or (path.exists() and not (path.is_file() or path.is_dir())):
        raise OSError(errno.EEXIST, "it is a link, a pipe or a device, which a file would replace; - is stdout")
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    draft = Path(name)
    try:
        with os.fdopen(descriptor, "w+b") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink()
        raise


def _mark(store: Store) -> tuple[str, str]:
    """What is another one after each change: that of the head, and the newest entry of the log."""
    head, newest = store.head(), store.log(1)
    return head.change if head else "", newest[0].id if newest else ""


def _written(store: Store, namespace: str, file: IO[bytes], tell: Callable[[int], None]) -> Export:
    head = store.head()
    if head is None:
        raise NoRelease("Nothing is published in this namespace", advice="There is nothing to export.")
    releases, left_out = _releases(store, head)
    log = store.log(MAX_LOG)
    writer = lines.Writer(file)
    writer.put("confbus export", format=lines.FORMAT, namespace=namespace, version=head.version, at_ms=store.time_ms())
    writer.put("head", fields=head.fields())
    for release in releases:
        writer.put("release", fields=release.fields())
    for kind, field, value in _beside(store):
        writer.put(kind, field=field, value=value)
    for entry in reversed(log):
        writer.put("log", id=entry.id, fields=dict(entry.fields))
    blobs = 0
    for digest, blob in _blobs(store, releases):
        writer.put_blob(digest, blob)
        blobs += 1
        if blobs % _AT_ONCE == 0:
            tell(blobs)
    return Export(head.version, len(releases), blobs, len(log), writer.end(), tuple(left_out))


def _releases(store: Store, head: Head) -> tuple[list[Release], list[int]]:
    """The kept releases, newest first, and the versions of those whose content is not."""
    names = store.blob_names()
    kept = archive.walk(store, head.version, _ALL)
    whole = [release for release in kept if names.issuperset(release.manifest.sections.values())]
    if not any(release.version == head.version and release.digest == head.digest for release in whole):
        raise NoRelease(f"The content of the head, version {head.version}, is gone from {store.where}", advice=_DAMAGED)
    return whole, [release.version for release in kept if release not in whole]


def _beside(store: Store) -> Iterator[tuple[str, str, str]]:
    """What is beside the releases: its kind, field and value."""
    kinds = {
        "quarantine": store.quarantine(),
        "override": store.overrides().texts,
        "approval": store.approvals(),
        "hold": store.holds().texts,
    }
    for kind, texts in kinds.items():
        for field, value in sorted(texts.items()):
            yield kind, field, value


def _blobs(store: Store, releases: Iterable[Release]) -> Iterator[tuple[str, bytes]]:
    """Every blob that a release names. Those that tell where values were written may be gone, or wrong."""
    sections = {digest: name for one in releases for name, digest in one.manifest.sections.items()}
    digests = [*sections, *{digest for one in releases for digest in one.origins} - sections.keys()]
    for first in range(0, len(digests), _AT_ONCE):
        found = store.blobs(digests[first : first + _AT_ONCE])
        for digest in digests[first : first + _AT_ONCE]:
            if digest in found and codec.digest(found[digest]) == digest:
                yield digest, found[digest]
            elif digest in sections:
                raise Malformed(f"section {sections[digest]!r}", "its bytes do not have its digest", advice=_DAMAGED)
