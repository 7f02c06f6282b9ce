"""How large a document becomes in which the same object may stand many times."""

from __future__ import annotations

from typing import Any

from confbus.wire.frozen import is_list, is_mapping
from confbus_publisher.formats.limits import DEPTH, FILE_BYTES, Unfit, too_deep

_VALUE_BYTES = 8


class Measure:
    """Counts what references bring in: eight bytes for each value, and the characters of the strings.

    An object that stands in several places counts each time, but is looked through once.
    """

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, int, int]] = {}  # With the object, so that its id stays its own.
        self._left = FILE_BYTES

    def spend(self, value: Any, *, depth: int) -> None:
        """Count `value`, which comes to stand at `depth`. Raises `Unfit` when all together is too much, or too deep."""
        size, height = self._of(value)
        if depth + height > DEPTH:
            raise too_deep()
        if size > self._left:
            reason = f"references bring in more than {FILE_BYTES // 1024**2} MiB"
            raise Unfit(reason, "Refer to less; a configuration is small.")
        self._left -= size

    def _of(self, value: Any) -> tuple[int, int]:
        """The size, and how many levels of mappings and lists there are."""
        if isinstance(value, str):
            return _VALUE_BYTES + len(value), 0
        if not is_mapping(value) and not is_list(value):
            return _VALUE_BYTES, 0
        known = self._known.get(id(value))
        if known is None:
            inner = [self._of(part) for part in (value.values() if is_mapping(value) else value)]
            size = _VALUE_BYTES + sum(size for size, _ in inner)
            known = (value, size, 1 + max((height for _, height in inner), default=0))
            self._known[id(value)] = known
        return known[1:]
