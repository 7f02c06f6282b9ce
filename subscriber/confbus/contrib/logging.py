"""Levels of loggers that follow the configuration: turn one up while you look for something, and down again."""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING, Any

from confbus.errors import ChecksFailed
from confbus.wire.frozen import is_mapping
from confbus.wire.path import leaves, parse

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus.subscriber import Subscriber
    from confbus.wire.snapshot import Snapshot

ROOT = "root"


def follow_levels(config: Subscriber, section: str = "logging") -> Callable[[], None]:
    """Set the levels in `section` now and after each release: `{root: INFO, shop.db: DEBUG}`, flat or nested.

    A logger that is no longer named gets back the level it had before it was. What is no level is logged and left
    alone. Call what is returned to end this: all get their own levels back.
    """
    levels = _Levels()

    def follow(_changes: object) -> None:
        levels.take(_wanted(config.snapshot.get(section)))

    subscription = config.subscribe(follow, section)
    follow(())

    def stop() -> None:
        config.unsubscribe(subscription)
        levels.end()

    return stop


def validate(snapshot: Snapshot, section: str = "logging") -> None:
    """For `validators=`: raises `ChecksFailed` with a line for each entry of `section` that is no level."""
    found = snapshot.get(parse(section))
    if found is not None and not is_mapping(found):
        raise ChecksFailed([f"{section}: it is no mapping of loggers to levels"])
    wrong = [name for name, level in _wanted(found).items() if _number(level) is None]
    if wrong:
        raise ChecksFailed(f"{section}: the level of {name!r} is none; write DEBUG, INFO or a number" for name in wrong)


class _Levels:
    """The loggers that were touched, with the levels they had before."""

    def __init__(self) -> None:
        self._own: dict[str, int] = {}
        self._lock = threading.Lock()
        self._is_over = False

    def take(self, wanted: Mapping[str, Any]) -> None:
        """Make the levels those of `wanted`, and restore all others. Callbacks may overlap with the first call."""
        with self._lock:
            if self._is_over:
                return
            for name in self._own.keys() - wanted.keys():
                _logger(name).setLevel(self._own.pop(name))
            for name, level in wanted.items():
                number = _number(level)
                if number is None:
                    logging.getLogger("confbus").warning("the level of logger %r is none, and stays as it was", name)
                else:
                    self._own.setdefault(name, _logger(name).level)
                    _logger(name).setLevel(number)

    def end(self) -> None:
        self.take({})
        self._is_over = True


def _wanted(section: Any) -> dict[str, Any]:
    """Logger names with what stands for their levels: `{shop: {db: DEBUG}}` is the logger `shop.db`."""
    if not is_mapping(section):
        return {}
    return {".".join(map(str, path)): level for path, level in leaves(section) if not is_mapping(level)}


def _number(level: Any) -> int | None:
    if isinstance(level, str):
        return logging.getLevelNamesMapping().get(level.upper())
    return level if type(level) is int and level >= 0 else None


def _logger(name: str) -> logging.Logger:
    return logging.getLogger(None if name == ROOT else name)
