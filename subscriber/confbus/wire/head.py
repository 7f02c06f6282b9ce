"""The head: which release a namespace stands at, and enough of its past to tell progress from data loss."""

from __future__ import annotations

import os

from confbus.errors import Malformed
from confbus.wire.record import record, replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PROTOCOL = 1
MAX_LINEAGE = 16
MAX_ANCESTORS = 16

_HEX, _DIGITS = "0123456789abcdef", "0123456789"
_MAX_ID, _MAX_NUMBER = 64, 18

Place = tuple[str, int]
"""An epoch and a revision of it."""


def new_id() -> str:
    """A random name for an epoch or a change: 64 bits in hex, compared only for equality."""
    return os.urandom(8).hex()


@record(frozen=True, slots=True)
class Head:
    """One state of the head.

    `revision` counts every change of the head, on across epochs; `version` counts releases. `lineage` holds the epochs
    this one was anchored from, each with the last revision that was known of it; `ancestors` the last change ids,
    oldest first. `merged` is the digest of the last merge that an active publisher published or had refused; it is
    empty when the next merge shall go out whatever it is.
    """

    epoch: str
    lineage: tuple[Place, ...]
    revision: int
    change: str
    ancestors: tuple[str, ...]
    version: int
    digest: str
    merged: str = ""
    protocol: int = PROTOCOL
    readable_by: int = PROTOCOL

    def next(self, *, version: int, digest: str, merged: str) -> Head:
        """The head after one more change in the same epoch."""
        return Head(
            epoch=self.epoch,
            lineage=self.lineage,
            revision=self.revision + 1,
            change=new_id(),
            ancestors=(*self.ancestors, self.change)[-MAX_ANCESTORS:],
            version=version,
            digest=digest,
            merged=merged,
            readable_by=self.readable_by,
        )

    def anchored(self, *, revision: int, version: int, above: Iterable[Place] = ()) -> Head:
        """The content of this head at the start of a new epoch that descends from it and from the places `above`."""
        known: dict[str, int] = {}
        for epoch, last in (*self.lineage, *above, (self.epoch, self.revision)):
            known[epoch] = max(last, known.pop(epoch, 0))
        lineage = tuple(known.items())[-MAX_LINEAGE:]
        return replace(
            self,
            epoch=new_id(),
            lineage=lineage,
            revision=revision,
            change=new_id(),
            ancestors=(),
            version=version,
            protocol=PROTOCOL,
        )

    def fields(self) -> dict[str, str]:
        """What Redis keeps, readable as it is."""
        return {
            "epoch": self.epoch,
            "lineage": " ".join(f"{epoch}:{revision}" for epoch, revision in self.lineage),
            "revision": str(self.revision),
            "change": self.change,
            "ancestors": " ".join(self.ancestors),
            "version": str(self.version),
            "digest": self.digest,
            "merged": self.merged,
            "protocol": str(self.protocol),
            "readable_by": str(self.readable_by),
        }


def first(*, version: int, digest: str, merged: str) -> Head:
    """The head of a namespace that never had one."""
    return Head(new_id(), (), 1, new_id(), (), version, digest, merged)


def parse(fields: Mapping[str, str]) -> Head:
    """The head in `fields`. Raises `Malformed` naming the field that is missing or wrong."""
    for name, (is_right, reason) in _RULES.items():
        if not is_right(fields.get(name, "")):
            raise Malformed(f"field {name!r}", reason)
    return Head(
        epoch=fields["epoch"],
        lineage=tuple(map(_place, fields.get("lineage", "").split())),
        revision=int(fields["revision"]),
        change=fields["change"],
        ancestors=tuple(fields.get("ancestors", "").split()),
        version=int(fields["version"]),
        digest=fields["digest"],
        merged=fields.get("merged", ""),
        protocol=int(fields["protocol"]),
        readable_by=int(fields["readable_by"]),
    )


def number(fields: Mapping[str, str], name: str, *, most: int = 10**18) -> int:
    """The whole number in one field of a release."""
    text = fields.get(name, "")
    if not _is_number(text) or int(text) > most:
        raise Malformed(f"field {name!r}", "it is no whole number, or too large")
    return int(text)


def ids(fields: Mapping[str, str], name: str, most: int) -> tuple[str, ...]:
    """The ids in one field of a release, separated by blanks."""
    text = fields.get(name, "")
    found = tuple(text.split(" ")) if 0 < len(text) <= most * (_MAX_ID + 1) else ()
    if len(found) > most or bool(text) != bool(found) or not all(map(_is_id, found)):
        raise Malformed(f"field {name!r}", f"it is no list of at most {most} ids in hex")
    return found


# Each looks at the type first, since notices may hold anything; `strip` leaves nothing of a text of those characters.


def _is_id(text: object) -> bool:
    return isinstance(text, str) and 0 < len(text) <= _MAX_ID and not text.strip(_HEX)


def _is_id_or_empty(text: object) -> bool:
    return text == "" or _is_id(text)


def _is_number(text: object) -> bool:
    """True for the one spelling of a number: Lua compares the texts."""
    if not isinstance(text, str) or not 0 < len(text) <= _MAX_NUMBER or text.strip(_DIGITS):
        return False
    return text == "0" or text[0] != "0"


def _is_ancestors(text: object) -> bool:
    if not isinstance(text, str) or len(text) > MAX_ANCESTORS * (_MAX_ID + 1):
        return False
    parts = text.split(" ") if text else []
    return len(parts) <= MAX_ANCESTORS and all(map(_is_id, parts))


def _is_lineage(text: object) -> bool:
    if not isinstance(text, str) or len(text) > MAX_LINEAGE * (_MAX_ID + 1 + _MAX_NUMBER + 1):
        return False
    parts = [part.partition(":") for part in text.split(" ")] if text else []
    return len(parts) <= MAX_LINEAGE and all(_is_id(epoch) and _is_number(revision) for epoch, _, revision in parts)


def _place(text: str) -> Place:
    epoch, _, revision = text.partition(":")
    return epoch, int(revision)


_NO_ID, _NO_NUMBER = "it is no id in hex", "it is no whole number, or too large"
_RULES: Mapping[str, tuple[Callable[[object], bool], str]] = {
    "epoch": (_is_id, _NO_ID),
    "lineage": (_is_lineage, f"it is no list of at most {MAX_LINEAGE} epochs with a revision each"),
    "revision": (_is_number, _NO_NUMBER),
    "change": (_is_id, _NO_ID),
    "ancestors": (_is_ancestors, f"it is no list of at most {MAX_ANCESTORS} ids in hex"),
    "version": (_is_number, _NO_NUMBER),
    "digest": (_is_id, _NO_ID),
    "merged": (_is_id_or_empty, _NO_ID),
    "protocol": (_is_number, _NO_NUMBER),
    "readable_by": (_is_number, _NO_NUMBER),
}
FIELDS = tuple(_RULES)
