"""Evaluating CEL rules in a process of their own, bounded in time and memory."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from importlib.machinery import PathFinder
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DEADLINE_S = 5.0
MEMORY_BYTES = 1024 * 1024 * 1024
_STARTUP_S = 30.0
_MOST_OF_LINE = 1000
_WORKER = Path(__file__).with_name("cel_worker.py")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one rule.

    `word` is fine, fails, no answer (`detail`: the type that came out), raised (`detail`: the exception, `position`:
    its column), ended (it took the process with it) or untried (one before it did).
    """

    word: str
    detail: str = ""
    position: str = ""


def evaluate(
    rules: Sequence[str],
    document: Mapping[str, Any] | None,
    *,
    deadline_s: float = DEADLINE_S,
    memory_bytes: int = MEMORY_BYTES,
) -> list[Verdict]:
    """A verdict for each rule over the variables of `document`; without one the rules are only compiled.

    All rules together have `deadline_s` and `memory_bytes`. Nothing of the process is left afterwards. Raises
    `InvalidSettings` when CEL is not installed.
    """
    command = [sys.executable, "-I", "-S", str(_WORKER), _extension(), str(deadline_s), str(memory_bytes)]
    # A rule sees the text of a secret reference: the secret is elsewhere.
    request = json.dumps({"rules": list(rules), "document": document}, separators=(",", ":"), default=repr).encode()
    try:
        ended = subprocess.run(
            command, input=request, capture_output=True, check=False, timeout=deadline_s + _STARTUP_S
        )
        said = ended.stdout
    except subprocess.TimeoutExpired as late:
        said = late.stdout or b""
    return verdicts_of(said, len(rules))


def verdicts_of(said: bytes, count: int) -> list[Verdict]:
    """What the process said of its `count` rules, one line each; from a line on that it never writes, it ended."""
    verdicts: list[Verdict] = []
    for line in said.split(b"\n", count)[:count]:
        try:
            words: list[Any] = json.loads(line[:_MOST_OF_LINE])
            verdicts.append(Verdict(*map(str, words)))
        except (ValueError, TypeError, RecursionError):
            break
    if len(verdicts) < count:
        verdicts.append(Verdict("ended"))
    return verdicts + [Verdict("untried")] * (count - len(verdicts))


def _extension() -> str:
    package = find_spec("cel")
    found = PathFinder.find_spec("cel.cel", package.submodule_search_locations) if package else None
    if found is None or found.origin is None:
        advice = "Install confbus[publisher], or common-expression-language alone."
        raise InvalidSettings("checks.rules", "CEL is not installed here", advice=advice)
    return found.origin
