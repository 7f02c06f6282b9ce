"""Work on its way in a thread of its own, because whoever wants its result has other things to do."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


def take_off(work: Callable[[], T], *, name: str, landed: Callable[[], object]) -> Future[T]:
    """The future of `work`, begun now; `landed` is called from its thread when it is done, however it went.

    The process may end meanwhile: nobody waits for the thread. An executor of the library would.
    """
    flight: Future[T] = Future()

    def fly() -> None:
        try:
            result = work()
        except Exception as error:  # noqa: BLE001 — carried to whoever asks for the result
            flight.set_exception(error)
        else:
            flight.set_result(result)
        landed()

    threading.Thread(target=fly, name=name, daemon=True).start()
    return flight
