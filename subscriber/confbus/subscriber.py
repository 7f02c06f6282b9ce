"""The object that a worker reads its configuration from.

Reading is a memory access: no lock, no network, no Python frame for `config["a.b"]`. A daemon thread (`driver`) follows
Redis and swaps the snapshot of the local copy; everything it decides is in `follower`.
"""

from __future__ import annotations

import os

from confbus.beginning import Beginning
from confbus.dial import dialled
from confbus.errors import Closed, Stale, WaitTimeout
from confbus.local import SECRETS_REFRESH_S
from confbus.unsealing import Unsealing
from confbus.wire.keys import Keys
from confbus.wire.record import replace

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, NoReturn, Self

    from redis import Redis

    from confbus.change_iterator import ChangeIterator
    from confbus.explanation import Explanation
    from confbus.fallback import Fallback
    from confbus.following import Following
    from confbus.measures import Measures
    from confbus.open_keys import Source
    from confbus.overlay import Overlay
    from confbus.status import Status
    from confbus.timing import Timing
    from confbus.views.view import Kind
    from confbus.wire import path as paths
    from confbus.wire.snapshot import Snapshot


class Subscriber(Beginning):
    """A configuration that stays current by itself. `confbus.connect` makes and starts one.

    `url` leads to Redis (docs/connecting.md); `password_file` has its password and is read for each new connection;
    `client` makes a redis-py client to go by in place of a URL.

    `views` are bound, as by `bind`, to the paths that are their keys. `validators` are called with each new snapshot
    before it is read; one that raises keeps the old configuration and reports the reason to the fleet. `overlay` (a
    mapping, or `confbus.env(…)`) has values for this instance alone, over every release; see docs/pins.md. `fallback`
    is the path of a file that keeps the last known good for a start without Redis. `open_keys` opens sealed sections:
    the path of a keyring, or a function that gives one (docs/sealing.md); without it, the variable CONFBUS_OPEN_KEYS
    does, or the file that CONFBUS_OPEN_KEYS_FILE names. A release in which a section of `sealed` is not sealed is
    refused. Secret references are looked up again every `secrets_refresh_s` seconds (docs/secrets.md). `labels`
    describe this instance to the fleet. `observer` is called from the following thread with the status whenever it
    changes, and after each notice. Reads are safe from any thread.
    """

    __slots__ = ("_is_reporting", "_keys", "_labels", "_observer", "_timing")

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
        fallback: str | os.PathLike[str] = "",
        open_keys: Source = None,
        secrets_refresh_s: float = SECRETS_REFRESH_S,
        sealed: Iterable[str] = (),
        labels: Mapping[str, str] | None = None,
        timing: Timing | None = None,
        prefix: str = "confbus",
        is_reporting: bool = True,
        observer: Callable[[Status], object] | None = None,
    ) -> None:
        keys = Keys(namespace, prefix=prefix)
        dial = dialled(url, keys, password_file=password_file, client=client)
        super().__init__(namespace, dial, _fallback(fallback, namespace), validators)
        self._local.unsealing = Unsealing(namespace, open_keys, _sealed(sealed))
        self._local.secrets_refresh_s = secrets_refresh_s
        if overlay is not None:
            from confbus.overlay import overlay_of

            self._local.overlay = overlay_of(overlay)
        self._keys = replace(keys, database=dial.database)
        self._labels = dict(labels or {})
        self._timing = timing
        self._is_reporting = is_reporting
        self._observer = observer
        for path, kind in (views or {}).items():
            self.bind(path, kind)

    @property
    def instance(self) -> str:
        """Which one this is in the fleet: host, process and a random part; another one after a fork."""
        return self._engine().instance

    def changes(self, path: str = "**") -> ChangeIterator:
        """The changes under `path` from now on, for `for` (which waits) and `async for` (whose loop goes on). Each step
        gives the changed leaves of one or more releases, as a callback gets them; ends when this is closed."""
        from confbus.change_iterator import ChangeIterator

        return ChangeIterator(self._local, path, is_over=lambda: self._is_closing)

    def wait_for(self, *, version: int, timeout: float = 30.0) -> Snapshot:
        """The snapshot once `version` or a later one runs here. Raises `WaitTimeout` after `timeout` seconds."""
        self._follow_here()
        self._local.wait_for(lambda: self._is_closing or self._local.runs(version), timeout)
        return self._reached(version, timeout)

    async def wait_for_async(self, *, version: int, timeout: float = 30.0) -> Snapshot:  # noqa: ASYNC109 — as `wait_for`
        """As `wait_for`, while the event loop goes on."""
        from confbus.awaiting import moved

        self._follow_here()
        await moved(self._local, lambda: self._is_closing or self._local.runs(version), timeout)
        return self._reached(version, timeout)

    def explain(self, path: str | paths.Path) -> Explanation:
        """Where the value at `path` was written, which layers of the merge lost to it, and who published it when.

        Asks Redis, so it may wait, and it raises `Unreachable`; `UnknownPath` when there is no value.
        """
        from confbus.explanation import explain

        return explain(self._dial, self._keys, self.snapshot, path)

    @property
    def is_closed(self) -> bool:
        """True once somebody called `close`."""
        return self._is_closing

    def status(self) -> Status:
        """Where this subscriber stands now."""
        self.postfork()
        status = self._engine().status()
        return replace(status, state="closed") if self._is_closing else status

    def measure(self) -> Measures:
        """What is timed here from the first call on, for `confbus.metrics`."""
        return self._local.measure()

    def close(self) -> None:
        """Stop following, and tell the fleet so, within a second; the last snapshot stays readable. Safe to repeat."""
        with self._lock:
            if self._is_closing:
                return
            self._is_closing = True
        self._local.close()
        if self._driver is not None:
            self._driver.dismiss(self._engine())

    async def close_async(self) -> None:
        """As `close`, while the event loop goes on."""
        from asyncio import to_thread

        await to_thread(self.close)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close_async()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def __reduce__(self) -> NoReturn:
        raise TypeError("A Subscriber belongs to its process: connect in the other one, or send it `config.snapshot`.")

    def __repr__(self) -> str:
        running = self._local.snapshot.version if self._local.snapshot is not None else None
        return f"Subscriber({self.namespace!r}, version={running}, state={self.status().state!r})"

    def _follow_here(self) -> None:
        """Whoever waits wants this process to follow, be it a child, or one that begins when it is read."""
        self.postfork()
        if self._patience_s is not None:
            self.follow()

    def _reached(self, version: int, timeout_s: float) -> Snapshot:
        snapshot = self._local.snapshot
        if snapshot is not None and self._local.runs(version):
            return snapshot
        if self._is_closing:
            raise Closed
        raise WaitTimeout(f"Version {version}", timeout_s, str(self.status()))

    def _is_fresh(self, path: str | paths.Path, max_age_s: float, *, can_do_without: bool) -> bool:
        status = self.status()
        is_fresh = status.verified_age_s <= max_age_s
        if not is_fresh and not can_do_without:  # not "is older": nothing is older than a NaN
            raise Stale(path if isinstance(path, str) else str(path), status.verified_age_s, max_age_s, status.state)
        return is_fresh

    def _make_following(self, instance: str) -> Following:
        from confbus.following import Following
        from confbus.telling import Telling
        from confbus.timing import Timing

        return Following(
            self._local,
            self._keys,
            instance=instance,
            timing=self._timing or Timing(),
            telling=Telling(self._labels, is_reporting=self._is_reporting, observer=self._observer),
            fallback=self._fallback,
        )


def _sealed(names: Iterable[str]) -> frozenset[str]:
    if not names:
        return frozenset()
    from confbus.sealed_keys import sealed_keys

    return frozenset(sealed_keys(names, origin="sealed="))


def _fallback(path: str | os.PathLike[str], namespace: str) -> Fallback | None:
    if not path:
        return None
    from confbus.fallback import Fallback

    return Fallback(os.fspath(path), namespace)
