"""A whole bus in memory: publish in one line, read in the next, and break what lies between.

Workers on it run everything that they run over Redis: the thread, the notices, the judgement, the swap.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from confbus import driver
from confbus.errors import WaitTimeout
from confbus.keyring import Keyring
from confbus.memory import server_at
from confbus.testing.drops import Drops
from confbus.testing.edited import edited
from confbus.testing.releases import Releases
from confbus.timing import Timing
from confbus.wire.head import new_id
from confbus.wire.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from confbus.status import Status
    from confbus.subscriber import Subscriber
    from confbus.wire import path as paths
    from confbus.wire.frozen import Frozen

QUICK = Timing(
    poll_s=0.2, report_gap_s=0.01, ping_s=0.5, silence_s=2.0, announce_s=0.1, backoff_s=0.01, max_backoff_s=0.05
)
"""How often subscribers of `Bus.connect` look: what a fault hides is found within a fraction of a second."""
_PATIENCE_S = 10.0
_PAUSE_S = 0.0005


class Bus:
    """One namespace on a server in memory, with the releases of whoever tests; a context manager.

    The sections `seal` are sealed with the active key of `keyring`; give that to whoever shall open them.

    `url` is for whoever connects by himself, in this process. Each change waits, unless told otherwise, until all
    subscribers in this process have judged it: then it is read, or refused.
    """

    def __init__(
        self,
        document: Mapping[str, Any] | None = None,
        *,
        namespace: str = "test",
        url: str = "",
        seal: Collection[str] = (),
        keyring: Keyring | None = None,
    ) -> None:
        self.url = url or f"memory:{new_id()}"
        self.namespace = namespace
        self._server = server_at(self.url)
        self._keys = Keys(namespace)
        self._releases = Releases(self._server, self._keys)
        self._releases.seal(seal, keyring or Keyring())
        self._subscribers: list[Subscriber] = []
        if document is not None:
            self._releases.publish(document)

    def seal(self, sections: Collection[str], keyring: Keyring) -> None:
        """From the next release on, have `sections` sealed with the active key of `keyring`, and no others."""
        self._releases.seal(sections, keyring)

    @property
    def document(self) -> Frozen:
        """The newest published content. Raises `NoRelease` when there is none."""
        return self._releases.document

    def connect(self, **options: Any) -> Subscriber:
        """A subscriber with its first snapshot; `options` are those of `confbus.connect`. The bus closes it."""
        import confbus

        options.setdefault("timing", QUICK)
        subscriber = confbus.connect(self.url, namespace=self.namespace, **options)
        self._subscribers.append(subscriber)
        return subscriber

    def publish(self, document: Mapping[str, Any], *, wait: bool = True) -> int:
        """Make `document` the next release; its version. Raises `InvalidDocument`, and `WaitTimeout` as `settle`."""
        release = self._releases.publish(document)
        return self._waited(release.version, wait=wait)

    def set(self, path: str | paths.Path, value: Any, *, wait: bool = True) -> int:
        """Publish the newest content with `value` at `path`; mappings on the way are made. The version."""
        return self.publish(edited(self.document, {path: value}), wait=wait)

    def unset(self, path: str | paths.Path, *, wait: bool = True) -> int:
        """Publish the newest content without what is at `path`; the version. Raises `UnknownPath`."""
        return self.publish(edited(self.document, {}, remove=[path]), wait=wait)

    def rollback(self, *, to: int | None = None, wait: bool = True) -> int:
        """Publish the content of version `to`, or the one before the newest, again; the new version.

        Raises `NoRelease`.
        """
        return self._waited(self._releases.rollback(to).version, wait=wait)

    def settle(self, *, timeout_s: float = _PATIENCE_S) -> None:
        """Wait until every subscriber in this process has judged what the server has now: read it, refused it, or
        noticed a loss. Raises `WaitTimeout`, and says of whom."""
        self.wait_until(lambda: not self._lagging(), what="What was published", timeout_s=timeout_s)

    def wait_until(
        self, condition: Callable[[], object], *, what: str = "What a test waits for", timeout_s: float = _PATIENCE_S
    ) -> None:
        """Wait until `condition` is true. Raises `WaitTimeout` after `timeout_s`."""
        deadline = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline:
                statuses = self._lagging() or self.statuses()
                raise WaitTimeout(what, timeout_s, "; ".join(map(str, statuses)) or "nothing")
            time.sleep(_PAUSE_S)

    def statuses(self) -> list[Status]:
        """Where each subscriber of the namespace in this process stands."""
        driven = driver.driven_from(self.url)
        return [following.status() for following in driven if following.channel == self._keys.notices]

    def vetoes(self) -> dict[str, str]:
        """The instances that refused the newest release, each with its reason."""
        return {status.instance: status.error for status in self.statuses() if status.state == "vetoing"}

    def drop_notices(self, count: int | None = None, *, share: float = 1.0, seed: int = 0) -> None:
        """Lose the next `count` notices, or all until `flow`; of those the `share`, by lot. Polls heal it."""
        self._server.drop_notices(Drops(count, share=share, seed=seed).next)

    def sever(self) -> None:
        """Close all connections; new ones are accepted."""
        self._server.sever()

    def refuse(self) -> None:
        """Close all connections and accept none, until `flow`."""
        self._server.refuse()

    def stall(self) -> None:
        """Let the server say nothing more, until `flow`; connections stay open."""
        self._server.stall()

    def flow(self) -> None:
        """End `drop_notices`, `refuse` and `stall`; what was held back comes first."""
        self._server.flow()

    def lose_data(self, *, back_to: int | None = None, wait: bool = True) -> None:
        """Let the server forget all, or what came after version `back_to`. What is published next repairs it first.

        Raises `NoRelease` for a version that never was.
        """
        self._releases.lose(back_to)
        self._waited(0, wait=wait)

    def repair(self, *, wait: bool = True) -> int:
        """Publish the newest content again, above all that was lost, as a publisher does; the new version."""
        return self._waited(self._releases.repair().version, wait=wait)

    def close(self) -> None:
        """Close every subscriber of `connect`. Safe to repeat."""
        self.flow()
        for subscriber in self._subscribers:
            subscriber.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _waited(self, version: int, *, wait: bool) -> int:
        if wait:
            self.settle()
        return version

    def _lagging(self) -> list[Status]:
        return [status for status in self.statuses() if not self._has_judged(status)]

    def _has_judged(self, status: Status) -> bool:
        if self._releases.is_lost:
            return status.state in {"lost", "regressed"}
        head = self._releases.head
        return head is None or (status.seen is not None and status.seen.change == head.change)
