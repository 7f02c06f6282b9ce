"""Python's cyclic garbage collector, out of the way while many objects are made and none is thrown away."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def paused() -> Generator[None]:
    """A parsed document is one object for each value, and the collector would walk them all, again and again.

    It is off for all threads of the process meanwhile; one that was off already stays so.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()
