"""Plain values as JSON, without the package of that name: what a worker tells the fleet.

The thread that follows should import little, for a fork must wait for it (`importing`); and the package takes longer to
import than a worker to start.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ESCAPES = {code: f"\\u{code:04x}" for code in range(0x20)} | {34: '\\"', 92: "\\\\"}
_WORDS = {None: "null", True: "true", False: "false"}


def json_of(value: Any) -> str:
    """The shortest JSON of texts, numbers, booleans, None, and mappings and sequences of them; keys are texts."""
    if isinstance(value, str):
        if not value.isascii():
            value = value.encode("utf-8", "replace").decode()  # half a surrogate pair would not go over the wire
        return f'"{value.translate(_ESCAPES)}"'
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if isinstance(value, int | float):
        return repr(value)
    if hasattr(value, "items"):
        return "{" + ",".join([f"{json_of(key)}:{json_of(each)}" for key, each in value.items()]) + "}"
    return "[" + ",".join([json_of(each) for each in value]) + "]"
