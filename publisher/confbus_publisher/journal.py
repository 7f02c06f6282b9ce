"""What a turn did, for whoever looks for a fault: why it was taken, what was new, and how long each stage took."""

from __future__ import annotations

import logging
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confbus_publisher.layer import Layer
from confbus_publisher.shape import Shape

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Sequence

_log = logging.getLogger("confbus.publisher")
STAGES = ("read", "merge", "expand", "encode", "seal", "check", "publish")
"""In the order of a turn. A reload that ends early, or finds nothing new, goes through some of them."""
_MOST_NAMES = 5


class Journal:
    """Notes of one turn after the other; `tell` writes them to the log at debug, and begins anew. For one thread."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._taken_s: dict[str, float] = {}
        self._news: list[str] = []

    @contextmanager
    def stage(self, name: str) -> Generator[None]:
        """Count the time until the end of the block as `name`, one of `STAGES`."""
        started = self._clock()
        try:
            yield
        finally:
            self._taken_s[name] = self._taken_s.get(name, 0.0) + self._clock() - started

    def note(self, before: Sequence[object], now: Sequence[object], *, is_referring: bool) -> None:
        """Note which parts of a load, layers above all, are no longer the very objects of before. Where all are, and it
        `is_referring` to something outside, that is what is new."""
        self._news += _news(before, now) or (["what is referred to"] if is_referring else [])

    def tell(self, woken_by: Iterable[str]) -> None:
        """Say what the turn was, unless nothing woke it and nothing came of it."""
        taken_s, news, woken = self._taken_s, tuple(dict.fromkeys(self._news)), tuple(dict.fromkeys(woken_by))
        self._taken_s, self._news = {}, []
        if not _log.isEnabledFor(logging.DEBUG) or not (woken or news or "publish" in taken_s):
            return
        stages_ms = {name: round(taken_s[name] * 1000, 3) for name in STAGES if name in taken_s}
        _log.debug(
            "turn: woken by %s; new: %s; %s",
            _listed(woken) or "the time",
            _listed(news) or "nothing",
            ", ".join(f"{name} {ms:.1f} ms" for name, ms in stages_ms.items()) or "nothing was read",
            extra={"woken_by": list(woken), "news": list(news), "stages_ms": stages_ms},
        )


def _news(before: Sequence[object], now: Sequence[object]) -> list[str]:
    known, there = set(map(id, before)), {part.source for part in now if isinstance(part, Layer)}
    new = [_name(part) for part in now if part and id(part) not in known]
    gone = [part.source for part in before if isinstance(part, Layer) and part.source not in there]
    return [*new, *(f"{name} is gone" for name in gone)]


def _name(part: object) -> str:
    if isinstance(part, Layer):
        return part.source
    return "the schema" if isinstance(part, Shape) else "the keyring"


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMES])
    return f"{shown} and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else shown
