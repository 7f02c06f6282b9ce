"""One override: a value that a person put on top of all sources, for a while.

The store keeps it as JSON under its path. Whatever stands there is read with suspicion: people write there by hand.
"""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidDocument, InvalidPath, Malformed, SourceFailed
from confbus.wire import path as paths
from confbus.wire.reference import spelled
from confbus.wire.release import MAX_AT_MS
from confbus_publisher.formats.json import read_json
from confbus_publisher.formats.tree import conform

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_BYTES = 64 * 1024
"""Of one override's text: a value by hand is small, and the publisher reads all of them each turn."""
MAX_COUNT = 256


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """`value`, frozen, at `path`, set at `at_ms` by somebody for a reason, until `until_ms` (None: until it is unset).

    Times are the server's. A path has one key or more, and no index: what is in a list is overridden with the list.
    """

    path: paths.Path
    value: Any = field(repr=False)
    at_ms: int
    until_ms: int | None = None
    reason: str = ""
    by: str = ""

    def __post_init__(self) -> None:
        """Raises `InvalidDocument` for a value that no document may hold there."""
        conform(self.tree(), source=f"the override {self.name}")

    @property
    def name(self) -> str:
        """The path as text, under which the store keeps it."""
        return paths.render(self.path)

    def tree(self) -> dict[str, Any]:
        """A document with this value alone."""
        tree = self.value
        for key in reversed(self.path):
            tree = {str(key): tree}
        return dict[str, Any](tree)

    def is_in_force(self, at_ms: int) -> bool:
        """Whether it counts at that moment."""
        return self.at_ms <= at_ms and not self.has_ended(at_ms)

    def has_ended(self, at_ms: int) -> bool:
        return self.until_ms is not None and self.until_ms <= at_ms

    def ended(self, at_ms: int) -> Override:
        """The same, but ending at `at_ms`, or before when it does so anyway."""
        return self if self.has_ended(at_ms) else replace(self, until_ms=at_ms)

    def text(self) -> str:
        """What the store keeps, as JSON. It holds the value: it belongs into no log."""
        facts = {name: getattr(self, name) for name in ("value", "until_ms", "reason", "by", "at_ms")}
        return json.dumps(facts, separators=(",", ":"), default=spelled)


def parse(name: str, text: str) -> Override:
    """The override that the store keeps under `name`. Raises `Malformed`, which tells nothing of the value."""
    try:
        path = parse_path(name)
        if len(text) > MAX_BYTES:
            raise _malformed(name, f"it has more than {MAX_BYTES:,} bytes")
        facts = read_json(text, origin_name="")
        return Override(
            path=path,
            value=facts["value"],
            at_ms=_time(facts["at_ms"]),
            until_ms=None if facts.get("until_ms") is None else _time(facts["until_ms"]),
            reason=str(facts.get("reason") or "")[:500],
            by=str(facts.get("by") or "")[:200],
        )
    except InvalidPath as error:
        raise _malformed(name, f"its name is no path that can be overridden: {error.reason}") from None
    except (SourceFailed, InvalidDocument) as error:
        raise _malformed(name, error.reason) from None
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        if isinstance(error, Malformed):
            raise
        raise _malformed(name, "it lacks a value or a time") from None


def parse_path(text: str) -> paths.Path:
    """The path that `text` names, if it can be overridden. Raises `InvalidPath` that says why not."""
    path = paths.parse(text)
    at = next((depth for depth, part in enumerate(path) if isinstance(part, int)), None)
    if at is not None:
        advice = f"Override the whole list: {paths.render(path[:at])}." if at else "Begin with a key."
        raise _refused(text, "an index names one item of a list", advice)
    if not path:
        raise _refused(text, "it names the whole configuration", "Name a key.")
    if paths.is_pattern(text):
        raise _refused(text, "it is a pattern", 'Name one path; a key * is written ["*"].')
    return path


def lost(known: Mapping[str, str], there: Mapping[str, str], *, since_ms: int) -> tuple[dict[str, str], list[str]]:
    """What a store that lost data must get back of the `known` overrides, and what must go from `there` before.

    What was set after the loss stays. What is not known at `since_ms`, and was set before, had been taken away: it does
    not come back. What nobody can read is left alone.
    """
    withdrawn: list[str] = []
    for name, text in there.items():
        set_ms, known_ms = _set_at(name, text), _set_at(name, known[name]) if name in known else since_ms
        if set_ms is not None and known_ms is not None and text != known.get(name) and set_ms <= known_ms:
            withdrawn.append(name)
    return {name: text for name, text in known.items() if name not in there or name in withdrawn}, withdrawn


def _set_at(name: str, text: str) -> int | None:
    try:
        return parse(name, text).at_ms
    except Malformed:
        return None


def _time(fact: Any) -> int:
    if type(fact) is not int or not 0 <= fact <= MAX_AT_MS:
        raise ValueError
    return fact


def _refused(text: str, reason: str, advice: str) -> InvalidPath:
    error = InvalidPath(text, 1, reason)
    error.message, error.advice = f"{text!r} cannot be overridden: {reason}.", advice
    return error


def _malformed(name: str, reason: str) -> Malformed:
    advice = f"`confbus unset {shlex.quote(name)}` takes it away."
    return Malformed(f"the override {name!r}", reason, advice=advice)
