"""Documents for property tests: all that JSON can say, with the keys that paths and sections find hard."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from confbus.wire import reference

HARD_KEYS = ["", ".", "a", "b", "a.b", "[0]", "*", "**", '"', "\\", "\n", "section:", "a[0].b", "ä", "\U0001f600"]

keys = st.sampled_from(HARD_KEYS) | st.text(max_size=6).filter(lambda text: text != reference.KEY)
"""Whatever can be a key; that of a secret reference has tests of its own."""
scalars: st.SearchStrategy[Any] = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=10)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3), max_leaves=10
)
documents: st.SearchStrategy[dict[str, Any]] = st.dictionaries(keys, values, max_size=5)


def shuffled(value: Any, rng: Any) -> Any:
    """An equal value with the keys of every mapping in another order."""
    kind = type(value).__name__
    if kind == "dict":
        items = [(key, shuffled(part, rng)) for key, part in value.items()]
        rng.shuffle(items)
        return dict(items)
    if kind == "list":
        return [shuffled(part, rng) for part in value]
    return value
