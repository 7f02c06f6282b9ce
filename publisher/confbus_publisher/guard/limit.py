"""How many live instances may refuse a release before it is rolled back: a number, or a share of them."""

from __future__ import annotations

import re
from dataclasses import dataclass

_LIMIT = re.compile(r"([0-9]{1,6})|([0-9]{1,3}(?:\.[0-9]{1,3})?)\s*%")
_ALL = 100.0


@dataclass(frozen=True, slots=True)
class Limit:
    """`most` instances, or with `is_share` so many of each hundred."""

    most: float = 0.0
    is_share: bool = False

    def is_passed_by(self, vetoes: int, *, live: int) -> bool:
        """Whether so many vetoes of so many live instances are too many."""
        return vetoes > (live * self.most / _ALL if self.is_share else self.most)

    def __str__(self) -> str:
        return f"{self.most:g}{'%' if self.is_share else ''}"


NONE = Limit()


def parse_limit(text: str) -> Limit | None:
    """What `3` or `5%` means, or None for what is no limit."""
    found = _LIMIT.fullmatch(text.strip())
    if found is None:
        return None
    number, share = found.groups()
    if number is not None:
        return Limit(float(number))
    return Limit(float(share), is_share=True) if float(share) <= _ALL else None
