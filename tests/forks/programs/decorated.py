"""The application of `served`, with functions of its own to be called in each worker of uWSGI."""

from __future__ import annotations

import os

from served import PLACE, application, config  # type: ignore[import-not-found]  # it is beside this one
from uwsgidecorators import postfork

__all__ = ["application"]


@postfork  # type: ignore[untyped-decorator]  # it ships no types
def mark() -> None:
    """Ours was called before: the instance is this process's own."""
    (PLACE / f"{config.instance.split(':')[1]}.marked-{os.getpid()}").touch()
