"""The reference is what the code says; a page that is behind says how to bring it up to date."""

from __future__ import annotations

import pytest

from support.reference import NAMES, PAGES, page


@pytest.mark.parametrize("name", NAMES)
def test_the_reference_is_what_the_code_says(name: str) -> None:
    written = (PAGES / name).read_text()

    assert written == page(name), f"docs/reference/{name} is behind the code: run `make reference`"
