"""confbus in Celery: one version for each task. Workers follow by themselves, also in the prefork pool."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from celery.signals import task_postrun, task_prerun, worker_process_shutdown

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager


class Pinnable(Protocol):
    """A subscriber, or what stands for one."""

    def pin(self) -> AbstractContextManager[object]: ...


def pin_tasks(config: Pinnable) -> Callable[[], None]:
    """From now on everything that a task reads of `config` is of the release that it began with, in every pool.

    A retry is a new run, and begins with the newest release. A process of the pool that ends in order leaves the fleet,
    which the interpreter's end does not do there. Call what is returned to end all this.
    """
    pins: dict[str, AbstractContextManager[object]] = {}

    def begin(task_id: str, **_facts: Any) -> None:
        pins[task_id] = config.pin()
        pins[task_id].__enter__()

    def end(task_id: str, **_facts: Any) -> None:
        pinned = pins.pop(task_id, None)
        if pinned is not None:
            pinned.__exit__(None, None, None)

    signals: Any = task_prerun, task_postrun, worker_process_shutdown
    receivers = begin, end, _leave
    for signal, receiver in zip(signals, receivers, strict=True):
        signal.connect(receiver, weak=False)

    def stop() -> None:
        for signal, receiver in zip(signals, receivers, strict=True):
            signal.disconnect(receiver)

    return stop


def _leave(**_facts: Any) -> None:
    from confbus.driver import depart

    depart()
