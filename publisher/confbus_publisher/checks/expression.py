"""What a CEL rule reads, as far as its text tells: for the places in a problem, and for the names it is given."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from confbus.wire.frozen import is_mapping
from confbus.wire.path import lookup

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.path import Path

DOCUMENT = "document"
"""The name under which a rule has the whole document: for keys that are no names in CEL, and for `has`."""

_TEXT = re.compile(r"\"(?:[^\"\\\n]|\\.)*\"|'(?:[^'\\\n]|\\.)*'")
_CHAIN = re.compile(
    r"(?<![\w.\])])[A-Za-z_]\w*(?:\s*\.\s*[A-Za-z_]\w*+(?!\s*\()|\[(?:\"[^\"\\\n]*\"|'[^'\\\n]*'|[0-9]{1,9})\])*"
)
_PART = re.compile(r"[A-Za-z_]\w*|\"[^\"]*\"|'[^']*'|[0-9]+")
_CALL = re.compile(r"\s*\(")
_BOUND = re.compile(r"\.\s*(?:all|exists|exists_one|existsOne|filter|map)\s*\(\s*([A-Za-z_]\w*)\s*,")
_WORDS = frozenset({"true", "false", "null", "in", "has", "type"})


def paths_read(rule: str) -> list[Path]:
    """The paths that `rule` names, in its order: `pool.size`, `hosts[0]`, `document["a-b"].c`."""
    bound = set(_BOUND.findall(rule))
    found: dict[Path, None] = {}
    texts = [match.span() for match in _TEXT.finditer(rule)]
    for match in _CHAIN.finditer(rule):
        if any(start <= match.start() < end for start, end in texts):
            continue
        path = tuple(map(_part, _PART.findall(match[0])))
        root, is_call = path[0], _CALL.match(rule, match.end()) is not None
        if root in bound or root in _WORDS or (is_call and len(path) == 1):
            continue
        path = path[1:] if root == DOCUMENT else path
        if path:
            found[path] = None
    return list(found)


def variables(rule: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """The part of `document` that `rule` may read, as CEL's variables."""
    names = set(re.findall(r"[A-Za-z_]\w*", rule))
    known = {name: document[name] for name in names & document.keys() if name != DOCUMENT}
    return {**known, DOCUMENT: document} if DOCUMENT in names else known


def existing(tree: Mapping[str, Any], path: Path) -> Path:
    """The longest beginning of `path` at which something is."""
    try:
        lookup(tree, path)
    except KeyError as missing:
        depth: int = missing.args[0]
        return path[:depth]
    return path


def keys_at(tree: Mapping[str, Any], path: Path) -> list[str]:
    """The keys of the mapping at `path`; none when it is no mapping."""
    value = lookup(tree, path)
    return list(value) if is_mapping(value) else []


def _part(text: str) -> str | int:
    if text[0] in "\"'":
        return text[1:-1]
    return int(text) if text.isdigit() else text
