"""The JSON that workers write is JSON."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from confbus.wire.json_text import json_of

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(plain)
def test_whatever_is_told_is_read_as_the_same(value: object) -> None:
    assert json.loads(json_of(value)) == value


def test_any_text_is_fit_for_the_wire() -> None:
    text = '\ud800 \x00 \u2028 ü " \\'
    sent = text.replace("\ud800", "?")

    assert json.loads(json_of({text: (text,)}).encode()) == {sent: [sent]}
