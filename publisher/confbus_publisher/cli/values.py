"""Configuration values on a screen or in the log of a pipeline: short, and without what looks like a secret."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from confbus.wire.frozen import Frozen, FrozenList, Reference
from confbus.wire.reference import spelled
from confbus_publisher.cli.columns import shortened
from confbus_publisher.secret_names import is_password, is_secret
from confbus_publisher.secret_patterns import HIDDEN, masked

if TYPE_CHECKING:
    from confbus.wire.path import Path


def visible(path: Path, value: Any) -> Any:
    """The value, or `***` for one that is named like a secret; what looks like one inside a text goes too. A reference
    tells no secret."""
    if isinstance(value, Reference):
        return value
    if is_secret(path) and not _tells_nothing(path, value):
        return HIDDEN
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, FrozenList):
        return [visible(path, part) for part in value]
    if isinstance(value, Frozen):
        return {key: visible((*path, key), part) for key, part in value.items()}
    return value


def brief(path: Path, value: Any, *, most: int = 24) -> str:
    """The visible value as JSON, in at most so many characters."""
    seen = visible(path, value)
    is_text = seen is HIDDEN or isinstance(seen, Reference)
    return shortened(str(seen) if is_text else json.dumps(seen, ensure_ascii=False, default=spelled), most)


def _tells_nothing(path: Path, value: Any) -> bool:
    """Whether there is a secret is none; nor is the number of tokens, while a password may well be a number."""
    return isinstance(value, bool | None) or (isinstance(value, int | float) and not is_password(path))
