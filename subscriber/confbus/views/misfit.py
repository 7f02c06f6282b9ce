"""Why a value does not become what it should: where, and the reason, without any value of the configuration.

What our own conversions say names types only. What libraries and users' code say may quote what they were given, so
every text of the value is blanked out of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from confbus.wire import path as paths
from confbus.wire.frozen import is_list, is_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator

_LONG = 6
"""Texts of so many characters are blanked out also within a word; a shorter one may be part of any word."""
_OF_MSGSPEC = re.compile(r"(?P<reason>.*?)(?: - at `(?:key in )?\$(?P<rest>.*)`)?\Z", re.DOTALL)


class Misfit(Exception):
    """A value is not what its place asks for. `path` is its place in the document."""

    def __init__(self, path: paths.Path, reason: str) -> None:
        self.place = paths.render(path)
        self.reason = reason
        super().__init__(reason)


def misfit_of(error: BaseException, value: Any, path: paths.Path) -> Misfit:
    """What to say of `error`, which was raised when the value at `path` was made into something."""
    if isinstance(error, Misfit):
        return error
    library = type(error).__module__.partition(".")[0]
    if library in {"pydantic", "pydantic_core"} and hasattr(error, "errors"):
        return _of_pydantic(error, value, path)
    found = _OF_MSGSPEC.match(str(error)) if library == "msgspec" else None
    if found is None:
        text = without_values(str(error), value)
        return Misfit(path, f"{type(error).__name__}{': ' if text else ''}{text.rstrip('.')}")
    misfit, rest = Misfit(path, without_values(found["reason"], value)), found["rest"] or ""
    misfit.place += rest if misfit.place else rest.removeprefix(".")
    return misfit


def without_values(message: str, value: Any) -> str:
    """`message` with every text and number of `value` blanked out."""
    for text in sorted({*_texts(value)}, key=len, reverse=True):
        if text in message:
            quoted = re.escape(text)
            message = re.sub(quoted if len(text) >= _LONG else rf"(?<!\w){quoted}(?!\w)", "…", message)
    return message


def kind_of(value: Any) -> str:
    """What a value is, in the words of configurations."""
    if value is None:
        return "null"
    return "a mapping" if is_mapping(value) else "a list" if is_list(value) else type(value).__name__


def _of_pydantic(error: Any, value: Any, path: paths.Path) -> Misfit:
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    first = problems[0]
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Misfit((*path, *first["loc"]), without_values(first["msg"], value) + more)


def _texts(value: Any) -> Iterator[str]:
    if is_mapping(value):
        for part in value.values():
            yield from _texts(part)
    elif is_list(value):
        for part in value:
            yield from _texts(part)
    elif isinstance(value, str):
        yield from (text for text in (value.strip(), repr(value)[1:-1]) if text)
    elif value is not None and not isinstance(value, bool):
        yield str(value)
