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

FIELDS = (
    "epoch",
    "lineage",
    "revision",
    "change",
    "ancestors",
    "version",
    "digest",
    "merged",
    "protocol",
    "readable_by",
)
_NUMBER = re.compile(r"(?:0|[1-9][0-9]{0,17})\Z")  # Lua compares the texts
_ID = re.compile(r"[0-9a-f]{1,64}\Z")
_PLACE = re.compile(r"([0-9a-f]{1,64}):([0-9]{1,18})\Z")

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
        return replace(
            self,
            revision=self.revision + 1,
            change=new_id(),
            ancestors=(*self.ancestors, self.change)[-MAX_ANCESTORS:],
            version=version,
            digest=digest,
            merged=merged,
            protocol=PROTOCOL,
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
    return Head(
        epoch=_id(fields, "epoch"),
        lineage=_places(fields, "lineage"),
        revision=number(fields, "revision"),
        change=_id(fields, "change"),
        ancestors=ids(fields, "ancestors", MAX_ANCESTORS),
        version=number(fields, "version"),
        digest=_id(fields, "digest"),
        merged=_id(fields, "merged") if fields.get("merged") else "",
        protocol=number(fields, "protocol"),
        readable_by=number(fields, "readable_by"),
    )


def number(fields: Mapping[str, str], name: str, *, most: int = 10**18) -> int:
    """The whole number in one field of a head or release."""
    text = fields.get(name, "")
    if not _NUMBER.match(text) or int(text) > most:
        raise Malformed(f"field {name!r}", "it is no whole number, or too large")
    return int(text)


def ids(fields: Mapping[str, str], name: str, most: int) -> tuple[str, ...]:
    """The ids in one field of a head or release, separated by blanks."""
    found = tuple(fields.get(name, "").split())
    if len(found) > most or not all(map(_ID.match, found)):
        raise Malformed(f"field {name!r}", f"it is no list of at most {most} ids in hex")
    return found


def _id(fields: Mapping[str, str], name: str) -> str:
    text = fields.get(name, "")
    if not _ID.match(text):
        raise Malformed(f"field {name!r}", "it is no id in hex")
    return text


def _places(fields: Mapping[str, str], name: str) -> tuple[Place, ...]:
    texts = fields.get(name, "").split()
    found = [match for text in texts if (match := _PLACE.match(text))]
    if len(texts) > MAX_LINEAGE or len(found) < len(texts):
        raise Malformed(f"field {name!r}", f"it is no list of at most {MAX_LINEAGE} epochs with a revision each")
    return tuple((match[1], int(match[2])) for match in found)
