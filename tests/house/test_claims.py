"""What pages quote and count is so: messages are those of the code, and limits are its numbers."""

from __future__ import annotations

import pkgutil
import re
from pathlib import Path

import pytest

from confbus import Timing

ROOT = Path(__file__).parents[2]
LIMITS = re.findall(r"^\| .+ \| (.+) \| `(confbus[\w.]+)` \|$", (ROOT / "docs" / "limits.md").read_text(), re.MULTILINE)
HEADINGS = re.findall(r"^### (`.+)$", (ROOT / "docs" / "troubleshooting.md").read_text(), re.MULTILINE)


def code() -> str:
    """All that the packages and scripts say; texts that go on in the next line are one."""
    files = (file for folder in ("publisher", "subscriber", "lua") for file in (ROOT / folder).rglob("*.*"))
    text = "\n".join(file.read_text() for file in files if file.suffix in {".py", ".lua"})
    return re.sub(r"\"\s*\n\s*f?\"", "", text)


def spellings(number: float) -> set[str]:
    """How a page may write a number of things, bytes or seconds."""
    sizes = {f"{number / 1024**power:g} {unit}" for power, unit in ((1, "KiB"), (2, "MiB"))}
    return {f"{number:,g}" if number < 1000 else f"{number:,.0f}", f"{number:g} s", *sizes}


@pytest.mark.parametrize(("told", "name"), LIMITS)
def test_a_limit_that_is_told_is_the_one_that_is_held(told: str, name: str) -> None:
    held = (
        getattr(Timing(), name.rpartition(".")[2]) if name.startswith("confbus.Timing.") else pkgutil.resolve_name(name)
    )

    assert told in spellings(held)


def test_every_message_that_is_explained_is_one_that_is_said() -> None:
    said = code()
    quotes = (quote for heading in HEADINGS for quote in re.findall(r"`([^`]+)`", heading))
    parts = [part.strip() for quote in quotes for part in quote.split("…") if part.strip()]

    assert len(LIMITS) > 20
    assert len(parts) > 20
    assert [part for part in parts if part not in said] == []
