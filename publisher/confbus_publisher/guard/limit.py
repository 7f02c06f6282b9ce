"""How many live instances may refuse a release before it is rolled back: a number, or a share of them."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from confbus_publisher.portion import parse_portion

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
    found = parse_portion(text)
    if isinstance(found, Fraction):
        return Limit(float(found * 100), is_share=True)
    return None if found is None else Limit(float(found))
