"""What any document may hold: the JSON data model, bounded, whatever the source spells it in."""

from __future__ import annotations

import math

DEPTH = 100
MOST_DIGITS = 100
NODES = 1_000_000
FILE_BYTES = 32 * 1024 * 1024
VALUE_BYTES = 1024 * 1024
MOST_FILES = 1000

_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


class Unfit(ValueError):
    """A value that no document can hold. Whoever knows where it stands turns this into an error for people."""

    def __init__(self, reason: str, advice: str = "") -> None:
        self.reason = reason
        self.advice = advice
        super().__init__(reason)


def fit_int(number: int) -> int:
    """`number`, when 64 bits hold it. Raises `Unfit`."""
    if _SMALLEST <= number <= _LARGEST:
        return number
    raise too_long()


def read_int(digits: str, *, base: int = 10) -> int:
    """The number that `digits` spell, when 64 bits hold it. Raises `Unfit`."""
    if len(digits) > MOST_DIGITS:  # Python itself refuses thousands of them, with an error of its own.
        raise too_long()
    return fit_int(int(digits, base))


def fit_float(number: float) -> float:
    """`number`, when it is finite. Raises `Unfit`."""
    if math.isfinite(number):
        return number
    raise Unfit("NaN and infinity are no configuration values", "Use a finite number, or null.")


def fit_text(text: str) -> str:
    """`text`, when UTF-8 can spell it. Raises `Unfit`."""
    try:
        text.encode()
    except UnicodeEncodeError:
        reason = "half a character stands in the text"
        raise Unfit(reason, "Write both halves, or the character itself.") from None
    return text


def too_deep() -> Unfit:
    return Unfit(f"nested deeper than {DEPTH} levels", "Flatten it.")


def too_large(nodes: int) -> Unfit:
    reason = f"more than {nodes:,} values, counting each use of an alias"
    return Unfit(reason, "Split it, or use fewer aliases.")


def too_many() -> Unfit:
    return Unfit(f"more than {NODES:,} values", "Split it; a configuration is small.")


def too_much_text() -> Unfit:
    reason = f"more than {FILE_BYTES // 1024**2} Mi characters, counting each use of an alias"
    return Unfit(reason, "Split it, or use fewer aliases.")


def too_long() -> Unfit:
    return Unfit("the number does not fit in 64 bits", "Quote it to make it a string.")
