"""What secret references may say, how JSON spells them, and where they are in a document.

The value itself is in `frozen.py`: a worker whose configuration has none does without this.
"""

from __future__ import annotations

from confbus.wire.codec import MAX_REFERENCE_BYTES
from confbus.wire.frozen import Reference, is_list, is_mapping

__all__ = ["ADVICE", "KEY", "Reference", "fault_of", "found_in", "spelled"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from confbus.wire import path as paths

KEY = "$secret"
"""The one key of the mapping that means a reference where nothing better can be written: `{"$secret": "env:NAME"}`."""
ADVICE = "Write env:NAME, file:/run/secrets/name or vault:mount/data/path#field."
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGITS = frozenset("0123456789")


def found_in(value: Any, place: paths.Path = ()) -> Iterator[tuple[paths.Path, Reference]]:
    """Each reference in `value`, in lists too, with its place."""
    if is_mapping(value):
        for key, part in value.items():
            yield from found_in(part, (*place, key))
    elif is_list(value):
        for index, part in enumerate(value):
            yield from found_in(part, (*place, index))
    elif isinstance(value, Reference):
        yield place, value


def spelled(value: object) -> Any:
    """What JSON writes for a reference; for `json.dumps(default=…)`. Raises `TypeError` for anything else."""
    if isinstance(value, Reference):
        return {KEY: value.text}
    raise TypeError(f"a {type(value).__name__} is no value of a configuration")


def fault_of(reference: Reference) -> str:
    """Why no worker could resolve it; empty when one could."""
    return _fault(reference.text) or _FAULTS[reference.scheme](reference.name)


def _fault(text: str) -> str:
    scheme, colon, name = text.partition(":")
    if not colon or scheme not in _FAULTS:
        return "its scheme is not known" if colon else "a scheme is missing"
    if not name.strip():
        return f"nothing comes after {scheme}:"
    if not text.isprintable() or text != text.strip():
        return "a space stands at its end, or a character that cannot be seen"
    return (
        ""
        if len(text.encode("utf-8", "replace")) <= MAX_REFERENCE_BYTES
        else f"it has more than {MAX_REFERENCE_BYTES:,} bytes"
    )


def _env_fault(name: str) -> str:
    if not _NAME.issuperset(name) or name[0] in _DIGITS:
        return "a variable has a name of letters, digits and _"
    return ""


def _file_fault(name: str) -> str:
    if not name.startswith("/"):
        return "the path of the file does not begin with /"
    return "the path of the file has a .. in it" if ".." in name.split("/") else ""


def _vault_fault(name: str) -> str:
    path, _, field = name.partition("#")
    steps = path.split("/")
    if not field:
        return "the field of the secret is missing: #password"
    if len(steps) < 2 or not all(steps) or {".", ".."} & set(steps) or not {"?", "%"}.isdisjoint(path):
        return "its path names no secret"
    return ""


_FAULTS = {"env": _env_fault, "file": _file_fault, "vault": _vault_fault}
