"""How much of a fleet is enough: a share such as `95%`, or a number of instances."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from fractions import Fraction

_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)\s*%")
_COUNT = re.compile(r"[0-9]{1,7}")


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
    text = text.strip()
    if share := _SHARE.fullmatch(text):
        found = Fraction(share[1]) / 100
        return Quorum(found) if found <= 1 else None
    return Quorum(count=int(text)) if _COUNT.fullmatch(text) and int(text) else None
