"""The object that a worker reads its configuration from.

Reading is a memory access: no lock, no network, no Python frame for `config["a.b"]`. A daemon thread (`driver`) follows
Redis and swaps the snapshot of the local copy; everything it decides is in `follower`.
"""

from __future__ import annotations

from confbus import driver
from confbus.beginning import Beginning, new_instance
from confbus.dial import dialled
from confbus.errors import Closed, ConnectFailed, WaitTimeout
from confbus.follower import Timing
from confbus.following import Following
from confbus.local import ABSENT, Local
from confbus.wire.keys import Keys
from confbus.wire.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable, Iterable, Mapping
    from types import UnionType
    from typing import Any, NoReturn, Self, TypeVar, overload

    from redis import Redis

    from confbus.change_iterator import ChangeIterator
    from confbus.changes import Subscription
    from confbus.explanation import Explanation
    from confbus.overlay import Overlay
    from confbus.pins import Pin
    from confbus.status import Status
    from confbus.views.view import Kind, View
    from confbus.wire import path as paths
    from confbus.wire.diff import Change
    from confbus.wire.frozen import Frozen
    from confbus.wire.snapshot import Snapshot

    T = TypeVar("T")
    D = TypeVar("D")


class Subscriber(Beginning):
    """A configuration that stays current by itself. `confbus.connect` makes and starts one.

    `url` leads to Redis (docs/connecting.md); `password_file` has its password and is read for each new connection;
    `client` makes a redis-py client to go by in place of a URL.

    `views` are bound, as by `bind`, to the paths that are their keys.
    `validators` are called with each new snapshot before it is read; one that raises keeps the old configuration and
    reports the reason to the fleet. `overlay` (a mapping, or `confbus.env(…)`) has values for this instance alone, over
    every release; see docs/pins.md. `labels` describe this instance to the fleet. `observer` is called from the
    following thread with the status whenever it changes, and after each notice. Reads are safe from any thread.
    """

    __slots__ = ("_dial", "_find", "_read", "namespace")

    def __init__(
        self,
        url: str = "",
        *,
        namespace: str,
        views: Mapping[str, Kind[Any]] | None = None,
        password_file: str = "",
        client: Callable[[], Redis] | None = None,
        validators: Iterable[Callable[[Snapshot], object]] = (),
        overlay: Overlay | Mapping[Any, Any] | None = None,
        labels: Mapping[str, str] | None = None,
        timing: Timing | None = None,
        prefix: str = "confbus",
        is_reporting: bool = True,
        observer: Callable[[Status], object] | None = None,
    ) -> None:
        self.namespace = namespace
        keys = Keys(namespace, prefix=prefix)
        self._dial = dialled(url, keys, password_file=password_file, client=client)
        local = Local(validators=validators, on_swap=self._swap)
        if overlay is not None:
            from confbus.overlay import overlay_of

            local.overlay = overlay_of(overlay)
        following = Following(
            local,
            replace(keys, database=self._dial.database),
            instance=new_instance(),
            labels=dict(labels or {}),
            timing=timing or Timing(),
            is_reporting=is_reporting,
            observer=observer,
        )
        super().__init__(local, following)
        self._read: Callable[[Any], Any] = lambda path: self.snapshot[path]
        self._find: Callable[[Any, Any], Any] = lambda _path, default: default
        for path, kind in (views or {}).items():
            self.bind(path, kind)

    @property
    def instance(self) -> str:
        """Which one this is in the fleet: host, process and a random part; another one after a fork."""
        return self._following.instance

    def start(self, *, timeout_s: float = 30.0) -> Subscriber:
        """Begin to follow, and wait for the first snapshot. Raises `ConnectFailed` when none comes in time."""
        self.follow()
        moved = self._local.moved
        with moved:
            if not moved.wait_for(lambda: self._local.snapshot is not None or self._is_closing, timeout_s):
                self._not_ready("", timeout_s)
        return self

    def follow(self) -> Subscriber:
        """Begin to follow, and return at once; reading raises `ConnectFailed` until the first snapshot is there."""
        with self._lock:
            self._is_wanted = True
            if self._driver is None and not self._is_closing:
                self._driver = driver.drive(self._dial, self._following)
        return self

    if TYPE_CHECKING:

        def __getitem__(self, path: str | paths.Path) -> Any: ...

    def get(self, path: str | paths.Path, default: Any = None) -> Any:
        """The value at `path`; `default` only where there is none (a null is None)."""
        value = self._find(path, ABSENT)
        return self.snapshot.get(path, default) if value is ABSENT else value

    def section(self, path: str | paths.Path) -> Frozen:
        """The mapping at `path`, frozen. Raises `UnknownPath`, and `TypeError` when it is no mapping."""
        return self.snapshot.section(path)

    def __contains__(self, path: object) -> bool:
        return path in self.snapshot

    @property
    def snapshot(self) -> Snapshot:
        """The newest accepted release, or the pinned one; to be held while several reads must agree."""
        snapshot = self._local.snapshot
        return self._first_snapshot() if snapshot is None else snapshot

    if TYPE_CHECKING:

        @overload
        def bind(self, path: str | paths.Path, kind: Kind[T], *, extra: str = ...) -> View[T]: ...
        @overload
        def bind(self, path: str | paths.Path, kind: Kind[T], *, default: D, extra: str = ...) -> View[T | D]: ...
        @overload
        def bind(
            self, path: str | paths.Path, kind: UnionType, *, default: Any = ..., extra: str = ...
        ) -> View[Any]: ...

    def bind(self, path: str | paths.Path, kind: Any, *, default: Any = ABSENT, extra: str = "refuse") -> View[Any]:
        """A view of what is at `path` as a `kind`: a type, or a function that makes something of the frozen value.

        From now on each release must fit it: one that does not is refused. `default` is shown while there is nothing
        at `path`; without one, that is refused as well. `extra="ignore"` lets dataclasses and the like pass over keys
        that they have no field for. Once there is a release, raises `ViewFailed` or `UnknownPath` when the running one
        does not fit, and then nothing is bound. `InvalidSettings` for a type that no configuration becomes. The same
        `path` and `kind` give the same view.
        """
        from confbus.views.view import View

        find_pinned = self._local.pins.snapshot
        return self._local.bind(
            View(path, kind, default=default, extra=extra, wait=self._first_snapshot, find_pinned=find_pinned)
        )

    def pin(self) -> Pin:
        """In `with config.pin() as snapshot:` every read of `config` is of that one version, in this thread or task and
        in tasks made inside. A pin inside a pin holds the version of the outer one. When the block ends, its version
        is let go everywhere: a task that outlives it reads the newest again, as soon as no other pin has that version.
        """
        _ = self.snapshot  # raises when there is none yet
        return self._local.pins.pin(self)

    def subscribe(self, callback: Callable[[list[Change]], object], path: str = "**") -> weakref.ref[Subscription]:
        """Call `callback` with the list of changed leaves under `path` after each new release, on another thread.

        Functions and lambdas are kept; bound methods are not (their object going away ends the subscription). When
        releases come faster than the callback, it sees one change from what it saw last to the newest.
        """
        return self._local.dispatcher.subscribe(callback, path)

    def unsubscribe(self, subscription: weakref.ref[Subscription]) -> None:
        """End a subscription; no call of it starts after this returns."""
        self._local.dispatcher.unsubscribe(subscription)

    def changes(self, path: str = "**") -> ChangeIterator:
        """The changes under `path` from now on, for `for` (which waits) and `async for` (whose loop goes on). Each step
        gives the changed leaves of one or more releases, as a callback gets them; ends when this is closed."""
        from confbus.change_iterator import ChangeIterator

        return ChangeIterator(self._local, path, is_over=lambda: self._is_closing)

    def wait_for(self, *, version: int, timeout: float = 30.0) -> Snapshot:
        """The snapshot once `version` or a later one runs here. Raises `WaitTimeout` after `timeout` seconds."""
        self.postfork()
        if self._patience_s is not None:
            self.follow()
        moved, local = self._local.moved, self._local
        with moved:
            moved.wait_for(lambda: self._is_closing or local.runs(version), timeout)
            if local.snapshot is not None and local.runs(version):
                return local.snapshot
        if self._is_closing:
            raise Closed
        raise WaitTimeout(f"Version {version}", timeout, str(self.status()))

    def explain(self, path: str | paths.Path) -> Explanation:
        """Where the value at `path` was written, which layers of the merge lost to it, and who published it when.

        Asks Redis, so it may wait, and it raises `Unreachable`; `UnknownPath` when there is no value.
        """
        from confbus.explanation import explain

        return explain(self._dial, self._following.keys, self.snapshot, path)

    def status(self) -> Status:
        """Where this subscriber stands now."""
        self.postfork()
        status = self._following.status()
        return replace(status, state="closed") if self._is_closing else status

    def close(self) -> None:
        """Stop following, and tell the fleet so, within a second; the last snapshot stays readable. Safe to repeat."""
        with self._lock:
            if self._is_closing:
                return
            self._is_closing = True
        self._local.tell()
        self._local.dispatcher.close()
        if self._driver is not None:
            self._driver.dismiss(self._following)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Subscriber belongs to its process: connect in the other one, or send it `config.snapshot`.")

    def __repr__(self) -> str:
        running = self._local.snapshot.version if self._local.snapshot is not None else None
        return f"Subscriber({self.namespace!r}, version={running}, state={self.status().state!r})"

    def _swap(self, snapshot: Snapshot) -> None:
        self._read_by(*snapshot.fast_reads())

    def _read_by(self, find: Callable[[Any, Any], Any], read: Callable[[Any], Any]) -> None:
        self._find, self._read = find, read

    def _not_ready(self, _path: Any, timeout_s: float = 0.0) -> NoReturn:
        reason = self.status().hindrance if self._is_wanted else "it was not started"
        raise ConnectFailed(self._dial.where, self.namespace, timeout_s, reason)


Subscriber.__getitem__ = Subscriber.__dict__["_read"]  # type: ignore[method-assign]  # as in Snapshot: no Python frame
