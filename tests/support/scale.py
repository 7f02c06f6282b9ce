"""How much of it: a test runs small each time, and at full size in `make soak`."""

from __future__ import annotations

import os


def scaled(test: int, soak: int) -> int:
    """`soak` when SCALE is "full", else `test`."""
    return soak if os.environ.get("SCALE") == "full" else test
