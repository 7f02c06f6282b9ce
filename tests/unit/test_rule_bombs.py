"""No rule costs more than its process may have, whatever it asks for, and every other one is told apart from it."""

from __future__ import annotations

import pytest

from confbus_publisher.checks.cel_process import evaluate

ITEMS = {"l": list(range(3000)), "s": "ab" * 500}
BOMBS = {
    "loops in loops": "l.all(a, l.all(b, l.all(c, a + b + c >= 0)))",
    "lists in lists": "l.map(a, l.map(b, l.map(c, a))).size() > 0",
    "texts that double": f"size({'(' * 40}s + s{') + s + s' * 40}) > 0 && l.all(a, l.all(b, (s + s + s).size() > 0))",
    "a pattern that goes back": 's.matches("^(a|b|ab)*c$") || l.all(x, l.all(y, s.matches("(a*)*(b*)*c")))',
    "brackets in brackets": "(" * 900 + "true" + ")" * 900,
    "lists as deep as a rule is long": "[" * 900 + "]" * 900 + " == []",
    "not upon not": "!" * 1900 + "true",
    "a choice upon a choice": "true ? " * 250 + "true" + " : false" * 250,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_gets_a_verdict_and_the_rules_before_it_have_theirs(name: str) -> None:
    verdicts = evaluate(["true", BOMBS[name], "true"], ITEMS, deadline_s=0.5, memory_bytes=256 * 1024 * 1024)

    assert len(verdicts) == 3
    assert verdicts[0].word == "fine"
    assert verdicts[1].word in {"fine", "fails", "raised", "ended"}
    assert verdicts[2].word in {"fine", "untried"}
