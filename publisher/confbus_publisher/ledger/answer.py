"""What the answers of scripts and servers mean."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.errors import Conflict, Malformed, Refused
from confbus_publisher.ledger.store import BlobsDiffer, LogMoved, VersionTaken

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus_publisher.ledger.store import Commit

_ON_RIGHTS = "`confbus acl` prints the rights that each role needs, and `confbus acl --check` finds what is missing."


def judge_commit(reply: tuple[str, ...], commit: Commit) -> str:
    """Why the notice of a commit that was carried out was not sent, or the empty text; every other answer is raised."""
    word, *values = reply
    if word == "published":
        return values[1] if len(values) > 1 else ""
    if word == "duplicate":
        return ""
    if word == "conflict":
        expected = f"revision {commit.base.revision}" if commit.base else "no head"
        raise Conflict(expected, f"revision {values[1]} (version {values[2]})" if values[1] else "no head")
    if word in {"blobs", "parent"}:
        raise BlobsDiffer
    if word == "taken":
        raise VersionTaken
    if word in {"type", "denied"}:
        raise refused(word, values)
    raise Malformed("the reply of publish.lua", f"unknown word {word!r}")


def judge_install(word: str, value: str = "") -> None:
    """Nothing for a part of an import that was carried out; every other answer is raised."""
    if word == "exists":
        raise Conflict("no head", f"version {value}")
    if word in {"release", "missing"}:
        raise BlobsDiffer
    if word == "log":
        raise LogMoved
    if word not in {"left", "installed"}:
        raise Malformed("the reply of an import", f"unknown word {word!r}")


def refused(word: str, values: Sequence[str]) -> Refused:
    """What must not be written, as the word `type` or `denied` says it."""
    if word == "type":
        return Refused(
            f"key {values[0]} is a {values[1]}", advice="Something else uses confbus' keys; delete or rename it."
        )
    verb = "publish to" if ":notices:" in values[0] else "write"
    return Refused(f"this user may not {verb} {values[0]}", advice=_ON_RIGHTS)


def refusal(error: Exception) -> Refused:
    """What the server itself refused."""
    text = str(error)
    if "WRONGTYPE" in text:
        return Refused("a key of this namespace has the wrong type", advice="Delete or rename what is in its place.")
    if "ermissions to " in text:
        return Refused(f"NOPERM {text.removeprefix('NOPERM ')}", advice=_ON_RIGHTS)
    return Refused(text, advice="`confbus status` shows what is reachable.")
