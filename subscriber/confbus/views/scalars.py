"""Strict conversion of single values: a text stays a text, a bool is no int, and `"5"` is never 5.

What no configuration has a type for (dates, durations, paths, decimals, UUIDs, addresses) is made from text.
"""

from __future__ import annotations

import re
import sys
from enum import EnumType
from typing import TYPE_CHECKING, Any

from confbus.views.misfit import Misfit, kind_of
from confbus.wire.diff import same

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from confbus.wire.path import Path

    Conversion = Callable[[Any, Path], Any]

_ISO = {("datetime", "datetime"), ("datetime", "date"), ("datetime", "time")}
_BY_CONSTRUCTOR = {
    ("decimal", "Decimal"),
    ("uuid", "UUID"),
    *(("pathlib", name) for name in ("Path", "PurePath", "PosixPath", "PurePosixPath", "PureWindowsPath")),
    *(("ipaddress", f"IPv{version}{what}") for version in (4, 6) for what in ("Address", "Network", "Interface")),
}
_DURATION = re.compile(r"(?:([0-9.]+)d)?(?:([0-9.]+)h)?(?:([0-9.]+)m)?(?:([0-9.]+)s)?(?:([0-9.]+)ms)?")
_MILLISECONDS = (86_400_000, 3_600_000, 60_000, 1000, 1)
_MAX_SHOWN = 8


def scalar(hint: Any) -> Conversion | None:
    """How a value becomes a `hint`; None when that is no single value."""
    if hint is bool or hint is int or hint is str:
        return exactly(hint)
    if hint is float:
        return _to_float
    if hint is None or hint is type(None):
        return exactly(type(None))
    if isinstance(hint, EnumType):
        members: Any = hint
        return one_of((member.value, member) for member in members)
    if _is_of(hint, {("datetime", "timedelta")}):
        return _to_timedelta
    if _is_of(hint, _ISO):
        return _from_text(hint, hint.fromisoformat, "as ISO 8601 text")
    if _is_of(hint, _BY_CONSTRUCTOR):
        return _from_text(hint, hint, "as text")
    return None


def exactly(kind: type) -> Conversion:
    """Values of just this type, as they are."""

    def convert(value: Any, path: Path) -> Any:
        if type(value) is not kind:
            raise Misfit(path, f"expected {_named(kind)}, found {kind_of(value)}")
        return value

    return convert


def one_of(choices: Iterable[tuple[Any, Any]]) -> Conversion:
    """One of some values, each with what it stands for."""
    known = list(choices)
    more = ", …" if len(known) > _MAX_SHOWN else ""
    shown = ", ".join(repr(value) for value, _ in known[:_MAX_SHOWN]) + more

    def convert(value: Any, path: Path) -> Any:
        for choice, meaning in known:
            if same(choice, value):
                return meaning
        raise Misfit(path, f"expected one of {shown}, found {_other(value, known)}")

    return convert


def _other(value: Any, known: list[tuple[Any, Any]]) -> str:
    return f"another {kind_of(value)}" if any(type(choice) is type(value) for choice, _ in known) else kind_of(value)


def _to_float(value: Any, path: Path) -> float:
    if type(value) not in {int, float}:
        raise Misfit(path, f"expected float, found {kind_of(value)}")
    return float(value)


def _to_timedelta(value: Any, path: Path) -> Any:
    from datetime import timedelta

    found = _DURATION.fullmatch(value) if isinstance(value, str) and value else None
    try:
        if found is not None:
            parts = zip(found.groups(), _MILLISECONDS, strict=True)
            return timedelta(milliseconds=sum(float(part) * unit for part, unit in parts if part))
        if isinstance(value, int | float) and not isinstance(value, bool):
            return timedelta(seconds=value)
    except (ValueError, OverflowError):
        pass
    raise Misfit(path, f"expected a duration, in seconds or like '1h30m' or '500ms', found {_what(value)}")


def _from_text(kind: Any, parse: Callable[[str], Any], form: str) -> Conversion:
    def convert(value: Any, path: Path) -> Any:
        is_number = kind.__name__ == "Decimal" and type(value) in {int, float}
        if not isinstance(value, str) and not is_number:
            raise Misfit(path, f"expected {kind.__name__} {form}, found {kind_of(value)}")
        try:
            return parse(str(value))
        except (ValueError, ArithmeticError):
            misfit = Misfit(path, f"expected {kind.__name__} {form}, found {_what(value)}")
        raise misfit

    return convert


def _what(value: Any) -> str:
    return "another text" if isinstance(value, str) else kind_of(value)


def _named(kind: type) -> str:
    return "null" if kind is type(None) else kind.__name__


def _is_of(hint: Any, names: set[tuple[str, str]]) -> bool:
    # Whoever annotates with such a type has imported its module; nobody else needs to.
    return any(getattr(sys.modules.get(module), name, names) is hint for module, name in names)
