"""What the settings lead to on this machine: the document that the sources make, and the files of a publisher."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError, InvalidSettings, Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from confbus_publisher.checks import Problem
    from confbus_publisher.inputs import Merge
    from confbus_publisher.settings import Settings


@dataclass(frozen=True, slots=True)
class SourceFacts:
    """`failings` keep the sources from making a document; else `problems` are what the checks say of it, `size` its
    bytes. `watched` are the directories that a publisher watches, `files` what was read."""

    count: int
    failings: Sequence[ConfBusError] = ()
    problems: Sequence[Problem] = ()
    size: int = 0
    watched: frozenset[Path] = frozenset()
    files: frozenset[Path] = frozenset()


@dataclass(frozen=True, slots=True)
class FileFacts:
    """The publisher's own files. `keys` has the state of each key of the keyring by its id; `keyring_error` is why
    that is not to be used.

    `state_error` is why what was published cannot be remembered. `open_passwords` are the password files that others
    may read.
    """

    seal: tuple[str, ...] = ()
    keyring: str = ""
    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    keyring_error: ConfBusError | None = None
    state: str = ""
    state_error: str = ""
    open_passwords: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class FallbackFacts:
    """The last known good of workers at `path`: `error` is why it is not to be used or replaced; `version` is what it
    has, if anything, and `age_s` how long ago that was last known to be the newest."""

    path: str
    error: str = ""
    version: int | None = None
    age_s: float = 0.0


def read_fallback(path: str, namespace: str) -> FallbackFacts:
    """Look at it as a worker does that starts, with the rights of this user."""
    from confbus.fallback import Fallback

    try:
        good = Fallback(path, namespace).load()
    except Malformed as error:
        return FallbackFacts(path, error.message.rstrip("."))
    directory = Path(path).absolute().parent
    if not os.access(directory, os.W_OK | os.X_OK):
        return FallbackFacts(path, f"{directory} {'cannot be written' if _is_there(directory) else 'is not there'}")
    return FallbackFacts(path, "", good.head.version, good.age_s) if good else FallbackFacts(path)


def read_sources(settings: Settings) -> SourceFacts:
    """Read every source once, and try the checks but for those that compare with the head. Raises `InvalidSettings`."""
    from confbus_publisher.opening import inputs_of

    inputs = inputs_of(settings, is_dry=True)
    count = len(inputs.sources)
    failings = inputs.failings()
    if failings:
        return SourceFacts(count, failings, watched=frozenset(inputs.watched))
    merge = inputs.load()
    problems = inputs.judge(merge, lambda: None)
    watched = frozenset(inputs.watched)
    return SourceFacts(count, (), problems, merge.encoded.size, watched, _files(settings, merge))


def read_files(settings: Settings) -> FileFacts:
    """Look at the files of a publisher; nothing is written."""
    from confbus_publisher.opening import seals_of

    keys: dict[str, str] = {}
    error: InvalidSettings | None = None
    seals = seals_of(settings)
    try:
        keys = {key.id: key.state for key in seals.ring}
    except InvalidSettings as refused:
        error = refused
    return FileFacts(
        seal=settings.seal,
        keyring=str(settings.keys),
        keys=keys,
        keyring_error=error,
        state=str(settings.state),
        state_error=_state_error(settings),
        open_passwords=_open_passwords(settings.redis or ""),
    )


def _files(settings: Settings, merge: Merge) -> frozenset[Path]:
    """What was read, as far as a place in it is known, and the settings themselves."""
    named: set[str] = {origin.file for layer in merge.merged.layers for origin in layer.origins.values() if origin.file}
    return frozenset(Path(name).absolute() for name in (*named, str(settings.path)))


def _state_error(settings: Settings) -> str:
    from confbus_publisher.memory_file import MemoryFile

    path = settings.state.absolute()
    there = next(parent for parent in path.parents if _is_there(parent))
    if not os.access(there, os.W_OK | os.X_OK):
        return f"{there} cannot be written"
    try:
        MemoryFile(path, settings.namespace).load()
    except Malformed as error:
        return error.message.rstrip(".")
    except OSError as error:
        return f"{path} cannot be read: {error.strerror}"
    return ""


def _open_passwords(url: str) -> dict[str, str]:
    from confbus.address import split_password_file

    path = Path(split_password_file(url)[1] or "/")
    mode = stat.S_IMODE(path.stat().st_mode) if os.path.isfile(path) else 0  # noqa: PTH113 — as in `_is_there`
    return {str(path): f"{mode:o}"} if mode & stat.S_IROTH else {}


def _is_there(path: Path) -> bool:
    """Whether this user sees it."""
    return os.path.exists(path)  # noqa: PTH110 — that of Path raises below a directory that is closed
