"""What a function of a text gave before, as `functools.lru_cache` keeps it, for one import less at a worker's start."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

MOST = 4096


class Remembered(dict[str, "Any"]):
    """`remembered[text]` is `function(text)`, worked out once while it is kept: at most 4,096 results are, and then all
    are let go, so that strangers' texts cost no memory. Whatever the function raises is raised, and not kept."""

    __slots__ = ("_function",)

    def __init__(self, function: Callable[[str], Any]) -> None:
        super().__init__()
        self._function = function

    def __missing__(self, text: str) -> Any:
        result = self._function(text)
        if len(self) >= MOST:
            self.clear()
        self[text] = result
        return result
