"""The original user guide, its snippets as they stand there, and what each needs around it to run."""

from __future__ import annotations

import ast
import hashlib
import inspect
import re
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confbus_publisher import ConfigManager
from confbus_publisher.sealing.key_file import KeyFile
from support.seals import ring

if TYPE_CHECKING:
    from collections.abc import Awaitable

    import pytest

GUIDE = Path(__file__).parents[1] / "guide" / "guide.md"

# All that is changed in the text of a snippet: where the guide's modules are now.
MOVED = {
    "src.prompt_improver.core.config_manager": "confbus_publisher",
    "src.prompt_improver.database.config": "support.guide_database",
}
_FENCE = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)


def snippet(heading: str, number: int = 0, *, language: str = "python") -> str:
    """The text of one block under a heading of the guide, the first one being number 0."""
    return snippets(language)[heading][number]


def snippets(language: str) -> dict[str, list[str]]:
    """By heading, the text of each block in a language."""
    text = GUIDE.read_text()
    fences = [(found.start(), found) for found in _FENCE.finditer(text)]
    inside = [(found.start(), found.end()) for _, found in fences]
    headings = [
        (found.start(), found[1])
        for found in re.finditer(r"^#+ (.+)$", text, re.MULTILINE)
        if not any(start < found.start() < end for start, end in inside)
    ]
    by_heading: dict[str, list[str]] = {}
    for at, fence in fences:
        if fence[2] == language:
            heading = next(title for start, title in reversed(headings) if start < at)
            by_heading.setdefault(heading, []).append(textwrap.dedent(fence[3]))
    return by_heading


def script(text: str, scope: dict[str, Any], *, name: str = "__main__") -> Awaitable[object] | None:
    """Run a snippet with the names in `scope`, to which its own are added. What it awaits at its top level is left
    to whoever called."""
    for module, home in MOVED.items():
        text = text.replace(module, home)
    scope["__name__"] = name
    code = compile(text, str(GUIDE), "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT, dont_inherit=True)
    outcome = eval(code, scope)
    return outcome if inspect.isawaitable(outcome) else None


async def run(text: str, **prelude: Any) -> dict[str, Any]:
    """Run a snippet after a prelude that gives it names. Returns all names there are afterwards."""
    awaited = script(text, prelude, name="guide")
    if awaited is not None:
        await awaited
    return prelude


def move_to_redis(url: str, namespace: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have every manager that a snippet makes publish there, with `database` sealed; no word of a snippet changes."""
    keys = KeyFile(directory / "keys")
    keys.write(ring("k1"))
    defaults: dict[str, Any] = ConfigManager.__init__.__kwdefaults__ or {}
    for name, value in {"redis": url, "namespace": namespace, "seal": ["database"], "keys": keys.path}.items():
        monkeypatch.setitem(defaults, name, value)


def stable_hash(text: str) -> int:
    """In place of `hash`, which differs from process to process: each worker would see other features."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
