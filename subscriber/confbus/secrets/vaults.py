"""The secrets of vaults that are in use: asked for in a thread of their own, so that a vault that is down keeps nobody
from following."""

from __future__ import annotations

import threading
import time

from confbus import importing
from confbus.secrets.unresolved import Unresolved

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from confbus.secrets.vault import Secret

DEADLINE_S = 5.0
_PATIENCE_S = 30.0
_OF_LEASE = 2 / 3


class Vaults:
    """What each path held when it was last asked for; a failure leaves that as it is. One thread uses this; `answered`
    is called in another whenever what was asked for is there, or is not."""

    def __init__(self, refresh_s: float, answered: Callable[[], None] = lambda: None) -> None:
        self._refresh_s = refresh_s
        self._answered = answered
        self._known: dict[str, Secret] = {}
        self._failures: dict[str, Unresolved] = {}
        self._due: dict[str, float] = {}
        self._asking: threading.Event | None = None
        self._asked: frozenset[str] = frozenset()
        self._patient_until = 0.0

    @property
    def is_asking(self) -> bool:
        """Whether there is somebody to wait for, who has not used up the patience of 5 seconds."""
        return self._asking is not None and not self._asking.is_set() and time.monotonic() < self._patient_until

    def read(self, name: str) -> Any:
        """The value at `path#field` as it is known. Raises `Unresolved` where nothing is."""
        path, _, field = name.partition("#")
        secret = self._known.get(path)
        if secret is None:
            word = "did not answer" if path in self._asked else "was not asked"
            raise self._failures.get(path) or Unresolved(f"the vault {word} yet")
        return secret.field(field)

    def failure(self, name: str) -> str:
        """Why what `read` gives may be old; empty when it is not."""
        failure = self._failures.get(name.partition("#")[0])
        return failure.reason if failure else ""

    def await_first(self, names: Iterable[str]) -> None:
        """Ask for what was never asked for, or long ago in vain, and wait for it, 5 seconds at most."""
        if self.ask_first(names) and self._asking is not None:
            self._asking.wait(DEADLINE_S)

    def ask_first(self, names: Iterable[str]) -> bool:
        """Ask for what was never asked for, or long ago in vain. True while there is reason to wait for that."""
        now = time.monotonic()
        unknown = [path for path in _paths(names) if path not in self._known]
        due = [path for path in unknown if self._due.get(path, 0.0) <= now]
        self._ask(due)
        return self.is_asking and not self._asked.union(due).isdisjoint(unknown)

    def ask_again(self, names: Iterable[str]) -> None:
        """Ask for all that is due, and wait for nothing."""
        now = time.monotonic()
        self._ask([path for path in _paths(names) if self._due.get(path, 0.0) <= now])

    def renew(self) -> None:
        """In a forked child: the thread that asks is the parent's."""
        self._asking = None

    def _ask(self, paths: list[str]) -> None:
        if not paths or (self._asking is not None and not self._asking.is_set()):
            return
        asking = self._asking = threading.Event()
        self._asked = frozenset(paths)
        self._patient_until = time.monotonic() + DEADLINE_S
        thread = threading.Thread(target=self._fetch, args=(paths, asking), name="confbus-vault", daemon=True)
        try:
            thread.start()
        except RuntimeError:  # a limit of threads, which may pass
            asking.set()

    def _fetch(self, paths: list[str], asking: threading.Event) -> None:
        ends_at = time.monotonic() + _PATIENCE_S
        try:
            with importing.guard:
                from confbus.secrets.vault import fetch
            for path in paths:
                if time.monotonic() > ends_at:
                    break  # the others are due still
                self._due[path] = time.monotonic() + min(self._refresh_s, DEADLINE_S)
                try:
                    secret = self._known[path] = fetch(path, deadline_s=DEADLINE_S)
                except Unresolved as failure:
                    self._failures[path] = failure
                except Exception as error:  # noqa: BLE001 — the last edge of this thread; its text may hold a secret
                    self._failures[path] = Unresolved(f"the vault could not be asked ({type(error).__name__})")
                else:
                    self._failures.pop(path, None)
                    self._due[path] = time.monotonic() + (secret.lease_s * _OF_LEASE or self._refresh_s)
        finally:
            asking.set()
            self._answered()


def _paths(names: Iterable[str]) -> list[str]:
    return sorted({name.partition("#")[0] for name in names})
