"""The publisher's memory on disk: the last state of the head it saw, so that a loss of Redis can be undone."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, TypeVar

from confbus.errors import Malformed
from confbus.wire import codec
from confbus.wire import head as heads
from confbus.wire import release as releases
from confbus_publisher.checked_file import CheckedFile
from confbus_publisher.guard import guard as guards
from confbus_publisher.guard.guard import Guard, Retreat
from confbus_publisher.ledger import Overrides, State

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confbus.wire.head import Head

_MAGIC = b"confbus memory 1\n"
_ADVICE = "Move it away; the publisher then knows no past."
T = TypeVar("T", str, bytes)
_log = logging.getLogger("confbus.publisher")


class MemoryFile:
    """One namespace's memory at `path`. `accounted` is the digest of the publisher's own last merge, or empty."""

    _kept: tuple[object, ...] = ()

    def __init__(self, path: Path, namespace: str) -> None:
        self.path = path
        self._namespace = namespace
        self._file = CheckedFile(path, magic=_MAGIC, advice=_ADVICE)

    def recall(self) -> tuple[State | None, str | None]:
        """The state and `accounted` as far as they can be had; a file that is damaged or unreadable is logged."""
        try:
            state, accounted = self.load()
        except (Malformed, OSError) as error:
            _log.warning("%s", error)
            return None, None
        return state, accounted or None

    def keep(self, state: State, accounted: str | None) -> None:
        """Save what is new. A full disk is logged and tried again with the next change, not fatal."""
        overrides = state.overrides.texts if state.overrides else None
        news = (state.head, accounted, state.quarantine, overrides, state.holds, state.guard, state.retreat is not None)
        if self._kept == news:
            return
        try:
            self.save(state, accounted or "")
            self._kept = news
        except OSError as error:
            _log.warning("the memory file was not written: %s", error)

    def load(self) -> tuple[State | None, str]:
        """The state and `accounted`; (None, "") when there is no file. Raises `Malformed` for a damaged or foreign
        one."""
        body = self._file.read()
        if body is None:
            return None, ""
        facts = codec.unpack(body, what=str(self.path))
        try:
            if facts["namespace"] != self._namespace:
                raise self._file.malformed(f"it belongs to namespace {facts['namespace']!r}")
            head, release = heads.parse(facts["head"]), releases.parse(_map_of(str, facts["release"]))
            blobs, quarantine = _map_of(bytes, facts["blobs"]), _map_of(str, facts["quarantine"])
            overrides, holds = _overrides(facts.get("overrides")), _texts(facts.get("holds"))
            guard, retreat = _guard(facts.get("guard"), head, blobs)
            state = State(head, release, blobs, quarantine, overrides, holds, guard, retreat)
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            if isinstance(error, Malformed):
                raise
            raise self._file.malformed(type(error).__name__) from None
        return state, str(facts["accounted"])

    def save(self, state: State, accounted: str) -> None:
        """Write atomically; after a crash the old file or the new one is there, never a part. Raises `OSError`."""
        facts: dict[str, Any] = {
            "namespace": self._namespace,
            "head": state.head.fields(),
            "release": state.release.fields(),
            "blobs": dict(state.blobs),
            "quarantine": dict(state.quarantine),
            "overrides": state.overrides and {"texts": dict(state.overrides.texts), "at": state.overrides.now_ms},
            "holds": state.holds and dict(state.holds),
            "guard": _guard_facts(state),
            "accounted": accounted,
        }
        self._file.write(codec.pack(facts))


def _overrides(facts: Any) -> Overrides | None:
    """A file of before there were any has none."""
    texts = _texts(facts and facts["texts"])
    return None if texts is None else Overrides(texts, "", int(facts["at"]))


def _texts(facts: Any) -> dict[str, str] | None:
    if facts is None:
        return None
    return _map_of(str, facts)


def _guard_facts(state: State) -> dict[str, Any] | None:
    """The pending guard, and of what it goes back to all that the state itself has not."""
    if state.guard is None:
        return None
    if state.retreat is None:
        return {"fields": state.guard.fields()}
    lacking = state.retreat.blobs.keys() - state.blobs.keys()
    blobs = {digest: state.retreat.blobs[digest] for digest in lacking}
    return {"fields": state.guard.fields(), "release": state.retreat.release.fields(), "blobs": blobs}


def _guard(facts: Any, head: Head, blobs: Mapping[str, bytes]) -> tuple[Guard | None, Retreat | None]:
    guard = guards.parse(_map_of(str, facts["fields"])) if facts else None
    if guard is None or guard.change != head.change:
        return None, None
    if "release" not in facts:
        return guard, None
    release = releases.parse(_map_of(str, facts["release"]))
    known: dict[str, bytes] = {**blobs, **_map_of(bytes, facts["blobs"])}
    return guard, Retreat(release, {digest: known[digest] for digest in release.manifest.sections.values()})


def _map_of(kind: type[T], facts: Any) -> dict[str, T]:
    """`facts`, which map texts to values of that kind. Raises `TypeError` for any others, and `AttributeError`."""
    if not set(map(type, facts)) <= {str} or not set(map(type, facts.values())) <= {kind}:
        raise TypeError
    return dict(facts)
