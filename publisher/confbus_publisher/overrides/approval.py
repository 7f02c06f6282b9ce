"""A leave that a person gives beforehand: the document with this digest may go out though a gate would block it.

It is used once: the release with that digest takes it away in the same commit.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus.errors import SourceFailed
from confbus.wire.release import MAX_AT_MS
from confbus_publisher.formats.json import read_json

if TYPE_CHECKING:
    from collections.abc import Mapping

_DIGEST = re.compile(r"[0-9a-f]{64}")
MAX_BYTES = 16 * 1024
"""Of one approval's text: 500 characters for the reason, 200 for the name, and JSON may take twelve for each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who approved the document with `digest`, why, and when by the server's clock."""

    digest: str
    reason: str
    by: str
    at_ms: int

    def text(self) -> str:
        """What the store keeps, as JSON."""
        return json.dumps({"reason": self.reason, "by": self.by, "at_ms": self.at_ms}, separators=(",", ":"))


def is_digest(text: str) -> bool:
    """Whether it is the digest of a document."""
    return bool(_DIGEST.fullmatch(text))


def parse_all(texts: Mapping[str, str]) -> list[Approval]:
    """The approvals that the store keeps, by digest. What says neither who nor why is none."""
    found = (_parse(digest, text) for digest, text in sorted(texts.items()))
    return [approval for approval in found if approval]


def approved(texts: Mapping[str, str]) -> frozenset[str]:
    """The digests of the documents that may go out."""
    return frozenset(approval.digest for approval in parse_all(texts))


def _parse(digest: str, text: str) -> Approval | None:
    if len(text) > MAX_BYTES:
        return None
    try:
        facts = read_json(text, origin_name="")
        reason, by, at_ms = facts["reason"], facts["by"], facts["at_ms"]
    except (SourceFailed, KeyError, TypeError):
        return None
    if not (is_digest(digest) and reason and by and isinstance(reason, str) and isinstance(by, str)):
        return None
    if type(at_ms) is not int or not 0 <= at_ms <= MAX_AT_MS:
        return None
    return Approval(digest=digest, reason=reason[:500], by=by[:200], at_ms=at_ms)
