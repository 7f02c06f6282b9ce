"""The local copy: what the readers of one subscriber read, and the one place where that changes.

A candidate is judged whole (every view is built of it, every validator asked), then swapped in by one assignment after
the other. Readers take no lock; whoever changes what is read, or how it is judged, holds `changing`.
"""

from __future__ import annotations

import threading

from confbus import candidate
from confbus.changes import Dispatcher
from confbus.errors import InvalidSettings, UnknownPath, ViewFailed
from confbus.pins import Pins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from confbus.overlay import Overlay
    from confbus.views.view import Built, View
    from confbus.wire.snapshot import Snapshot

ABSENT: Any = object()
"""What stands for no value and no default, where None is one."""
Validator = "Callable[[Snapshot], object]"


class Local:
    """The newest accepted snapshot of one subscriber. `on_swap` is called with each one, before anybody is told."""

    __slots__ = (
        "_on_swap",
        "_wakers",
        "changing",
        "dispatcher",
        "moved",
        "overlay",
        "pins",
        "snapshot",
        "validators",
        "views",
    )

    def __init__(
        self, *, validators: Iterable[Callable[[Snapshot], object]], on_swap: Callable[[Snapshot], None]
    ) -> None:
        self.validators = tuple(validators)
        self.overlay: Overlay | None = None
        self.views: list[View[Any]] = []
        self.snapshot: Snapshot | None = None
        self.dispatcher = Dispatcher(lambda: self.snapshot)
        self.moved = threading.Condition()
        self.changing = threading.RLock()
        self.pins = Pins(lambda: self.snapshot)
        self._on_swap = on_swap
        self._wakers: set[Callable[[], None]] = set()

    def receive(self, release: Snapshot) -> str:
        """Offer what a release says, with the overlay of this instance over it."""
        if self.overlay is None:
            return self.offer(release)
        with self.changing:
            try:
                snapshot = self.overlay.over(release)
            except InvalidSettings as error:
                return str(error)
            return self.offer(snapshot)

    def offer(self, snapshot: Snapshot) -> str:
        """Judge `snapshot`, and make it what is read; or why it was refused, and then nothing changed."""
        with self.changing:
            built: list[Built] = []
            reason = self._objection(snapshot, built)
            if reason:
                return reason
            # The reads come first: whoever waits for a snapshot reads as soon as there is one.
            self._on_swap(snapshot)
            for each in built:
                each.show()
            self.snapshot = snapshot
        self.pins.release()
        self.tell()
        self.dispatcher.announce()
        return ""

    def objection(self, snapshot: Snapshot) -> str:
        """Why `snapshot` would be refused; empty when it would not."""
        with self.changing:
            return self._objection(snapshot, [])

    def bind(self, view: View[Any]) -> View[Any]:
        """Let `view` show what runs, and judge what comes, in one step; or the one that does already. Raises what its
        `build` does, and then nothing changed."""
        with self.changing:
            known = next((each for each in self.views if each.is_like(view)), None)
            if known is None:
                if self.snapshot is not None:
                    view.build(self.snapshot).show()
                self.views.append(view)
        return known or view

    @property
    def judges(self) -> int:
        """How many have a say in what runs here."""
        return len(self.validators) + len(self.views)

    def tell(self) -> None:
        """Let those who wait look again."""
        with self.moved:
            self.moved.notify_all()
            wakers = tuple(self._wakers)
        for wake in wakers:
            wake()

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake`, which must neither wait nor raise, whenever those who wait are to look again."""
        with self.moved:
            self._wakers.add(wake)

    def unlisten(self, wake: Callable[[], None]) -> None:
        with self.moved:
            self._wakers.discard(wake)

    def runs(self, version: int) -> bool:
        """True when `version` or a later one is read here."""
        return self.snapshot is not None and self.snapshot.version >= version

    def _objection(self, snapshot: Snapshot, built: list[Built]) -> str:
        """Why a view or a validator refuses `snapshot`, or empty; `built` gets what all views would show."""
        try:
            self._build(snapshot, built)
            reason = candidate.objection(self.validators, snapshot)
            self._build(snapshot, built)  # what a validator has bound
        except ViewFailed as error:
            return f"{error.path}: {error.reason}" if error.path else error.reason
        except UnknownPath as error:
            return f"{error.path}: a view needs it, and it is not there"
        return reason

    def _build(self, snapshot: Snapshot, built: list[Built]) -> None:
        while len(built) < len(self.views):  # what builds a view may bind others
            built.append(self.views[len(built)].build(snapshot))

    def renew(self) -> None:
        """In a forked child: locks that a thread of the parent held are nobody's now, and its threads are gone."""
        self.moved = threading.Condition()
        self.changing = threading.RLock()
        self.pins.renew()
        self._wakers = set()  # they wake loops of the parent
        if self.snapshot is not None:  # a thread of the parent may have been between one assignment and the next
            self._on_swap(self.snapshot)
        self.dispatcher.renew()
