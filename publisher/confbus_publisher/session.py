"""One publisher at work at one URL: its thread, the watcher of its sources, and its ear for changes of the head."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from confbus import Timing
from confbus.address import redacted
from confbus.client import keys_of, make_client
from confbus.subscriber import Subscriber
from confbus_publisher import opening
from confbus_publisher.ledger import Ledger
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.pace import Pace
from confbus_publisher.publisher import Publisher
from confbus_publisher.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus_publisher.guard.guarding import Policy
    from confbus_publisher.inputs import Inputs
    from confbus_publisher.settings import Settings
    from confbus_publisher.standing import Standing

_RETURN_POLLS = 2.5
"""With the default of 5 s that is more than the 10 s that an instance waits at most before it connects again."""


class Session:
    """Publishes what `inputs` say to `url` from `start` to `stop`. `author` is for the audit trail; else user@host.

    `guard` is how what goes out is watched. `ended` is called when it ends by itself.
    """

    def __init__(
        self,
        settings: Settings,
        inputs: Inputs,
        url: str,
        *,
        ended: Callable[[], object],
        author: str = "",
        guard: Policy | None = None,
    ) -> None:
        self.where = redacted(url)
        self.failure: BaseException | None = None
        self._ended = ended
        identity = opening.identity()
        self.client = make_client(url, name=f"confbus:{identity}", namespace=settings.namespace)
        keys = keys_of(self.client, settings.namespace)
        # An embedded server comes back with its data, or begins a life that no instance knows of.
        return_s = _RETURN_POLLS * settings.poll_interval_s if settings.redis else 0.0
        store = RedisStore(self.client, keys, where=self.where, patience_s=opening.PATIENCE_S)
        self.publisher = Publisher(
            inputs,
            Ledger(store, history=settings.history, seals=inputs.seals),
            MemoryFile(settings.state, settings.namespace),
            identity=identity,
            author=opening.author(author),
            pace=Pace(settings.poll_interval_s, settings.report_interval_s, settings.lease_s, return_s),
            guard=guard,
        )
        self._thread = threading.Thread(target=self._publish, name="confbus-publisher", daemon=True)
        self._watcher = self._new_watcher()
        self._is_following = False
        self._follower = Subscriber(
            url,
            namespace=settings.namespace,
            timing=Timing(poll_s=settings.poll_interval_s),
            is_reporting=False,
            observer=lambda _status: self.look("the head"),
        )

    @property
    def standing(self) -> Standing:
        return self.publisher.standing

    def start(self) -> None:
        """Begin; Redis need not be there yet."""
        self._listen(self.publisher.inputs)
        self._thread.start()
        self._watcher.start()

    def follow(self) -> None:
        """Hear of changes of the head as soon as there is one.

        Not before: in an empty Redis a listener is somebody who may know more, and a publisher waits for what it says.
        """
        if not self._is_following and self.publisher.ledger.head is not None:
            self._is_following = True
            self._follower.follow()

    def look(self, why: str) -> None:
        """Take a turn soon; `why` is for the log."""
        self.publisher.look(why)

    def use(self, inputs: Inputs, guard: Policy) -> None:
        """Publish what `inputs` say from the next turn on, guarded like that."""
        self._watcher.stop()
        self._listen(inputs)
        self.publisher.inputs, self.publisher.ledger.seals = inputs, inputs.seals
        self.publisher.guard = guard
        self._watcher = self._new_watcher()
        self._watcher.start()
        self.look("a reload")

    def stop(self) -> None:
        """Finish the turn at hand, give the lease up, and close every connection."""
        self.publisher.stop()
        self._follower.close()
        self._watcher.stop()
        if self._thread.ident is not None:
            self._thread.join()
        self.client.close()

    def _new_watcher(self) -> Watcher:
        return Watcher(lambda: self.publisher.inputs.watched, lambda: self.look("files"))

    def _listen(self, inputs: Inputs) -> None:
        inputs.listen(lambda: self.look("a source that is asked in the background"))

    def _publish(self) -> None:
        try:
            self.publisher.run()
        except Exception as error:  # noqa: BLE001 — carried to the main thread, which ends the process with it
            self.failure = error
            self._ended()
