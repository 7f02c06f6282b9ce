"""Results that are kept, and not for ever."""

from __future__ import annotations

import pytest

from confbus.wire.remembered import MOST, Remembered


def test_a_result_is_worked_out_once_while_it_is_kept_and_few_are() -> None:
    asked: list[str] = []

    def length(text: str) -> int:
        asked.append(text)
        if not text:
            raise ValueError("nothing")
        return len(text)

    lengths = Remembered(length)

    assert [lengths["a"], lengths["a"], lengths["bb"]] == [1, 1, 2]
    assert asked == ["a", "bb"]
    for _ in range(2):
        with pytest.raises(ValueError, match="nothing"):
            _ = lengths[""]
    for number in range(2 * MOST):
        _ = lengths[str(number)]
        assert len(lengths) <= MOST
