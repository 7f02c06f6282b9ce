"""How people write a part of a fleet: a share such as `95%`, or a number of instances."""

from __future__ import annotations

import re
from fractions import Fraction

_SHARE = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)\s*%")
_COUNT = re.compile(r"[0-9]{1,6}")


def parse_portion(text: str) -> int | Fraction | None:
    """What `text` means: so many instances, or a share of all from 0 to 1; None when it means neither."""
    text = text.strip()
    if found := _SHARE.fullmatch(text):
        share = Fraction(found[1]) / 100
        return share if share <= 1 else None
    return int(text) if _COUNT.fullmatch(text) else None
