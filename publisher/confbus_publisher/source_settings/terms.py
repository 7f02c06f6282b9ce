"""What entries of several kinds may say beside where their source is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus.errors import InvalidPath
from confbus_publisher.formats.format import FORMATS
from confbus_publisher.layer import deletions

if TYPE_CHECKING:
    from confbus_publisher.entry import Entry

TERMS = ("interpolate", "delete")
_PROFILE = re.compile(r"[A-Za-z0-9_-]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a source's layer takes part: its rank, whether `${…}` in it is expanded, what it deletes below."""

    priority: int = 0
    interpolate: bool = True
    delete: tuple[str, ...] = ()


def read_terms(entry: Entry, *, interpolate: bool) -> Terms:
    """The terms of `entry`; `interpolate` is what its kind does when nothing is said."""
    return Terms(
        priority=entry.whole("priority", default=0),
        interpolate=entry.flag("interpolate", default=interpolate),
        delete=read_delete(entry),
    )


def read_delete(entry: Entry) -> tuple[str, ...]:
    """The paths that `entry` deletes from the layers below. Raises `InvalidSettings` with the line of one that is
    none, or that leads into a list."""
    delete = entry.texts("delete") if "delete" in entry else []
    for index, path in enumerate(delete):
        try:
            deletions([path])
        except InvalidPath as error:
            raise entry.refuse(error.message.rstrip("."), error.advice, at="delete", index=index) from None
    return tuple(delete)


def read_profile(entry: Entry) -> str:
    """The profile that `entry` names, or an empty text."""
    profile = entry.text("profile", default="")
    if profile and not _PROFILE.fullmatch(profile):
        reason = "a profile is a word of letters, digits, - and _"
        raise entry.refuse(reason, "It becomes a part of file names: app.production.yaml.", at="profile")
    return profile


def read_format(entry: Entry) -> str:
    """The format that `entry` names, or an empty text."""
    format_name = entry.text("format", default="")
    if format_name and format_name not in FORMATS:
        raise entry.refuse(f"there is no format {format_name}", f"Use one of {', '.join(FORMATS)}.", at="format")
    return format_name
