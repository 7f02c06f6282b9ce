"""`seal:` in confbus.yaml: which sections are sealed. A section is one top-level key, so that is what can be named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import InvalidPath
from confbus.wire.path import parse, render
from confbus.wire.sections import ROOT

if TYPE_CHECKING:
    from confbus_publisher.entry import Entry

KEYS = "CONFBUS_KEYS"
"""The variable that names the keyring where confbus.yaml does not."""
DEFAULT_KEYS = ".confbus/keys"


def read_seal(entry: Entry) -> tuple[str, ...]:
    """The top-level keys under `seal`. Raises `InvalidSettings` with the line for whatever is none."""
    names = entry.texts("seal") if "seal" in entry else []
    return tuple(dict.fromkeys(_key(entry, name, index) for index, name in enumerate(names)))


def _key(entry: Entry, name: str, index: int) -> str:
    if name == ROOT:
        advice = "Move them into a mapping, and seal that."
        raise entry.refuse("top-level values without a mapping cannot be sealed", advice, at="seal", index=index)
    try:
        path = parse(name)
    except InvalidPath as error:
        raise entry.refuse(f"{name!r} is no path: {error.reason}", error.advice, at="seal", index=index) from None
    key = path[0]
    if not isinstance(key, str):
        raise entry.refuse(f"{name} is no key", "Name top-level keys.", at="seal", index=index)
    if len(path) > 1:
        reason = f"{name} lies inside a section, and only a whole one can be sealed"
        top = render((key,))
        advice = f"Seal {top}, or move the value into a section of its own, beside {top}."
        raise entry.refuse(reason, advice, at="seal", index=index)
    return key
