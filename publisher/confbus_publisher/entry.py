"""One mapping of confbus.yaml, read key by key; each complaint names the line."""

from __future__ import annotations

import difflib
import re
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings
from confbus.wire.frozen import Frozen
from confbus_publisher.quantity import parse_bytes, parse_seconds

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping

    from confbus.wire.path import Path
    from confbus_publisher.origin import Origin

_KINDS = {dict: "a mapping", list: "a list", str: "a string", bool: "true or false"}
_WHOLE = re.compile(r"-?[0-9]{1,18}")


class Entry:
    """The mapping at `path`. Getters raise `InvalidSettings` for what is of another kind, or missing."""

    def __init__(self, values: Mapping[str, Any], path: Path, origins: Mapping[Path, Origin]) -> None:
        self.values = values
        self.path = path
        self.origins = origins

    def __contains__(self, key: str) -> bool:
        return key in self.values

    def filled(self, key: str, value: Any) -> Entry:
        """The same mapping, with `value` under `key` where it has none."""
        return Entry({key: value, **self.values}, self.path, self.origins)

    def only(self, known: Collection[str]) -> None:
        """Refuses every key that is not `known`."""
        for key in self.values:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
                advice = f"Did you mean {close[0]}?" if close else f"Known are {', '.join(sorted(known))}."
                raise self.refuse(f"the key {key!r} is not known", advice, at=key)

    def text(self, key: str, *, default: str | None = None) -> str:
        """A string that is not empty; without a `default` it must be there."""
        if key not in self.values and default is not None:
            return default
        value = self._value(key, str)
        if not value:
            raise self.refuse(f"{key} is empty", "Give it a value, or remove it.", at=key)
        return str(value)

    def flag(self, key: str, *, default: bool = False) -> bool:
        value = self.values.get(key, default)
        if value in {"true", "false"}:  # From a variable.
            return bool(value == "true")
        return bool(self._value(key, bool)) if key in self.values else default

    def whole(self, key: str, *, default: int, least: int | None = None) -> int:
        """A whole number, not below `least`."""
        value = self.values.get(key, default)
        if isinstance(value, str) and _WHOLE.fullmatch(value):  # From a variable.
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise self.refuse(f"{key} must be a whole number", "Write one without quotes.", at=key)
        if least is not None and value < least:
            raise self.refuse(f"{key} must be at least {least}", "Raise it.", at=key)
        return value

    def bytes(self, key: str, *, default: int) -> int:
        """A size in bytes, from a number or from a text such as `8 MiB`."""
        return int(self._quantity(key, default, parse_bytes, "a size such as 8 MiB"))

    def seconds(self, key: str, *, default: float, least: float = 0.0, most: float = float("inf")) -> float:
        """A duration in seconds, from a number or from a text such as `500ms`, from `least` to `most`."""
        seconds = self._quantity(key, default, parse_seconds, "a duration such as 5s or 500ms")
        if not least <= seconds <= most:
            raise self.refuse(f"{key} must be between {least:.10g}s and {most:.10g}s", "Mend it.", at=key)
        return seconds

    def inner(self, key: str) -> Entry:
        """The mapping under `key`; an empty one when it is not there."""
        values: dict[str, Any] = self._value(key, dict) if key in self.values else {}
        return Entry(values, (*self.path, key), self.origins)

    def each(self, key: str) -> Iterable[Entry]:
        """The mappings of the list under `key`."""
        items: list[Any] = self._value(key, list) if key in self.values else []
        for index, item in enumerate(items):
            if not isinstance(item, Frozen):
                raise self.refuse(f"{key} is a list of mappings", "Write `- key: value`.", at=key, index=index)
            yield Entry(item, (*self.path, key, index), self.origins)

    def texts(self, key: str) -> list[str]:
        """The strings of the list under `key`."""
        items: list[Any] = self._value(key, list)
        for index, item in enumerate(items):
            if not isinstance(item, str) or not item:
                raise self.refuse(f"{key} is a list of strings", "Quote it.", at=key, index=index)
        return items

    def refuse(self, reason: str, advice: str, *, at: str = "", index: int | None = None) -> InvalidSettings:
        """The error about this mapping, about what stands at a key of it, or about an item there."""
        return InvalidSettings(self.place(at, index=index), reason, advice=advice)

    def place(self, key: str = "", *, index: int | None = None) -> str:
        """Where this mapping stands in the file, or a key of it, or an item there."""
        path = self.path
        for part in (key or None, index):
            if part is not None and (*path, part) in self.origins:
                path = (*path, part)
        return str(self.origins[path])

    def _value(self, key: str, kind: type) -> Any:
        if key not in self.values:
            raise self.refuse(f"{key} is missing", f"Add `{key}:`.")
        value = self.values[key]
        if not isinstance(value, kind):
            raise self.refuse(f"{key} must be {_KINDS[kind]}", "Mend it, or remove it.", at=key)
        return value

    def _quantity(self, key: str, default: float, parse: Callable[[str], float | None], what: str) -> float:
        value = self.values.get(key, default)
        number = parse(str(value)) if isinstance(value, str | int | float) else None
        if number is None:
            raise self.refuse(f"{key} must be {what}, and more than nothing", "Mend it.", at=key)
        return number
