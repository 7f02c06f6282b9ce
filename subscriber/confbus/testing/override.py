"""Other values for a while: in one context (a thread, an asyncio task), or in the whole process."""

from __future__ import annotations

import functools
import gc
import inspect
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from confbus import forks
from confbus.errors import ConfigRefused, NotStarted
from confbus.subscriber import Subscriber
from confbus.testing.edited import edited
from confbus.wire import codec
from confbus.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from confbus.local import Local
    from confbus.pins import Pin
    from confbus.wire import path as paths

P = ParamSpec("P")
R = TypeVar("R")


class override:  # noqa: N801 — used as a statement: `with override({...}):`
    """Reads of `config` see `changes` (path to value) instead, and nothing at the paths of `remove`.

    `override({...})` without a `config` is for the only subscriber that is open in this process when it is entered.

    A context manager, and a decorator of functions and coroutine functions; nested ones add up. It counts in the
    thread or asyncio task that entered it, in tasks made inside, and for `view.pinned`; other threads and tasks, those
    that are started inside included, and `view.current` see nothing of it. With `everywhere` the whole process and
    `view.current` see it, and callbacks are called; a release that arrives meanwhile ends it. A release that arrives
    inside an override of a context is read after it.

    `config` may be a function that gives it, for decorators in modules that are imported before it is there. Entering
    raises `ConfigRefused` when a view or a validator refuses the result, `InvalidDocument` for what cannot be
    configuration, and `UnknownPath` for what cannot be removed.
    """

    if TYPE_CHECKING:

        @overload
        def __init__(
            self,
            changes: Mapping[str, Any] | Mapping[str | paths.Path, Any],
            /,
            *,
            remove: Iterable[str | paths.Path] = ...,
            everywhere: bool = ...,
        ) -> None: ...
        @overload
        def __init__(
            self,
            config: Subscriber | Callable[[], Subscriber],
            changes: Mapping[str, Any] | Mapping[str | paths.Path, Any],
            /,
            *,
            remove: Iterable[str | paths.Path] = ...,
            everywhere: bool = ...,
        ) -> None: ...

    def __init__(
        self,
        config: Any,
        changes: Any = None,
        /,
        *,
        remove: Iterable[str | paths.Path] = (),
        everywhere: bool = False,
    ) -> None:
        if changes is None:
            config, changes = _only_one, config
        self._config: Subscriber | Callable[[], Subscriber] = config
        self._changes = dict[Any, Any](changes)
        self._removed = tuple(remove)
        self._is_everywhere = everywhere
        self._entered: list[_InContext | _Everywhere] = []

    def __enter__(self) -> Snapshot:
        entered = self._opened()
        self._entered.append(entered)
        return entered.snapshot

    def __exit__(self, *_exception: object) -> None:
        self._entered.pop().end()

    def __call__(self, function: Callable[P, R]) -> Callable[P, R]:
        """`function`, each call of which is inside. Raises `TypeError` for classes and generator functions: what they
        do happens after the call."""
        is_later = inspect.isgeneratorfunction(function) or inspect.isasyncgenfunction(function)
        if is_later or inspect.isclass(function):
            name = getattr(function, "__qualname__", function)
            raise TypeError(f"{name} is no function that is over when it returns. Use `with override(…)` inside it.")
        if inspect.iscoroutinefunction(function):

            async def inside(*args: Any, **kwargs: Any) -> Any:
                entered = self._opened()  # not on the stack: calls may overlap, and end in any order
                try:
                    return await function(*args, **kwargs)
                finally:
                    entered.end()

            wrapper: Any = inside
        else:

            def around(*args: Any, **kwargs: Any) -> Any:
                entered = self._opened()
                try:
                    return function(*args, **kwargs)
                finally:
                    entered.end()

            wrapper = around
        functools.update_wrapper(wrapper, function)
        return wrapper  # type: ignore[no-any-return]  # either of the two

    def _opened(self) -> _InContext | _Everywhere:
        config = self._config if isinstance(self._config, Subscriber) else self._config()
        read = local_of(config).snapshot if self._is_everywhere else None
        snapshot = _changed(config.snapshot if read is None else read, self._changes, self._removed)
        return (_Everywhere if self._is_everywhere else _InContext)(config, snapshot)


def _only_one() -> Subscriber:
    """The subscriber that is open in this process. Raises `NotStarted` when there is none, or more than one."""
    if len(_open()) > 1:
        gc.collect()  # those that nobody holds any more do not count
    found = _open()
    if len(found) != 1:
        reason = f"{len(found)} subscribers are" if found else "No subscriber is"
        raise NotStarted(
            f"{reason} open in this process, and override({{…}}) is for the only one",
            advice="Name it: override(config, {…}).",
        )
    return found[0]


def _open() -> list[Subscriber]:
    # By its type alone: lazy objects of other kinds answer `isinstance` by making what they stand for.
    watched: list[Any] = [each for each in forks.watched() if issubclass(type(each), Subscriber)]
    return [each for each in watched if not each.is_closed]


def local_of(config: Any) -> Local:
    """What a subscriber reads from. Private to everybody else: this kit belongs to the house."""
    local: Local = config._local
    return local


class _InContext:
    """A pin of what is read instead."""

    def __init__(self, config: Any, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        local = local_of(config)
        reason = local.objection(snapshot)
        if reason:
            raise ConfigRefused(snapshot.version, reason)
        self._pin: Pin = local.pins.pin(config, snapshot)
        self._pin.__enter__()

    def end(self) -> None:
        self._pin.__exit__()


class _Everywhere:
    """What is read instead, offered to the local copy as a release is, and taken back if nothing newer came."""

    def __init__(self, config: Any, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self._local = local_of(config)
        with self._local.changing:
            self._before = self._local.snapshot
            reason = self._local.offer(snapshot)
        if reason:
            raise ConfigRefused(snapshot.version, reason)

    def end(self) -> None:
        with self._local.changing:
            if self._local.snapshot is self.snapshot and self._before is not None:
                self._local.offer(self._before)


def _changed(base: Snapshot, changes: Mapping[Any, Any], removed: Iterable[str | paths.Path]) -> Snapshot:
    """What a release with these changes would be read as."""
    blob = codec.encode(edited(base, changes, remove=removed))
    return Snapshot(
        codec.decode(blob, what="an override"),
        version=base.version,
        revision=base.revision,
        epoch=base.epoch,
        digest=codec.digest(blob),
        at_ms=round(base.published_at.timestamp() * 1000),
    )
