"""The head: which release a namespace stands at, and enough of its past to tell progress from data loss."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from confbus.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

PROTOCOL = 1
MAX_LINEAGE = 16
MAX_ANCESTORS = 16

_ID, _NUMBER = r"[0-9a-f]{1,64}", r"(?:0|[1-9][0-9]{0,17})"  # one spelling of a number: Lua compares the texts
_PLACE = f"{_ID}:{_NUMBER}"
_RULES = {
    "epoch": (_ID, "it is no id in hex"),
    "lineage": (
        f"(?:{_PLACE}(?: {_PLACE}){{0,{MAX_LINEAGE - 1}}})?",
        f"it is no list of at most {MAX_LINEAGE} epochs with a revision each",
    ),
    "revision": (_NUMBER, "it is no whole number, or too large"),
    "change": (_ID, "it is no id in hex"),
    "ancestors": (
        f"(?:{_ID}(?: {_ID}){{0,{MAX_ANCESTORS - 1}}})?",
        f"it is no list of at most {MAX_ANCESTORS} ids in hex",
    ),
    "version": (_NUMBER, "it is no whole number, or too large"),
    "digest": (_ID, "it is no id in hex"),
    "merged": (f"(?:{_ID})?", "it is no id in hex"),
    "protocol": (_NUMBER, "it is no whole number, or too large"),
    "readable_by": (_NUMBER, "it is no whole number, or too large"),
}
FIELDS = tuple(_RULES)
_HEAD = re.compile("\n".join(rule for rule, _ in _RULES.values()) + r"\Z")
_ONE_ID = re.compile(rf"{_ID}\Z")
_WHOLE_NUMBER = re.compile(rf"{_NUMBER}\Z")

Place = tuple[str, int]
"""An epoch and a revision of it."""


def new_id() -> str:
    """A random name for an epoch or a change: 64 bits in hex, compared only for equality."""
    return os.urandom(8).hex()


@dataclass(frozen=True, slots=True)
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
    texts = [fields.get(name, "") for name in FIELDS]
    if not _HEAD.match("\n".join(texts)):  # all at once: readers of a new value wait for this
        raise _misfit(fields)
    epoch, lineage, revision, change, ancestors, version, digest, merged, protocol, readable_by = texts
    return Head(
        epoch=epoch,
        lineage=tuple(map(_place, lineage.split())),
        revision=int(revision),
        change=change,
        ancestors=tuple(ancestors.split()),
        version=int(version),
        digest=digest,
        merged=merged,
        protocol=int(protocol),
        readable_by=int(readable_by),
    )


def number(fields: Mapping[str, str], name: str, *, most: int = 10**18) -> int:
    """The whole number in one field of a release."""
    text = fields.get(name, "")
    if not _WHOLE_NUMBER.match(text) or int(text) > most:
        raise Malformed(f"field {name!r}", "it is no whole number, or too large")
    return int(text)


def ids(fields: Mapping[str, str], name: str, most: int) -> tuple[str, ...]:
    """The ids in one field of a release, separated by blanks."""
    found = tuple(fields.get(name, "").split())
    if len(found) > most or not all(map(_ONE_ID.match, found)):
        raise Malformed(f"field {name!r}", f"it is no list of at most {most} ids in hex")
    return found


def _place(text: str) -> Place:
    epoch, _, revision = text.partition(":")
    return epoch, int(revision)


def _misfit(fields: Mapping[str, str]) -> Malformed:
    wrong = ((name, reason) for name, (rule, reason) in _RULES.items() if not re.fullmatch(rule, fields.get(name, "")))
    name, reason = next(wrong)
    return Malformed(f"field {name!r}", reason)
