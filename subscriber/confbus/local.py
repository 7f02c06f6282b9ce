"""The local copy: what the readers of one subscriber read, and the one place where that changes.

A candidate is judged whole (every view is built of it, every validator asked), then swapped in by one assignment after
the other. Readers take no lock; whoever changes what is read, or how it is judged, holds `changing`.
"""

from __future__ import annotations

import _thread

from confbus import importing
from confbus.errors import InvalidSettings, UnknownPath, ViewFailed
from confbus.unsealing import Unsealing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from threading import Condition
    from typing import Any

    from confbus.changes import Dispatcher
    from confbus.measures import Measures
    from confbus.overlay import Overlay
    from confbus.pins import Pins
    from confbus.secrets.resolver import Resolver
    from confbus.views.view import Built, View
    from confbus.wire.snapshot import Snapshot

ABSENT: Any = object()
"""What stands for no value and no default, where None is one."""
SECRETS_REFRESH_S = 30.0
Validator = "Callable[[Snapshot], object]"


class Local:
    """The newest accepted snapshot of one subscriber. `on_swap` is called with each one, before anybody is told, and
    `on_answer` from any thread when a vault has answered, or does not."""

    __slots__ = (
        "_dispatcher",
        "_making",
        "_moved",
        "_on_swap",
        "_pins",
        "_wakers",
        "_waking",
        "changing",
        "measures",
        "on_answer",
        "overlay",
        "resolver",
        "secrets_refresh_s",
        "snapshot",
        "unsealing",
        "validators",
        "views",
    )

    def __init__(
        self, *, validators: Iterable[Callable[[Snapshot], object]], on_swap: Callable[[Snapshot], None]
    ) -> None:
        self.validators = tuple(validators)
        self.overlay: Overlay | None = None
        self.resolver: Resolver | None = None
        self.secrets_refresh_s = SECRETS_REFRESH_S
        self.unsealing = Unsealing()
        self.measures: Measures | None = None
        self.views: list[View[Any]] = []
        self.snapshot: Snapshot | None = None
        self._dispatcher: Dispatcher | None = None
        self.on_answer: Callable[[], None] = lambda: None
        self.changing = _thread.RLock()
        self._pins: Pins | None = None
        self._on_swap = on_swap
        self._moved: Condition | None = None
        self._wakers: set[Callable[[], None]] = set()
        self._making = _thread.allocate_lock()  # not `changing`: who holds that may be judging for long
        self._waking = _thread.allocate_lock()

    def receive(self, release: Snapshot, *, waits: bool = True) -> str:
        """Offer what a release says, with the overlay of this instance over it, and secrets in place of references.
        Who does not wait for a vault (`waits`) gets `Awaited` raised while it is asked for the first time."""
        if self.overlay is None and self.resolver is None and not release.references:
            return self.offer(release)
        with self.changing:
            try:
                snapshot = self.overlay.over(release) if self.overlay else release
            except InvalidSettings as error:
                return str(error)
            return self._resolver().receive(release, snapshot, self.offer, waits=waits)

    def refresh(self) -> bool:
        """Put in what secret references lead to now; what is read stays when somebody objects. True when a secret has
        come for want of which a release was refused."""
        if self.resolver is None or not self.resolver.is_due():
            return False
        with self.changing:
            return self.resolver.refresh(self.receive)

    def offer(self, snapshot: Snapshot) -> str:
        """Judge `snapshot`, and make it what is read; or why it was refused, and then nothing changed."""
        with self.changing:
            built: list[Built] = []
            reason = self._refusal(snapshot, built)
            if reason:
                return reason
            # The reads come first: whoever waits for a snapshot reads as soon as there is one.
            self._on_swap(snapshot)
            for each in built:
                each.show()
            self.snapshot = snapshot
        if self._pins is not None:
            self._pins.release()
        self.tell()
        self.announce()
        return ""

    def objection(self, snapshot: Snapshot) -> str:
        """Why `snapshot` would be refused; empty when it would not."""
        with self.changing:
            return self._refusal(snapshot, [])

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

    def _resolver(self) -> Resolver:
        if self.resolver is None:
            with importing.guard:
                from confbus.secrets.resolver import Resolver

            answered = lambda: self.on_answer()  # noqa: E731, PLW0108 — in a forked child it is another one
            self.resolver = Resolver(self.secrets_refresh_s, answered)
        return self.resolver

    @property
    def is_asking(self) -> bool:
        """Whether a vault may answer soon."""
        return self.resolver is not None and self.resolver.is_asking

    @property
    def problem(self) -> str:
        """Why there are no keys, when that is a fault, or why a secret may be older than it should."""
        return self.unsealing.problem or (self.resolver.problem if self.resolver else "")

    @property
    def judges(self) -> int:
        """How many have a say in what runs here."""
        return len(self.validators) + len(self.views)

    @property
    def pins(self) -> Pins:
        """Whoever keeps versions for contexts, made for the first one who asks."""
        if self._pins is None:
            from confbus.pins import Pins

            with self._making:
                self._pins = self._pins or Pins(lambda: self.snapshot)
        return self._pins

    def pinned(self) -> Snapshot | None:
        """The version that is pinned in this context; None without a pin."""
        return None if self._pins is None else self._pins.snapshot()

    @property
    def dispatcher(self) -> Dispatcher:
        """Whoever calls people back, made for the first one who asks."""
        if self._dispatcher is None:
            from confbus.changes import Dispatcher

            with self._making:
                self._dispatcher = self._dispatcher or Dispatcher(lambda: self.snapshot)
                self._dispatcher.measures = self.measures
        return self._dispatcher

    def measure(self) -> Measures:
        """What is timed here from the first call on."""
        if self.measures is None:
            from confbus.measures import Measures

            with self._making:
                self.measures = self.measures or Measures()
                if self._dispatcher is not None:
                    self._dispatcher.measures = self.measures
        return self.measures

    def announce(self) -> None:
        """Let subscriptions look at what is read now."""
        if self._dispatcher is not None:
            self._dispatcher.announce()

    def close(self) -> None:
        """Let those who wait look again, and start no more calls."""
        self.tell()
        if self._dispatcher is not None:
            self._dispatcher.close()

    def tell(self) -> None:
        """Let those who wait look again."""
        moved = self._moved
        if moved is not None:
            with moved:
                moved.notify_all()
        with self._waking:
            wakers = tuple(self._wakers)
        for wake in wakers:
            wake()

    def listen(self, wake: Callable[[], None]) -> None:
        """Call `wake`, which must neither wait nor raise, whenever those who wait are to look again."""
        with self._waking:
            self._wakers.add(wake)

    def unlisten(self, wake: Callable[[], None]) -> None:
        with self._waking:
            self._wakers.discard(wake)

    def wait_for(self, is_over: Callable[[], bool], timeout_s: float | None = None) -> bool:
        """Wait until `is_over`, which is asked again whenever somebody calls `tell`; False when time is up."""
        if self._moved is None:
            import threading  # whoever reads what is there already does without

            # Whoever tells now finds none and goes on; then `is_over`, asked afterwards, sees what he did before.
            self._moved = threading.Condition()
        moved = self._moved
        with moved:
            return moved.wait_for(is_over, timeout_s)

    def runs(self, version: int) -> bool:
        """True when `version` or a later one is read here."""
        return self.snapshot is not None and self.snapshot.version >= version

    def _refusal(self, snapshot: Snapshot, built: list[Built]) -> str:
        """Why a view or a validator refuses `snapshot`, or empty; `built` gets what all views would show. Nothing that
        came sealed is in it, though whoever refuses may quote that: the fleet is told in plain text."""
        reason = self._judgement(snapshot, built)
        # The keys of a snapshot are paths; here they must be keys.
        return self.unsealing.without_sealed(reason, dict(snapshot)) if reason else ""

    def _judgement(self, snapshot: Snapshot, built: list[Built]) -> str:
        try:
            self._build(snapshot, built)
            reason = objection(self.validators, snapshot)
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
        self._moved = None
        self._making = _thread.allocate_lock()
        self._waking = _thread.allocate_lock()
        self._wakers = set()  # they wake loops of the parent
        self.changing = _thread.RLock()
        if self._pins is not None:
            self._pins.renew()
        if self.measures is not None:
            self.measures.renew()
        if self.resolver is not None:
            self.resolver.renew()
        if self.snapshot is not None:  # a thread of the parent may have been between one assignment and the next
            self._on_swap(self.snapshot)
        if self._dispatcher is not None:
            self._dispatcher.renew()


def objection(validators: Iterable[Callable[[Snapshot], object]], new: Snapshot) -> str:
    """Why the first validator that refuses what would be read does so; empty when none does."""
    for validator in validators:
        try:
            validator(new)
        except BaseException as error:  # a user's code; whatever it raises is its veto
            if is_ctrl_c(error):
                raise
            name = getattr(validator, "__qualname__", type(validator).__name__)
            return f"{name}: {error}" if str(error) else f"{name}: {type(error).__name__}"
    return ""


def is_ctrl_c(error: BaseException) -> bool:
    """True for what Ctrl-C raises. Python raises it in the main thread alone: anywhere else it is others' code that
    does, as it may raise anything, and the thread that everybody needs must not end of it."""
    import threading

    return isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread()
