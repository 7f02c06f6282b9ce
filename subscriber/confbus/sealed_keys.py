"""Which sections are to be sealed, as people name them: a section is one top-level key, so that is what has a name."""

from __future__ import annotations

from confbus.errors import InvalidPath, InvalidSettings
from confbus.wire.path import parse, render
from confbus.wire.sections import ROOT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


def sealed_keys(names: Iterable[str], *, origin: str) -> tuple[str, ...]:
    """The top-level keys, each once. Raises `InvalidSettings` at `origin` for one text in place of several, and as
    `sealed_key`: a name that fits nothing would leave what it means in plain text."""
    if isinstance(names, str):
        raise InvalidSettings(origin, f"{names!r} is one text", advice=f"Give a list: [{names!r}].")
    return tuple(dict.fromkeys(sealed_key(name, origin=origin) for name in names))


def sealed_key(name: str, *, origin: str) -> str:
    """The top-level key that `name`, a path, is. Raises `InvalidSettings` at `origin` for whatever is none."""
    if name == ROOT:
        reason = "top-level values without a mapping cannot be sealed"
        raise InvalidSettings(origin, reason, advice="Move them into a mapping, and seal that.")
    try:
        path = parse(name)
    except InvalidPath as error:
        raise InvalidSettings(origin, f"{name!r} is no path: {error.reason}", advice=error.advice) from None
    key = path[0] if path else None
    if not isinstance(key, str):
        raise InvalidSettings(origin, f"{name!r} is no key", advice="Name top-level keys.")
    if len(path) > 1:
        top = render((key,))
        reason = f"{name} lies inside a section, and only a whole one can be sealed"
        advice = f"Seal {top}, or move the value into a section of its own, beside {top}."
        raise InvalidSettings(origin, reason, advice=advice)
    return key
