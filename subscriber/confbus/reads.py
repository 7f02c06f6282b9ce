"""What a worker reads: values, sections, views, pins and changes of its local copy.

Reading is a memory access: no lock, no network, no Python frame for `config["a.b"]`. Where the local copy comes from,
`subscriber` knows.
"""

from __future__ import annotations

from confbus.local import ABSENT, Local

TYPE_CHECKING = False
if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable, Iterable
    from types import UnionType
    from typing import Any, TypeVar, overload

    from confbus.changes import Subscription
    from confbus.pins import Pin
    from confbus.views.view import Kind, View
    from confbus.wire import path as paths
    from confbus.wire.diff import Change
    from confbus.wire.frozen import Frozen
    from confbus.wire.snapshot import Snapshot

    T = TypeVar("T")
    D = TypeVar("D")


class Reads:
    """The reading side of a subscriber. Safe from any thread."""

    __slots__ = ("_find", "_local", "_read")

    def __init__(self, *, validators: Iterable[Callable[[Snapshot], object]]) -> None:
        self._local = Local(validators=validators, on_swap=self._swap)
        self._read: Callable[[Any], Any] = lambda path: self.snapshot[path]
        self._find: Callable[[Any, Any], Any] = lambda _path, default: default

    if TYPE_CHECKING:

        def __getitem__(self, path: str | paths.Path) -> Any: ...

    def get(self, path: str | paths.Path, default: Any = None, *, max_age: float | None = None) -> Any:
        """The value at `path`; `default` only where there is none (a null is None).

        With `max_age` (seconds) the value must have been confirmed by Redis since: an older one gives way to `default`,
        and raises `Stale` where that is None.
        """
        if max_age is not None and not self._is_fresh(path, max_age, can_do_without=default is not None):
            return default
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

        find_pinned = self._local.pinned
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

    def _swap(self, snapshot: Snapshot) -> None:
        self._read_by(*snapshot.fast_reads())

    def _read_by(self, find: Callable[[Any, Any], Any], read: Callable[[Any], Any]) -> None:
        self._find, self._read = find, read

    def _is_fresh(self, path: str | paths.Path, max_age_s: float, *, can_do_without: bool) -> bool:
        """Whether Redis confirmed what is read since; raises `Stale` when not, and the caller cannot do without."""
        raise NotImplementedError

    def _first_snapshot(self) -> Snapshot:
        """What is read where nothing was yet: waited for, or an error that says why there is none."""
        raise NotImplementedError


Reads.__getitem__ = Reads.__dict__["_read"]  # type: ignore[method-assign]  # as in Snapshot: no Python frame
