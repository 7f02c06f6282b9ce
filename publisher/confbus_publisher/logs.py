"""What `confbus run` writes to stderr: lines for people, or an object of JSON a line for programs."""

from __future__ import annotations

import json
import logging
import math
import sys
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from confbus.names import plain
from confbus_publisher.log_outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Mapping

JSON = "json"
_OWN = {*vars(logging.LogRecord("", 0, "", 0, "", (), None)), "message", "asctime", "taskName"}
_DEEPEST = 6
_MAPPING: type[Any] = dict
_LISTS: tuple[type[Any], ...] = (list, tuple, set, frozenset)
_TOO_LARGE = 1 << 63


class Lines(logging.Formatter):
    """Lines for people, which no worker, and nobody who can write to Redis, makes into a command for the terminal, or
    into another line of the log: what goes on stands further to the right."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)-7s %(message)s", datefmt="%Y-%m-%d %H:%M:%S")

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 — logging's name
        return "\n  ".join(map(plain, super().formatMessage(record).split("\n")))


class JsonLines(logging.Formatter):
    """One object a line, in ASCII: `time` (RFC 3339, UTC), `level`, `logger`, `message`, `namespace` once it is known,
    what the call gave as `extra=`, and `exception`, the traceback as text. Whatever is logged, it makes a line."""

    namespace = ""

    def format(self, record: logging.LogRecord) -> str:
        extra = {name: value for name, value in vars(record).items() if name not in _OWN}
        facts = {
            "time": _time(record.created),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
            **({"namespace": self.namespace} if self.namespace else {}),
        }
        if record.exc_info or record.exc_text:
            facts["exception"] = record.exc_text or self.formatException(cast("Any", record.exc_info))
        if record.stack_info:
            facts["stack"] = self.formatStack(record.stack_info)
        return json.dumps(_members({**facts, **extra, **facts}, 0))


def begin(form: str, level: str) -> JsonLines | None:
    """Let all that is logged in this process go to stderr in that form, what is ours from `level` on, all else when it
    is a warning. Returns the formatter that can be told the namespace, if there is one."""
    formatter = JsonLines() if form == JSON else None
    handler = Outlet(sys.stderr)
    handler.setFormatter(formatter or Lines())
    logging.basicConfig(handlers=[handler], level=logging.WARNING, force=True)
    logging.captureWarnings(capture=True)
    logging.getLogger("confbus").setLevel(level.upper())
    threading.excepthook = _tell_of_thread
    return formatter


def _tell_of_thread(args: threading.ExceptHookArgs) -> None:
    name = args.thread.name if args.thread else "gone"
    failure: Any = (args.exc_type, args.exc_value, args.exc_traceback)
    logging.getLogger("confbus").critical("the thread %s failed", name, exc_info=failure)


def _time(created_s: float) -> str:
    return datetime.fromtimestamp(created_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    """What was to be said, or, where text and arguments do not go together, the text."""
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 — whatever the methods of odd values raise
        return _text(record.msg)


def _members(mapping: Mapping[Any, Any], depth: int) -> dict[str, Any]:
    return {_text(key): _value(value, depth + 1) for key, value in list(mapping.items())}


def _value(value: Any, depth: int) -> Any:
    """The value as JSON has it, or its text where JSON has none, or it has no end."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return value if -_TOO_LARGE < value < _TOO_LARGE and math.isfinite(value) else _text(value)
    if depth < _DEEPEST and isinstance(value, _MAPPING):
        return _members(value, depth)
    if depth < _DEEPEST and isinstance(value, _LISTS):
        return [_value(item, depth + 1) for item in tuple(value)]
    return _text(value)


def _text(value: object) -> str:
    try:
        # Half a surrogate pair is no text for whoever reads the line.
        return str(value).encode("utf-8", "replace").decode()
    except Exception:  # noqa: BLE001 — as above
        return f"<{type(value).__name__}>"
