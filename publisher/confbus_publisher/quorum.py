"""How much of a fleet is enough: a share such as `95%`, or a number of instances."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction

from confbus_publisher.portion import parse_portion


@dataclass(frozen=True, slots=True)
class Quorum:
    """`share` of the instances, or `count` of them where that is given."""

    share: Fraction = Fraction(1)
    count: int | None = None

    def needed(self, expected: int) -> int:
        """How many of the `expected` instances make it; a part of one counts as one."""
        return math.ceil(self.share * expected) if self.count is None else self.count

    def __str__(self) -> str:
        return f"{float(self.share * 100):g}%" if self.count is None else str(self.count)


ALL = Quorum()


def parse_quorum(text: str) -> Quorum | None:
    """The quorum that `text` means, or None when it means none: a share of 0 to 100 %, or a number from 1."""
    found = parse_portion(text)
    if isinstance(found, Fraction):
        return Quorum(found)
    return Quorum(count=found) if found else None
