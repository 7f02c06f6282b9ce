"""What SECURITY.md claims is shown by tests that are there."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "SECURITY.md").read_text()
LINK = re.compile(r"\[(test_\w+)\]\((tests/[\w/]+\.py)\)")


@cache
def those_of(file: str) -> frozenset[str]:
    return frozenset(re.findall(r"^(?:async )?def (test_\w+)", (ROOT / file).read_text(), re.MULTILINE))


def claims() -> list[str]:
    """The rows of the tables without their heads."""
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")]
    return [row for row in rows if not row.endswith("| shown by |")]


def test_every_test_that_is_named_is_there() -> None:
    named = LINK.findall(PAGE)

    assert len(named) > 50
    assert [(name, file) for name, file in named if name not in those_of(file)] == []


def test_every_claim_is_shown_by_a_test() -> None:
    assert len(claims()) > 30
    assert [claim for claim in claims() if not LINK.search(claim)] == []


def test_vulnerabilities_are_reported_privately_and_to_no_person() -> None:
    assert "private" in PAGE.partition("\n## The model")[0]
    assert "@" not in PAGE
