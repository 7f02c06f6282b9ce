"""A secret reference: a value that says where a secret is, in place of the secret.

It travels over the bus as it was written; each worker puts in what it finds there. So what Redis, disks and backups
hold of a secret is its address.
"""

from __future__ import annotations

from confbus.wire.frozen import Frozen, is_list, is_mapping
from confbus.wire.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from confbus.wire import path as paths

MAX_BYTES = 1024
KEY = "$secret"
"""The one key of the mapping that means a reference where nothing better can be written: `{"$secret": "env:NAME"}`."""
ADVICE = "Write env:NAME, file:/run/secrets/name or vault:mount/data/path#field."
_NAME = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_")
_DIGITS = frozenset("0123456789")


@record(frozen=True, slots=True)
class Reference:
    """`scheme:name`, such as `env:DB_PASSWORD`. Nothing that it holds is secret, so it may be shown."""

    text: str

    @property
    def scheme(self) -> str:
        return self.text.partition(":")[0]

    @property
    def name(self) -> str:
        """What comes after the scheme."""
        return self.text.partition(":")[2]

    @property
    def fault(self) -> str:
        """Why no worker could resolve it; empty when one could."""
        fault = _fault(self.text)
        return fault or _FAULTS[self.scheme](self.name)

    def __repr__(self) -> str:
        return f"!secret {self.text}"


class Referring(Frozen):
    """A mapping that holds references, at any depth: `references` has each of them by its place in here."""

    __slots__ = ("references",)

    references: dict[paths.Path, Reference]

    def __reduce__(self) -> Any:
        return (_referring, (dict(self), self.references))


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


def _referring(values: dict[str, Any], references: dict[paths.Path, Reference]) -> Referring:
    mapping = Referring(values)
    mapping.references = references
    return mapping


def referring(value: Frozen) -> Frozen:
    """`value`, with its references listed when it has some."""
    references = dict(found_in(value))
    return _referring(value, references) if references else value


def _fault(text: str) -> str:
    scheme, colon, name = text.partition(":")
    if not colon or scheme not in _FAULTS:
        return "its scheme is not known" if colon else "a scheme is missing"
    if not name.strip():
        return f"nothing comes after {scheme}:"
    if not text.isprintable() or text != text.strip():
        return "a space stands at its end, or a character that cannot be seen"
    return "" if len(text.encode("utf-8", "replace")) <= MAX_BYTES else f"it has more than {MAX_BYTES:,} bytes"


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
