"""Configuration values on a screen or in the log of a pipeline: short, and without what looks like a secret."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from confbus.wire.frozen import Frozen, FrozenList
from confbus_publisher.cli.output import shortened

if TYPE_CHECKING:
    from confbus.wire.path import Path

HIDDEN = "***"
_SECRET = re.compile(
    r"(^|[^a-z])(pass(word|wd|phrase)?|secrets?|token|credentials?|(api|private|access|signing)[_-]?key)([^a-z]|$)"
)
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_PASSWORD_IN_URL = re.compile(r"(://[^/@:\s]*):[^/@\s]+@")


def is_secret(path: Path) -> bool:
    """True when a name on the way to a value says that strangers should not see it."""
    return any(_SECRET.search(_HUMP.sub("_", part).lower()) for part in path if isinstance(part, str))


def visible(path: Path, value: Any) -> Any:
    """The value, or `***` for one that looks like a secret; passwords in URLs go too."""
    if is_secret(path) and not isinstance(value, bool | None):
        return HIDDEN
    if isinstance(value, str):
        return _PASSWORD_IN_URL.sub(rf"\1:{HIDDEN}@", value)
    if isinstance(value, FrozenList):
        return [visible(path, part) for part in value]
    if isinstance(value, Frozen):
        return {key: visible((*path, key), part) for key, part in value.items()}
    return value


def brief(path: Path, value: Any, *, most: int = 24) -> str:
    """The visible value as JSON, in at most so many characters."""
    seen = visible(path, value)
    return HIDDEN if seen is HIDDEN else shortened(json.dumps(seen, ensure_ascii=False), most)
