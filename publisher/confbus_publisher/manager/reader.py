"""What the readers of a manager see: in one process from its own ledger, as a worker would see it from Redis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from confbus import candidate
from confbus.changes import Dispatcher
from confbus.events import Fetched
from confbus.local import SECRETS_REFRESH_S, objection
from confbus.secrets.resolver import Resolver
from confbus.wire.sections import NOTHING

if TYPE_CHECKING:
    import weakref
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry

    from confbus.changes import Subscription
    from confbus.wire.diff import Change
    from confbus.wire.head import Head
    from confbus.wire.snapshot import Snapshot
    from confbus_publisher.ledger import State

Validator = "Callable[[Snapshot], object]"


class Reader(Protocol):
    """Holds the snapshot that is read. `follow` is for one thread, everything else for any."""

    @property
    def snapshot(self) -> Snapshot | None:
        """What is in force here, or None before the first."""
        ...

    def follow(self, state: State) -> str:
        """Read what `state` stands for from now on, unless a validator objects. Returns the objection, or nothing."""
        ...

    def subscribe(self, callback: Callable[[list[Change]], object], path: str) -> weakref.ref[Subscription]: ...

    def unsubscribe(self, subscription: weakref.ref[Subscription]) -> None: ...

    def observe(self, registry: CollectorRegistry) -> None:
        """Show in `registry` how it reads, if there is anything to be shown beside what is published."""
        ...

    def close(self) -> None:
        """Call nobody back any more; the last snapshot stays."""
        ...


class LocalReader:
    """Reads straight from the states of a ledger in the same process. `validators` may grow."""

    def __init__(self, validators: list[Callable[[Snapshot], object]]) -> None:
        self.snapshot: Snapshot | None = None
        self._validators = validators
        self._dispatcher = Dispatcher(lambda: self.snapshot)
        self._running = NOTHING
        self._head: Head | None = None
        self._resolver: Resolver | None = None

    def follow(self, state: State) -> str:
        if state.head == self._head:
            if self._resolver is not None and self._resolver.is_due():
                self._resolver.refresh(self._receive)
            return ""
        manifest = state.release.manifest
        changed = self._running.manifest.changes_to(manifest)
        blobs = {name: state.blobs[digest] for name, digest in changed.items() if digest}
        fetched = Fetched(state.head, manifest, blobs, state.release.at_ms)
        apply = candidate.from_fetch(fetched, self._running)
        assembly = candidate.assemble(apply)
        reason = self._receive(candidate.snapshot(apply, assembly))
        if not reason:
            self._running, self._head = assembly, state.head
        return reason

    def _receive(self, release: Snapshot) -> str:
        """Offer what a release says, with secrets in place of references."""
        if self._resolver is None and not release.references:
            return self._offer(release)
        self._resolver = self._resolver or Resolver(SECRETS_REFRESH_S)
        return self._resolver.receive(release, release, self._offer)

    def _offer(self, snapshot: Snapshot) -> str:
        is_known = self.snapshot is not None and self.snapshot.digest == snapshot.digest and not snapshot.references
        reason = "" if is_known else objection(tuple(self._validators), snapshot)
        if not reason:
            self.snapshot = snapshot
            self._dispatcher.announce()
        return reason

    def subscribe(self, callback: Callable[[list[Change]], object], path: str) -> weakref.ref[Subscription]:
        return self._dispatcher.subscribe(callback, path)

    def unsubscribe(self, subscription: weakref.ref[Subscription]) -> None:
        self._dispatcher.unsubscribe(subscription)

    def observe(self, registry: CollectorRegistry) -> None:
        """It reads what is published, as it is published."""

    def close(self) -> None:
        self._dispatcher.close()


def told(snapshot: Snapshot | None) -> dict[str, Any]:
    """A document to compare with, also before there is one."""
    return dict(snapshot) if snapshot is not None else {}
