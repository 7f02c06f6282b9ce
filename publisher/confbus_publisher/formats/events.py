"""PyYAML's event stream, and its complaints in our words.

The events of the C parser are safe at any depth; PyYAML's own way of making objects out of them is not, and is
slower than ours. Without the C extension the pure Python parser gives the same events.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import yaml

from confbus.errors import SourceFailed
from confbus_publisher.formats.limits import Unfit, too_deep
from confbus_publisher.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Callable

PARSER: type = getattr(yaml, "CBaseLoader", yaml.BaseLoader)

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_DIRECTIVE = re.compile(r"\ufeff?(?:\s|#[^\n]*+\n)*+%")
_MOST_TAGS = 16
_ADVICE = {
    "cannot start any token": "Quote the value, or indent with spaces instead of a tab.",
    "mapping values are not allowed": "Quote a value that holds `: `, or mend the indent.",
    "incompatible YAML document": "Remove the %YAML line.",
    "escape": "Write the character itself, or put the value in single quotes.",
}
_USUAL_CAUSES = "A missing quote, colon or space, or a wrong indent is the usual cause."


def check_directives(text: str, *, origin_name: str) -> None:
    """Raises `SourceFailed` for %TAG lines without end: libyaml compares each with all before it, in native code."""
    if _DIRECTIVE.match(text) and text.count("%TAG") > _MOST_TAGS:
        reason = f"more than {_MOST_TAGS} %TAG lines stand here"
        raise SourceFailed(origin_name, f"{origin_name}:1:1", reason, advice="Remove them; no tag needs one.")


def events(text: str) -> Callable[[], Any]:
    """A function that gives the next event of `text`. It raises what `complaint` translates."""
    get_event: Callable[[], Any] = PARSER(text).get_event
    return get_event if PARSER is not yaml.BaseLoader else _careful(get_event)


def complaint(failure: yaml.YAMLError | UnicodeEncodeError, text: str, *, origin_name: str) -> SourceFailed:
    """The parser's error as one of ours, with the place."""
    mark = getattr(failure, "problem_mark", None) or getattr(failure, "context_mark", None)
    if mark is not None:
        reason = _reason(failure, mark)
        if "maximum nesting depth" in reason:  # libyaml's own limit; it looks further ahead than its events tell
            return refusal(too_deep(), origin_name, mark)
        advice = next((advice for part, advice in _ADVICE.items() if part in reason), _USUAL_CAUSES)
        return refusal(Unfit(reason, advice), origin_name, mark)
    bad = _UNPRINTABLE.search(text)
    if bad is None:
        return SourceFailed(origin_name, f"{origin_name}:1:1", "this is no YAML", advice=_USUAL_CAUSES)
    line, column = text.count("\n", 0, bad.start()) + 1, bad.start() - text.rfind("\n", 0, bad.start())
    place = Origin(file=origin_name, line=line, column=column)
    reason = f"the character U+{ord(bad[0]):04X} cannot stand in YAML"
    return SourceFailed(origin_name, str(place), reason, advice="Remove it, or escape it in a double-quoted string.")


def refusal(unfit: Unfit, origin_name: str, mark: Any) -> SourceFailed:
    """`unfit` with the place of `mark`, whose lines and columns count from 0."""
    place = Origin(file=origin_name, line=mark.line + 1, column=mark.column + 1)
    return SourceFailed(origin_name, str(place), unfit.reason, advice=unfit.advice)


def _reason(failure: Any, mark: Any) -> str:
    problem = str(failure.problem or failure.context or "this is no YAML")
    begun = failure.context_mark
    if failure.problem and failure.context and begun is not None and begun.line != mark.line:
        return f"{problem} ({failure.context} that begins on line {begun.line + 1})"
    return problem


def _careful(get_event: Callable[[], Any]) -> Callable[[], Any]:
    """The pure Python parser lets through what the C parser refuses: escapes that are no character."""

    def checked() -> Any:
        try:
            event = get_event()
        except (ValueError, OverflowError):
            raise yaml.YAMLError from None  # Out of chr() or int(), which know no place.
        if type(event) is yaml.ScalarEvent and _SURROGATE.search(event.value):
            mark: Any = event.start_mark
            raise yaml.MarkedYAMLError(problem="found an escape of half a character", problem_mark=mark)
        return event

    return checked
