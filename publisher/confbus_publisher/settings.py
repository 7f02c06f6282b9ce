"""confbus.yaml: what a publisher is told about its namespace, its server and its sources."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from confbus.errors import InvalidNamespace, InvalidSettings, SourceFailed
from confbus.wire.frozen import Frozen, FrozenList
from confbus.wire.keys import Keys
from confbus_publisher.entry import Entry
from confbus_publisher.interpolation import interpolate
from confbus_publisher.merge_rules import DEFAULT, Rules, read_rules
from confbus_publisher.source_settings import SourceSettings, read_sources
from confbus_publisher.sources.limits import Unfit
from confbus_publisher.sources.text import decode
from confbus_publisher.sources.yaml import load_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire import path as paths
    from confbus_publisher.origin import Origin
    from confbus_publisher.sources.source import Source

HISTORY, LEAST_HISTORY = 50, 16
DOCUMENT_LIMIT_BYTES = 8 * 1024 * 1024
POLL_INTERVAL_S = 5.0
REPORT_INTERVAL_S = 30.0
LEASE_S = 15.0

_KNOWN = (
    "namespace",
    "redis",
    "sources",
    "history",
    "state",
    "limits",
    "poll_interval",
    "report_interval",
    "lease",
    "merge",
    "replace",
)
_LATER = ("seal", "checks", "guard")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One confbus.yaml. Without `redis` the embedded server is meant. Relative paths start at its directory."""

    path: Path
    namespace: str
    redis: str | None = field(default=None, repr=False)  # A URL may hold a password.
    sources: tuple[SourceSettings, ...] = ()
    rules: Rules = DEFAULT
    history: int = HISTORY
    state: Path
    document_limit_bytes: int = DOCUMENT_LIMIT_BYTES
    poll_interval_s: float = POLL_INTERVAL_S
    report_interval_s: float = REPORT_INTERVAL_S
    lease_s: float = LEASE_S


def load_settings(path: str | os.PathLike[str], *, variables: Mapping[str, str] | None = None) -> Settings:
    """What the file at `path` says; `${…}` in its strings is taken from `variables`, or from the environment.

    Raises `InvalidSettings` with the line for whatever cannot be followed, `InvalidNamespace` for the namespace.
    """
    file = Path(path)
    tree, origins = _read(file)
    tree = _interpolated(tree, (), origins, os.environ if variables is None else variables)
    entry = Entry(tree, (), origins)
    entry.only(_KNOWN, later=_LATER)
    namespace = _namespace(entry)
    limits = entry.inner("limits")
    limits.only(("document",))
    state = entry.text("state", default=f".confbus/state-{quote(namespace, safe='')}")
    return Settings(
        path=file,
        namespace=namespace,
        redis=entry.text("redis") if "redis" in entry else None,
        sources=read_sources(entry.each("sources"), base=file.parent),
        rules=read_rules(entry),
        history=entry.whole("history", default=HISTORY, least=LEAST_HISTORY),
        state=file.parent / state,
        document_limit_bytes=limits.bytes("document", default=DOCUMENT_LIMIT_BYTES),
        poll_interval_s=entry.seconds("poll_interval", default=POLL_INTERVAL_S),
        report_interval_s=entry.seconds("report_interval", default=REPORT_INTERVAL_S),
        lease_s=entry.seconds("lease", default=LEASE_S),
    )


def build_sources(settings: Settings) -> tuple[Source, ...]:
    """The sources in the order of the file; nothing is read yet."""
    return tuple(source.build() for source in settings.sources)


def _read(file: Path) -> tuple[Frozen, Mapping[paths.Path, Origin]]:
    try:
        text = decode(file.read_bytes(), origin_name=str(file))
        return load_yaml(text, origin_name=str(file), within_lists=True)
    except OSError as failure:
        reason = f"unreadable: {failure.strerror or failure}"
        raise InvalidSettings(str(file), reason, advice="Create it, or name another one with -c.") from failure
    except SourceFailed as failure:
        raise InvalidSettings(failure.origin, failure.reason, advice=failure.advice) from None


def _interpolated(
    value: Any, path: paths.Path, origins: Mapping[paths.Path, Origin], variables: Mapping[str, str]
) -> Any:
    if isinstance(value, Frozen):
        return Frozen({key: _interpolated(part, (*path, key), origins, variables) for key, part in value.items()})
    if isinstance(value, FrozenList):
        return FrozenList(_interpolated(part, (*path, at), origins, variables) for at, part in enumerate(value))
    if not isinstance(value, str):
        return value
    try:
        return interpolate(value, variables)
    except Unfit as unfit:
        raise InvalidSettings(str(origins[path]), unfit.reason, advice=unfit.advice) from None


def _namespace(entry: Entry) -> str:
    namespace = entry.text("namespace")
    try:
        return Keys(namespace).namespace
    except InvalidNamespace:
        raise InvalidNamespace(namespace, origin=entry.place("namespace")) from None
