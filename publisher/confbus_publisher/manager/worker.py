"""One thread that does what others ask for, one thing after the other, and something by itself in between."""

from __future__ import annotations

import logging
import threading
import time
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confbus.errors import Closed

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

_log = logging.getLogger("confbus_publisher")
_AFTER_FAILURE_S = 5.0


@dataclass(slots=True)
class _Job:
    work: Callable[[], Any]
    key: Hashable
    answers: list[Future[Any]] = field(default_factory=list[Future[Any]])


class Worker:
    """Calls `rest` whenever nothing is asked for and it is due: it returns in how many seconds it is due again.

    The thread begins with the first thing that is asked for. `leave` is called at the very end, in that thread when
    there is one; `left` is done after it. Everything here may be called from any thread.
    """

    def __init__(self, name: str, *, rest: Callable[[], float], leave: Callable[[], object]) -> None:
        self._rest = rest
        self._leave = leave
        self._jobs: list[_Job] = []
        self._changed = threading.Condition()
        self._due_at = float("inf")
        self._is_ending = False
        self.left: Future[None] = Future()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def ask(self, work: Callable[[], Any], *, key: Hashable = None) -> Future[Any]:
        """What `work` will have returned or raised. What waits with the same `key` is done once for all who asked.

        After the end it fails with `Closed`.
        """
        answer: Future[Any] = Future()
        with self._changed:
            if self._is_ending:
                answer.set_exception(_closed())
                return answer
            job = next((job for job in self._jobs if key is not None and job.key == key), None)
            if job is None:
                job = _Job(work, key)
                self._jobs.append(job)
            job.answers.append(answer)
            if self._thread.ident is None:
                self._thread.start()
            self._changed.notify_all()
        return answer

    def look(self, *, in_s: float = 0.0) -> None:
        """Let `rest` be due in `in_s` seconds, unless it is before that."""
        with self._changed:
            self._due_at = min(self._due_at, time.monotonic() + in_s)
            self._changed.notify_all()

    def end(self) -> None:
        """Finish what is at hand, then leave; does not wait for it."""
        with self._changed:
            was_ending, self._is_ending = self._is_ending, True
            self._changed.notify_all()
        if self._thread.ident is None and not was_ending:
            self._end()

    def _run(self) -> None:
        try:
            while (job := self._next()) is not None:
                _carry_out(job)
                del job  # Whoever asked may be let go while this thread waits.
        finally:
            self._end()

    def _end(self) -> None:
        try:
            self._leave()
        except Exception:  # noqa: BLE001 — whoever waits for the end must not wait for ever
            _log.exception("leaving failed")
        for answer in (answer for job in self._jobs for answer in job.answers):
            if answer.set_running_or_notify_cancel():
                answer.set_exception(_closed())
        self.left.set_result(None)

    def _next(self) -> _Job | None:
        """The next job; `rest` itself when nobody asked; None at the end."""
        with self._changed:
            while not self._jobs and not self._is_ending:
                wait_s = self._due_at - time.monotonic()
                if wait_s <= 0:
                    self._due_at = float("inf")
                    return _Job(self._take_rest, None)
                self._changed.wait(wait_s if wait_s < threading.TIMEOUT_MAX else None)
            return None if self._is_ending else self._jobs.pop(0)

    def _take_rest(self) -> None:
        try:
            again_s = self._rest()
        except Exception:  # noqa: BLE001 — the last edge: if this thread ended, nothing would be kept up to date
            _log.exception("looking after the configuration failed, and is tried again")
            again_s = _AFTER_FAILURE_S
        self.look(in_s=again_s)


def _carry_out(job: _Job) -> None:
    awaited = [answer for answer in job.answers if answer.set_running_or_notify_cancel()]
    if not awaited and job.answers:
        return
    try:
        result = job.work()
    except BaseException as error:  # noqa: BLE001 — handed to whoever asked
        for answer in awaited:
            answer.set_exception(error)
    else:
        for answer in awaited:
            answer.set_result(result)


def _closed() -> Closed:
    return Closed("This configuration manager was stopped.", advice="Make a new one.")
