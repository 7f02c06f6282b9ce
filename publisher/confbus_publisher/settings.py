"""confbus.yaml: what a publisher is told about its namespace, its server and its sources."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from confbus.address import with_password_file
from confbus.errors import InvalidNamespace, InvalidSettings, SourceFailed
from confbus.wire.frozen import Frozen, FrozenList
from confbus.wire.keys import Keys
from confbus_publisher.check_settings import CheckSettings, read_checks
from confbus_publisher.entry import Entry
from confbus_publisher.expansion.file_roots import FileRoots
from confbus_publisher.expansion.interpolation import interpolate
from confbus_publisher.formats.limits import FILE_BYTES, Unfit
from confbus_publisher.formats.text import decode
from confbus_publisher.formats.yaml import load_yaml
from confbus_publisher.guard_settings import GuardSettings, read_guard
from confbus_publisher.http_settings import read_http
from confbus_publisher.merge_rules import DEFAULT, Rules, read_rules
from confbus_publisher.seal_settings import DEFAULT_KEYS, KEYS, read_seal
from confbus_publisher.source_settings import SourceSettings, read_sources
from confbus_publisher.source_settings.terms import read_profile
from confbus_publisher.sources.value_file import SECRETS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus.wire import path as paths
    from confbus_publisher.origin import Origin
    from confbus_publisher.serving.listen import Listen
    from confbus_publisher.sources.source import AnySource

HISTORY, LEAST_HISTORY = 50, 16
DOCUMENT_LIMIT_BYTES = 8 * 1024 * 1024
POLL_INTERVAL_S = 5.0
REPORT_INTERVAL_S = 30.0
LEASE_S, SHORTEST_LEASE_S, LONGEST_LEASE_S = 15.0, 0.5, 3600.0

_KNOWN = (
    "namespace",
    "redis",
    "password_file",
    "sources",
    "profile",
    "checks",
    "history",
    "state",
    "limits",
    "poll_interval",
    "report_interval",
    "lease",
    "merge",
    "replace",
    "file_roots",
    "seal",
    "keys",
    "guard",
    "http",
)
_IN_SOURCE = 3  # sources, the index, the key


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """One confbus.yaml. Without `redis` the embedded server is meant. Relative paths start at its directory.

    Without `watch`, the sources are read once.
    """

    path: Path
    namespace: str
    redis: str | None = field(default=None, repr=False)  # A URL may hold a password.
    sources: tuple[SourceSettings, ...] = ()
    rules: Rules = DEFAULT
    checks: CheckSettings
    guard: GuardSettings
    history: int = HISTORY
    state: Path
    document_limit_bytes: int = DOCUMENT_LIMIT_BYTES
    poll_interval_s: float = POLL_INTERVAL_S
    report_interval_s: float = REPORT_INTERVAL_S
    lease_s: float = LEASE_S
    file_roots: tuple[Path, ...] = (SECRETS,)
    seal: tuple[str, ...] = ()
    keys: Path
    listen: Listen | None = None
    watch: bool = True

    def guarded(self, for_s: float) -> Settings:
        """The same, but releases are watched for so long; 0: not at all."""
        return replace(self, guard=replace(self.guard, for_s=for_s or None))

    def files(self) -> FileRoots:
        """The files that `${file:…}` may read; relative names start at the directory of confbus.yaml."""
        return FileRoots(self.file_roots, base=self.path.parent)


def load_settings(path: str | os.PathLike[str], *, variables: Mapping[str, str] | None = None) -> Settings:
    """What the file at `path` says; `${…}` in its strings is taken from `variables`, or from the environment, and from
    files below its `file_roots`. The `values:` of sources are left as they are: they are expanded after the merge.

    Raises `InvalidSettings` with the line for whatever cannot be followed, `InvalidNamespace` for the namespace.
    """
    file = Path(path)
    tree, origins = _read(file)
    return read_settings(file, tree, origins, variables=os.environ if variables is None else variables)


def read_settings(
    file: Path, tree: Frozen, origins: Mapping[paths.Path, Origin], *, variables: Mapping[str, str]
) -> Settings:
    """What `tree` says, as if it stood in `file`. Raises as `load_settings`, with the place in `origins`."""
    scope = _Scope(origins, variables)
    roots = _file_roots(tree, scope, base=file.parent)
    tree = _Scope(origins, variables, FileRoots(roots, base=file.parent).read).interpolated(tree, ())
    entry = Entry(tree, (), origins)
    entry.only(_KNOWN)
    namespace = _namespace(entry)
    limits = entry.inner("limits")
    limits.only(("document",))
    state = entry.text("state", default=f".confbus/state-{quote(namespace, safe='')}")
    return Settings(
        path=file,
        namespace=namespace,
        redis=_redis(entry, base=file.parent),
        sources=read_sources(entry.each("sources"), base=file.parent, profile=read_profile(entry)),
        rules=read_rules(entry),
        checks=read_checks(entry.inner("checks"), base=file.parent),
        guard=read_guard(entry, base=file.parent),
        history=entry.whole("history", default=HISTORY, least=LEAST_HISTORY),
        state=file.parent / state,
        document_limit_bytes=limits.bytes("document", default=DOCUMENT_LIMIT_BYTES),
        poll_interval_s=entry.seconds("poll_interval", default=POLL_INTERVAL_S),
        report_interval_s=entry.seconds("report_interval", default=REPORT_INTERVAL_S),
        lease_s=entry.seconds("lease", default=LEASE_S, least=SHORTEST_LEASE_S, most=LONGEST_LEASE_S),
        file_roots=roots,
        seal=read_seal(entry),
        listen=read_http(entry),
        keys=file.parent / entry.text("keys", default=variables.get(KEYS) or DEFAULT_KEYS),
    )


def build_sources(settings: Settings) -> tuple[AnySource, ...]:
    """The sources in the order of the file; nothing is read yet."""
    return tuple(source.build() for source in settings.sources)


def _read(file: Path) -> tuple[Frozen, Mapping[paths.Path, Origin]]:
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES + 1)
        if len(content) > FILE_BYTES:
            raise InvalidSettings(str(file), f"larger than {FILE_BYTES // 1024**2} MiB", advice="Is it the right file?")
        text = decode(content, origin_name=str(file))
        return load_yaml(text, origin_name=str(file), within_lists=True)
    except OSError as failure:
        reason = f"unreadable: {failure.strerror or failure}"
        raise InvalidSettings(str(file), reason, advice="`confbus init` writes one; or name it with -c.") from failure
    except SourceFailed as failure:
        raise InvalidSettings(failure.origin, failure.reason, advice=failure.advice) from None


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the references in confbus.yaml itself may stand for."""

    origins: Mapping[paths.Path, Origin]
    variables: Mapping[str, str] = field(repr=False)
    read_file: Callable[[str], str] | None = None

    def interpolated(self, value: Any, path: paths.Path) -> Any:
        """`value` with its references put in, but for what `values:` of a source holds. Raises `InvalidSettings`."""
        if len(path) == _IN_SOURCE and path[0] == "sources" and path[-1] == "values":
            return value
        if isinstance(value, Frozen):
            return Frozen({key: self.interpolated(part, (*path, key)) for key, part in value.items()})
        if isinstance(value, FrozenList):
            return FrozenList(self.interpolated(part, (*path, at)) for at, part in enumerate(value))
        if not isinstance(value, str):
            return value
        try:
            return interpolate(value, self.variables, self.read_file)
        except Unfit as unfit:
            raise InvalidSettings(str(self.origins[path]), unfit.reason, advice=unfit.advice) from None


def _redis(entry: Entry, *, base: Path) -> str | None:
    """The URL of the server, with the file that has its password."""
    url = entry.text("redis") if "redis" in entry else None
    if "password_file" not in entry:
        return url
    if url is None:
        raise entry.refuse("password_file has no server", "Name it with `redis:`.", at="password_file")
    return with_password_file(url, str((base / entry.text("password_file")).absolute()))


def _file_roots(tree: Frozen, scope: _Scope, *, base: Path) -> tuple[Path, ...]:
    """Read before all else: the rest may name files below them."""
    if "file_roots" not in tree:
        return (SECRETS, base)
    roots = scope.interpolated(tree["file_roots"], ("file_roots",))
    entry = Entry(Frozen({"file_roots": roots}), (), scope.origins)
    return tuple(base / root for root in entry.texts("file_roots"))


def _namespace(entry: Entry) -> str:
    namespace = entry.text("namespace")
    try:
        return Keys(namespace).namespace
    except InvalidNamespace:
        raise InvalidNamespace(namespace, origin=entry.place("namespace")) from None
