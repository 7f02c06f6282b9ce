"""`own:`, a source of somebody else, installed under a name."""

from __future__ import annotations

import difflib
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from confbus.errors import InvalidSettings
from confbus.wire.frozen import thaw
from confbus_publisher.layer import deletions
from confbus_publisher.source_settings.kind import Kind
from confbus_publisher.source_settings.terms import read_delete

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from importlib.metadata import EntryPoints
    from pathlib import Path as FilePath

    from confbus.wire.path import Path
    from confbus_publisher.entry import Entry
    from confbus_publisher.sources.config_source import ConfigSource
    from confbus_publisher.sources.own import OwnSource

GROUP = "confbus.sources"
TIMEOUT_S, INTERVAL_S = 10.0, 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSettings:
    """`own:`. `options` are given to the class or the function that is installed as `kind`; `place` is where it says
    so."""

    kind: str
    name: str
    priority: int
    place: str
    timeout_s: float
    interval_s: float
    interpolates: bool
    deletes: frozenset[Path]
    options: Mapping[str, Any] = field(repr=False)

    def build(self) -> OwnSource:
        """The source; its code is loaded now. Raises `InvalidSettings` when that or making it fails."""
        from confbus_publisher.sources.own import OwnSource

        try:
            source = self._source(_installed(self.kind))
        except InvalidSettings:
            raise
        except Exception as error:
            reason = f"the source {self.kind!r} cannot be made: {type(error).__name__}: {error}"
            raise InvalidSettings(self.place, reason, advice="Check its installation and its options.") from error
        source.name, source.priority, source.timeout_s = self.name, self.priority, self.timeout_s
        return OwnSource(source, interpolates=self.interpolates, deletes=self.deletes)

    def _source(self, made_of: object) -> ConfigSource:
        from confbus_publisher.sources.config_source import ConfigSource
        from confbus_publisher.sources.function import function_source

        options = thaw(self.options)
        if isinstance(made_of, type):
            if issubclass(cast("type[object]", made_of), ConfigSource):
                return cast("Callable[..., ConfigSource]", made_of)(**options)
        elif callable(made_of):
            function = partial(cast("Callable[..., dict[str, Any]]", made_of), **options)
            return function_source(function, name=self.name, interval_s=self.interval_s)
        reason = f"{self.kind!r} is neither a ConfigSource nor a function"
        raise InvalidSettings(self.place, reason, advice=f"Mend its entry point in the group {GROUP}.")


def _installed(kind: str) -> object:
    return next(iter(_entry_points().select(name=kind))).load()


def _entry_points() -> EntryPoints:
    from importlib.metadata import entry_points  # Slow to import, and most settings have no such source.

    return entry_points(group=GROUP)


def _read(entry: Entry, _base: FilePath) -> Iterator[OwnSettings]:
    kind = entry.text("own")
    names = sorted(_entry_points().names)
    if kind not in names:
        close = difflib.get_close_matches(kind, names, n=1)
        advice = f"Did you mean {close[0]}?" if close else f"Installed are {', '.join(names) or 'none'}."
        raise entry.refuse(f"no package here has a source {kind!r} in its group {GROUP}", advice, at="own")
    yield OwnSettings(
        kind=kind,
        name=entry.text("name", default=kind),
        priority=entry.whole("priority", default=0),
        place=entry.place("own"),
        timeout_s=entry.seconds("timeout", default=TIMEOUT_S),
        interval_s=entry.seconds("interval", default=INTERVAL_S),
        interpolates=entry.flag("interpolate"),
        deletes=deletions(read_delete(entry)),
        options=entry.inner("options").values,
    )


KINDS = {"own": Kind(("name", "options", "timeout", "interval", "interpolate", "delete"), _read)}
