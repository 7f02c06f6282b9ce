"""Being told of uWSGI's forks, which run none of Python's hooks.

It calls one function, `uwsgi.post_fork_hook`. `uwsgidecorators` puts a function of its own there when it is imported,
for everybody who uses `@postfork`, and forgets the one before; so that module is imported first, and joined.
"""

from __future__ import annotations

import importlib
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def install(hook: Callable[[], None]) -> None:
    """Call `hook` in every worker that this uWSGI forks from now on, before all that others want to be called."""
    uwsgi: Any = sys.modules["uwsgi"]
    _warn_of_no_threads(uwsgi.opt)
    is_first = "uwsgidecorators" not in sys.modules
    previous = getattr(uwsgi, "post_fork_hook", None)
    try:
        chain: list[Callable[[], object]] = importlib.import_module("uwsgidecorators").postfork_chain
    except Exception:  # noqa: BLE001 — it raises just that where it is of no use to anybody: without a master process
        uwsgi.post_fork_hook = _both(hook, previous)
    else:
        if is_first and previous is not None:
            chain.insert(0, previous)
        chain.insert(0, hook)


def _both(hook: Callable[[], None], previous: Callable[[], object] | None) -> Callable[[], None]:
    def both() -> None:
        hook()
        if previous is not None:
            previous()

    return both


def _warn_of_no_threads(options: dict[str, Any]) -> None:
    """Once for each program that uWSGI loads: what follows is a thread, and it freezes them between requests."""
    if not options.keys() & {"enable-threads", "threads"}:
        import logging

        logging.getLogger("confbus").warning(
            "uWSGI runs no threads between requests, so changes of the configuration may arrive late: start it with "
            "--enable-threads"
        )
