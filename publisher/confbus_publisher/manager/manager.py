"""`ConfigManager`: the guide's interface to sources, versions and values, for one process or for a fleet."""

from __future__ import annotations

import asyncio
import os
import weakref
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, cast

from confbus.errors import Closed, NotStarted
from confbus.sealed_keys import sealed_keys
from confbus.wire.frozen import Frozen
from confbus.wire.path import render
from confbus_publisher.manager import assembly
from confbus_publisher.manager.admission import admitted
from confbus_publisher.manager.callback import on_its_loop
from confbus_publisher.manager.metrics import ConfigMetrics
from confbus_publisher.manager.result import ReloadResult, ReloadStatus
from confbus_publisher.seal_settings import DEFAULT_KEYS, KEYS

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Mapping

    from prometheus_client import CollectorRegistry

    from confbus.changes import Subscription
    from confbus.wire.diff import Change
    from confbus.wire.snapshot import Snapshot
    from confbus_publisher.manager.assembly import Parts
    from confbus_publisher.manager.version import ConfigVersion
    from confbus_publisher.measures import Measures
    from confbus_publisher.sources.config_source import ConfigSource


class ConfigManager:
    """Merges sources, puts each change out as a version, and gives the newest to whoever reads.

    `sources` are taken as by `add_source`. Without `redis` all of it stays in this process. With `redis` and
    `namespace` it publishes there as `confbus run` does, one active publisher at a time, and reads as every worker
    does; `state` is then the file that remembers the last head across restarts, and the top-level keys in `seal` are
    sealed with the keyring `keys` (docs/sealing.md).

    `validators` are called with each new snapshot before it is read, `gates` once it is in force; what either refuses
    is rolled back. Sources are looked at every `check_interval_s` seconds, and at once when a file changes; without
    `watch_files` only at the start and by `reload`. The newest `max_config_versions` are listed. `author` stands in
    the audit trail. A secret does not go out to Redis as plain text, but at the paths in `secrets_allow`, each with a
    reason. `metrics` is the registry that shows how it does (docs/metrics.md).

    Everything may be called from any thread and from any event loop. Reading is a memory access. What changes
    something is done by one thread of the manager's own, one thing after the other; a loop never waits for it.
    """

    def __init__(
        self,
        *,
        sources: Iterable[ConfigSource] = (),
        watch_files: bool = True,
        max_config_versions: int = 50,
        redis: str | None = None,
        namespace: str | None = None,
        state: str | os.PathLike[str] | None = None,
        seal: Iterable[str] = (),
        keys: str | os.PathLike[str] | None = None,
        validators: Iterable[Callable[[Snapshot], object]] = (),
        gates: Iterable[Callable[[Snapshot], object]] = (),
        check_interval_s: float = 5.0,
        gate_timeout_s: float = 10.0,
        start_timeout_s: float = 30.0,
        author: str = "",
        secrets_allow: Mapping[str, str] | None = None,
        metrics: CollectorRegistry | None = None,
    ) -> None:
        place = assembly.Place(
            redis=redis,
            namespace=namespace,
            state=state,
            author=author,
            versions=max_config_versions,
            interval_s=check_interval_s,
            gate_timeout_s=gate_timeout_s,
            seal=sealed_keys(seal, origin="ConfigManager(seal=)"),
            keys=Path(keys or os.environ.get(KEYS) or DEFAULT_KEYS),
            secrets_allow=tuple((secrets_allow or {}).items()),
        )
        self._validators = list(validators)
        self._gates = list(gates)
        self._parts: Parts = assembly.assemble(place, self._validators, self._gates, is_watching=watch_files)
        self._start_timeout_s = start_timeout_s
        self._is_local = redis is None
        self._sources: tuple[ConfigSource, ...] = ()
        self._has_begun = self._is_stopped = False
        if metrics is not None:
            from confbus_publisher.metrics import observe

            observe(self._parts.publisher, metrics, namespace=namespace or "")
            self._parts.engine.reader.observe(metrics)
        self._end = weakref.finalize(self, self._parts.end)
        for source in sources:
            self._add(source)

    @classmethod
    def from_environment(cls, **options: Any) -> Self:
        """A manager of the sources that `CONFIG_DIR`, `APP_CONFIG_SOURCES` and `APP_CONFIG_URL` name; it follows them
        unless `APP_CONFIG_WATCH` is false. Other `options` are those of the class. Raises `InvalidSettings`."""
        from confbus_publisher.manager.environment import sources_of

        sources, settings = sources_of(os.environ)
        terms: dict[str, Any] = {"watch_files": settings.watch, "keys": settings.keys}
        terms["seal"] = [render((key,)) for key in settings.seal]
        terms |= {"sources": sources, **options}
        return cls(**terms)

    async def add_source(self, source: ConfigSource) -> None:
        """Take one more source; after the start its values count as soon as this returns.

        Raises `InvalidSettings` for a name that is taken; after the start also what the source fails with, or what
        refuses the merge with it: then all is as before.
        """
        await self._asked(partial(self._add, source))

    async def start(self) -> None:
        """Load the sources, and keep up with them from now on; nothing happens when it is started already.

        Raises what is wrong with the sources when that leaves nothing to be read; it may be called again then.
        """
        if self._is_stopped:
            raise Closed("This configuration manager was stopped.", advice="Make a new one.")
        await self._asked(self._begin, key="start")

    async def stop(self) -> None:
        """Finish what is at hand and end; what was read last stays readable. Safe to repeat."""
        self._is_stopped = True
        self._end()
        await asyncio.shield(asyncio.wrap_future(self._parts.worker.left))

    async def get_config(self, path: str | None = None, default: Any = None) -> Any:
        """The value at `path`; `default` where there is none (a null is None). Without a path the whole document.

        What it gives cannot be changed; `confbus.thaw` makes a copy that can. Raises `NotStarted` before the start.
        """
        return self.snapshot if path is None else self.snapshot.get(path, default)

    async def get_section(self, section: str) -> Frozen:
        """The mapping at `section`, empty when nothing is there. Raises `TypeError` when a value of another kind is."""
        snapshot = self.snapshot
        return snapshot.section(section) if section in snapshot else Frozen()

    @property
    def snapshot(self) -> Snapshot:
        """One version, to be held while several reads must agree. Raises `NotStarted` before the start."""
        snapshot = self._parts.engine.reader.snapshot
        if snapshot is None:
            raise NotStarted("The configuration manager has nothing to read yet", advice="Await its start() first.")
        return snapshot

    async def reload(self, source_name: str | None = None) -> ReloadResult:
        """Ask the sources now, the one of that name or all of them anew, and put out what changed.

        Never raises for what goes wrong: the result tells it, and the last good configuration stays.
        """
        return await self._resulting(lambda: self._parts.engine.reload(source_name), key=("reload", source_name))

    async def rollback(self, steps: int = 1, *, message: str = "") -> ReloadResult:
        """Put the content `steps` accepted contents ago in force again, as a new version.

        What that undoes is held: the sources do not bring it back until they say something else, or `publish` is told
        to. A rollback after a rollback goes further back. Never raises for what goes wrong.
        """
        return await self._resulting(lambda: self._parts.engine.rollback(steps, message))

    async def publish(self, message: str = "", *, force: bool = False) -> ReloadResult:
        """Put out what the sources say, though it differs from the head since before this process was active.

        With `force` also beside another active publisher, and what was rolled back; its hold ends then. Never raises
        for what goes wrong.
        """
        return await self._resulting(lambda: self._parts.engine.publish(message, force=force))

    def subscribe(self, callback: Callable[[list[Change]], object], path: str = "**") -> weakref.ref[Subscription]:
        """Call `callback` with the list of changed leaves under `path` after each new version.

        A plain function is called on a thread of the manager's own, a coroutine function on the loop that subscribes.
        Functions and lambdas are kept; bound methods are not: their object going away ends the subscription. A
        callback that is slow sees one change from what it saw last to the newest. Before the start, the first version
        is a change from nothing.
        """
        return self._parts.engine.reader.subscribe(on_its_loop(callback), path)

    def unsubscribe(self, subscription: weakref.ref[Subscription]) -> None:
        """End a subscription; no call of it starts after this returns."""
        self._parts.engine.reader.unsubscribe(subscription)

    def add_validator(self, validator: Callable[[Snapshot], object]) -> None:
        """Call `validator` with each snapshot from the next on, before it is read; one that raises refuses it."""
        self._validators.append(validator)

    def add_gate(self, gate: Callable[[Snapshot], object]) -> None:
        """Call `gate`, a function or a coroutine function, with each snapshot from the next on, once it is in force.

        One that raises, returns False or takes longer than `gate_timeout_s` has it rolled back.
        """
        self._gates.append(gate)

    def get_metrics(self) -> ConfigMetrics:
        """How it stands at this moment, in numbers."""
        engine, snapshot = self._parts.engine, self._parts.engine.reader.snapshot
        tally = engine.tally
        return ConfigMetrics(
            total_reloads=tally.total,
            successful_reloads=tally.total - tally.failed,
            failed_reloads=tally.failed,
            rollbacks=tally.rollbacks,
            average_reload_time_ms=tally.average_ms,
            last_reload_time=tally.checked_at,
            config_sources_count=len(self._sources),
            failing_sources_count=len(engine.failures),
            current_version=snapshot.version if snapshot is not None else None,
            reloads=dict(tally.reloads),
            durations=tally.durations,
        )

    def measure(self) -> Measures:
        """What its publisher counts and times, for `confbus_publisher.metrics`."""
        return self._parts.publisher.measures

    def get_sources(self) -> list[ConfigSource]:
        """The sources in the order in which they were added."""
        return list(self._sources)

    def get_version_history(self) -> list[ConfigVersion]:
        """The kept versions, the newest first."""
        return list(self._parts.engine.versions)

    def __repr__(self) -> str:
        return f"ConfigManager({len(self._sources)} sources, version={self.get_metrics().current_version})"

    def _add(self, source: ConfigSource) -> None:
        self._parts.add(admitted(source, may_be_absent=self._is_local), is_begun=self._has_begun)
        self._sources = (*self._sources, source)

    def _begin(self) -> None:
        if not self._has_begun:
            self._parts.engine.begin(self._start_timeout_s)
            self._has_begun = True
            self._parts.keep_up()

    async def _resulting(self, work: Callable[[], ReloadResult], *, key: Hashable = None) -> ReloadResult:
        try:
            return cast("ReloadResult", await self._asked(partial(self._begun, work), key=key))
        except Exception as error:  # noqa: BLE001 — promised: whoever asks for a reload is told, never raised at
            version = self.get_metrics().current_version
            return ReloadResult(ReloadStatus.FAILED, version, errors=(str(error) or type(error).__name__,))

    def _begun(self, work: Callable[[], ReloadResult]) -> ReloadResult:
        if not self._has_begun:
            raise NotStarted("The configuration manager was not started", advice="Await its start() first.")
        return work()

    async def _asked(self, work: Callable[[], object], *, key: Hashable = None) -> object:
        """What `work` gives in the manager's thread. Whoever stops waiting does not stop the work."""
        return await asyncio.shield(asyncio.wrap_future(self._parts.worker.ask(work, key=key)))
