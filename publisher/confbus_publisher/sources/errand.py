"""Other people's code, done in a thread of its own, so that it may hang there."""

from __future__ import annotations

import asyncio
import threading
import time
import weakref
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class Errand(Generic[T]):
    """Runs one coroutine at a time, each in a new thread and all in one event loop.

    A coroutine that awaits for longer than `deadline_s` is cancelled; one that blocks its thread stays out for as
    long as it likes. Nothing runs between two errands. One thread owns this object.
    """

    def __init__(self, name: str, *, deadline_s: float) -> None:
        self.deadline_s = deadline_s
        self._name = name
        self._runner: asyncio.Runner | None = None
        self._out: Future[T] | None = None
        self._since = 0.0

    @property
    def is_out(self) -> bool:
        """True from the start of a coroutine until its result was handed out or dropped."""
        return self._out is not None

    @property
    def age_s(self) -> float:
        """For how long the coroutine that is out has been so."""
        return time.monotonic() - self._since if self._out else 0.0

    def ask(self, work: Callable[[], Coroutine[Any, Any, T]], *, patience_s: float) -> Future[T]:
        """The result of the coroutine that is out, else of `work`, which is started then.

        Waits at most `patience_s` seconds; a future that is not done by then will be in a later answer.
        """
        out = self._out or self._begin(work)
        wait([out], timeout=patience_s)
        if out.done():
            self._out = None
        return out

    def _begin(self, work: Callable[[], Coroutine[Any, Any, T]]) -> Future[T]:
        if self._runner is None:
            self._runner = asyncio.Runner()
            weakref.finalize(self, _close, self._runner).atexit = False
        out: Future[T] = Future()
        arguments = (self._runner, work, self.deadline_s, out)
        threading.Thread(target=_carry_out, args=arguments, name=f"confbus-errand-{self._name}", daemon=True).start()
        self._out, self._since = out, time.monotonic()
        return out


def _carry_out(
    runner: asyncio.Runner, work: Callable[[], Coroutine[Any, Any, T]], deadline_s: float, out: Future[T]
) -> None:
    try:
        result = runner.run(asyncio.wait_for(work(), deadline_s))
    except BaseException as error:  # noqa: BLE001 — handed to whoever asked
        out.set_exception(error)
    else:
        out.set_result(result)


def _close(runner: asyncio.Runner) -> None:
    """Close the loop; not here, because what still hangs in its executor would be waited for."""
    threading.Thread(target=_close_quietly, args=(runner,), name="confbus-errand-end", daemon=True).start()


def _close_quietly(runner: asyncio.Runner) -> None:
    try:
        runner.close()
    except RuntimeError:  # Its last errand never came back, and still runs in it.
        return
