"""The `sources:` of confbus.yaml: what each entry says, and the source that it becomes. One module for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.source_settings import env, file, http, values, vault
from confbus_publisher.source_settings.kind import Kind, SourceSettings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path as FilePath

    from confbus_publisher.entry import Entry

__all__ = ["SourceSettings", "read_sources"]

_KINDS: dict[str, Kind] = {**file.KINDS, **env.KINDS, **http.KINDS, **values.KINDS, **vault.KINDS}
_LATER_KINDS = ("directory",)
_EVERYWHERE = ("priority",)


def read_sources(entries: Iterable[Entry], *, base: FilePath) -> tuple[SourceSettings, ...]:
    """What the entries say, in their order; relative files start at `base`. Raises `InvalidSettings` with the line."""
    sources: dict[str, SourceSettings] = {}
    for entry in entries:
        for source in _KINDS[_kind(entry)].read(entry, base):
            if source.name in sources:
                reason = f"another source is named {source.name} already"
                raise entry.refuse(reason, "Give one of them a `name:`.")
            sources[source.name] = source
    return tuple(sources.values())


def _kind(entry: Entry) -> str:
    """The one key that says which kind of source it is; all other keys must fit it."""
    kinds = [kind for kind in _KINDS if kind in entry]
    extra = _KINDS[kinds[0]].keys if kinds else {key for kind in _KINDS.values() for key in kind.keys}
    entry.only({*_EVERYWHERE, *extra, *(kinds or _KINDS)}, later=_LATER_KINDS)
    if len(kinds) != 1:
        reason = f"{' and '.join(kinds)} are two sources" if kinds else "this names no source"
        raise entry.refuse(reason, f"Give each source exactly one of {', '.join(_KINDS)}.")
    return kinds[0]
