"""A release: a version number, its manifest, and who published it, when, why and from what."""

from __future__ import annotations

from confbus.errors import Malformed
from confbus.wire.head import ids, number
from confbus.wire.manifest import Manifest
from confbus.wire.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_AT_MS = 253_402_300_799_999
"""The last millisecond of the year 9999: what comes after has no date."""

MAX_LAYERS = 1000

_SECTION = "section:"


@record(frozen=True, slots=True)
class Release:
    """One immutable release.

    `parent` is the version it replaced (0: none); `of` is the version whose content it is: itself, or an older one
    after a rollback. `at_ms` is Unix time by the server's clock, for people; `size` is in bytes. `origins` are the
    digests of the blobs that tell where its values were written, one for each layer of the merge, the lowest first.
    `same_as` is the digest that its content had under the key that sealed it before; empty when it is as it first was.
    """

    version: int
    parent: int
    of: int
    manifest: Manifest
    author: str = ""
    message: str = ""
    at_ms: int = 0
    size: int = 0
    origins: tuple[str, ...] = ()
    same_as: str = ""

    @property
    def digest(self) -> str:
        return self.manifest.digest

    @property
    def content(self) -> str:
        """What tells its content from others, also when that was sealed again: the digest that it first had."""
        return self.same_as or self.digest

    def fields(self) -> dict[str, str]:
        """What Redis keeps, readable as it is."""
        return {**self.notes(), **section_fields(self.manifest.sections)}

    def notes(self) -> dict[str, str]:
        """All fields but the sections."""
        return {
            "version": str(self.version),
            "parent": str(self.parent),
            "of": str(self.of),
            "digest": self.digest,
            "author": self.author,
            "message": self.message,
            "at": str(self.at_ms),
            "bytes": str(self.size),
            "origins": " ".join(self.origins),
            "same_as": self.same_as,
        }


def section_fields(sections: Mapping[str, str]) -> dict[str, str]:
    """Sections as the fields of a release."""
    return {_SECTION + name: blob for name, blob in sections.items()}


def parse(fields: Mapping[str, str]) -> Release:
    """The release in `fields`. Raises `Malformed`, also when the sections do not have the digest they claim."""
    manifest = Manifest({name[len(_SECTION) :]: blob for name, blob in fields.items() if name.startswith(_SECTION)})
    if fields.get("digest", "") != manifest.digest:
        raise Malformed("a release", "its sections do not have its digest")
    return Release(
        version=number(fields, "version"),
        parent=number(fields, "parent"),
        of=number(fields, "of"),
        manifest=manifest,
        author=fields.get("author", ""),
        message=fields.get("message", ""),
        at_ms=number(fields, "at", most=MAX_AT_MS),
        size=number(fields, "bytes"),
        origins=ids(fields, "origins", MAX_LAYERS),
        same_as=fields.get("same_as", "")[:64],
    )
