"""What people put beside the releases, and how: overrides that last a while, approvals that one release uses up."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

from confbus.errors import ConfBusError, InvalidDocument, Malformed, Refused
from confbus.wire import path as paths
from confbus_publisher.ledger import Amendment
from confbus_publisher.overrides.approval import Approval, is_digest
from confbus_publisher.overrides.override import MAX_BYTES, MAX_COUNT, Override, parse
from confbus_publisher.sources.overrides import OverridesSource

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus_publisher.ledger import Store


def put(
    store: Store, path: paths.Path, value: Any, *, by: str, reason: str = "", ttl_s: float | None = None
) -> Override:
    """Override `path` with the frozen `value`, in place of an earlier override of it; publishers look at once.

    Times are those of the store. Raises `InvalidDocument` for a value that no document may hold, or of more than
    64 KB, and `Refused` beside an override of something around or inside the path, or beside too many.
    """
    seen = store.overrides()
    until_ms = None if ttl_s is None else seen.now_ms + round(ttl_s * 1000)
    override = Override(
        path=path, value=value, at_ms=seen.now_ms, until_ms=until_ms, reason=_fit(reason, 500), by=_fit(by, 200)
    )
    size = len(override.text())
    if size > MAX_BYTES:
        advice = "Put it into a source; an override is for a value or two."
        raise InvalidDocument(
            override.name, f"it has {size:,} bytes, an override may have {MAX_BYTES:,}", advice=advice
        )
    _refuse_beside(override, OverridesSource(seen.texts, at_ms=seen.now_ms))
    store.amend(Amendment("overrides", override.name, override.text(), _entry("set", override)))
    return override


def end(store: Store, name: str, *, by: str, reason: str = "") -> str:
    """End the override of that path now; returns its name in the store.

    It stays there, as ended, until a publisher has put out what is below it. One that nobody can read goes at once.
    Raises `ConfBusError` when there is none.
    """
    seen = store.overrides()
    name = _name(name, seen.texts)
    text = seen.texts[name]
    entry = {"action": "unset", "path": name, "author": by, "message": _fit(reason, 500)}
    try:
        override = parse(name, text)
        ended = override.ended(seen.now_ms).text() if override.name == name else None
    except Malformed:
        ended = None
    if not store.amend(Amendment("overrides", name, ended, entry, expected=text)):
        raise Refused(f"somebody else changed the override {name!r} meanwhile", advice="Look again: `confbus status`.")
    return name


def approve(store: Store, digest: str, *, by: str, reason: str) -> Approval:
    """Let the document with that digest go out once, though a gate would block it. Raises `ConfBusError`."""
    if not is_digest(digest):
        advice = "Take the whole line from `confbus status` or `confbus plan`."
        raise ConfBusError(f"{digest!r} is no digest of a document.", advice=advice)
    if not reason.strip():
        raise ConfBusError("An approval needs a reason.", advice="Say why with -m.")
    approval = Approval(digest=digest, reason=_fit(reason, 500), by=_fit(by, 200), at_ms=store.time_ms())
    entry = {"action": "approve", "digest": digest, "author": approval.by, "message": approval.reason}
    store.amend(Amendment("approvals", digest, approval.text(), entry))
    return approval


def _refuse_beside(override: Override, others: OverridesSource) -> None:
    for other in others.in_force:
        shorter, longer = sorted((other.path, override.path), key=len)
        if other.path != override.path and longer[: len(shorter)] == shorter:
            where = "lies inside" if longer == override.path else "lies around"
            advice = f"Set one of both, and end the other: `confbus unset {shlex.quote(other.name)}`."
            raise Refused(f"{override.name} {where} {other.name}, which is overridden already", advice=advice)
    if len(others.in_force) >= MAX_COUNT and override.name not in others.texts:
        raise Refused(f"there are {MAX_COUNT} overrides already", advice="Put them into a source, and end them.")


def _name(name: str, texts: Mapping[str, str]) -> str:
    """The override that is meant, also when its path is written another way."""
    if name in texts:
        return name
    rendered = paths.render(paths.parse(name))
    if rendered in texts:
        return rendered
    there = ", ".join(sorted(texts)[:10])
    raise ConfBusError(f"{name!r} is not overridden.", advice=f"Overridden are: {there}." if there else "Nothing is.")


def _entry(action: str, override: Override) -> dict[str, str]:
    """For the audit trail: who, what, how long and why, but never the value."""
    until = {} if override.until_ms is None else {"until_ms": str(override.until_ms)}
    return {"action": action, "path": override.name, "author": override.by, "message": override.reason, **until}


def _fit(text: str, most: int) -> str:
    """Text of a command line, in which bytes that are no text may be."""
    return text.encode("utf-8", "replace").decode()[:most]
