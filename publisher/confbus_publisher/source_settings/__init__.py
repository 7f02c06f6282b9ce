"""The `sources:` of confbus.yaml: what each entry says, and the source that it becomes. One module for each kind."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.source_settings import directory, env, file, http, own, secrets, values, vault
from confbus_publisher.source_settings.kind import Kind, SourceSettings

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path as FilePath

    from confbus_publisher.entry import Entry

__all__ = ["SourceSettings", "read_sources"]

_KINDS: dict[str, Kind] = {
    **file.KINDS,
    **directory.KINDS,
    **secrets.KINDS,
    **env.KINDS,
    **http.KINDS,
    **vault.KINDS,
    **own.KINDS,
    **values.KINDS,
}
_EVERYWHERE = ("priority",)


def read_sources(entries: Iterable[Entry], *, base: FilePath, profile: str = "") -> tuple[SourceSettings, ...]:
    """What the entries say, in their order; relative files start at `base`. Raises `InvalidSettings` with the line.

    `profile` is for the entries that may have one and name none.
    """
    sources: dict[str, SourceSettings] = {}
    for entry in entries:
        kind = _KINDS[_kind(entry)]
        filled = entry.filled("profile", profile) if profile and "profile" in kind.keys else entry
        for source in kind.read(filled, base):
            if source.name in sources:
                reason = f"another source is named {source.name} already"
                raise entry.refuse(reason, "Give one of them a `name:`.")
            sources[source.name] = source
    return tuple(sources.values())


def _kind(entry: Entry) -> str:
    """The one key that says which kind of source it is; all other keys must fit it."""
    kinds = [kind for kind in _KINDS if kind in entry]
    extra = _KINDS[kinds[0]].keys if kinds else {key for kind in _KINDS.values() for key in kind.keys}
    entry.only({*_EVERYWHERE, *extra, *(kinds or _KINDS)})
    if len(kinds) != 1:
        reason = f"{' and '.join(kinds)} are two sources" if kinds else "this names no source"
        raise entry.refuse(reason, f"Give each source exactly one of {', '.join(_KINDS)}.")
    return kinds[0]
