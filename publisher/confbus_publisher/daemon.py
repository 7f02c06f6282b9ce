"""What `confbus run` is: one publisher that lives long, with everything that wakes, moves and ends it.

signals ──▶ orders ──▶ this loop ──▶ Session (publisher, watcher, follower of the head) at one URL
                          └──▶ the embedded server, when no other was named: kept, found again, or taken over
"""

from __future__ import annotations

import logging
import os
import queue
import signal
import sys
from contextlib import contextmanager
from dataclasses import replace
from enum import Enum
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError, EmbeddedFailed
from confbus_publisher import opening, standing
from confbus_publisher.attachment import Attachment
from confbus_publisher.eviction import evicting_policy
from confbus_publisher.service import Service
from confbus_publisher.session import Session
from confbus_publisher.vitals import Vitals

if TYPE_CHECKING:
    from collections.abc import Generator

    from confbus_publisher.opening import Named
    from confbus_publisher.serving.listen import Listen
    from confbus_publisher.serving.server import Server
    from confbus_publisher.settings import Settings

_log = logging.getLogger("confbus.publisher")
_TICK_S = 0.5
_FIXED = ("namespace", "redis", "state", "history", "poll_interval_s", "report_interval_s", "lease_s", "listen")


class Order(Enum):
    """What the outside asks of the daemon."""

    LEAVE = "leave"
    RELOAD = "reload"
    LOOK_AFTER = "look after"


class Daemon:
    """The publisher of the settings that `named` leads to, until SIGTERM or SIGINT. With `guard_s`, what it publishes
    is watched for so long, whatever the settings say; with 0 it is not. With `listen`, it answers HTTP there.

    Raises what makes it pointless to begin: `InvalidSettings`, `InvalidNamespace`, `EmbeddedFailed`,
    `ListenFailed`. From then on nothing that sources, Redis or a reload do ends it. `run` belongs to the main thread.
    """

    def __init__(
        self, named: Named, *, author: str = "", guard_s: float | None = None, listen: Listen | None = None
    ) -> None:
        self._named = named
        self._author = author
        self._guard_s = guard_s
        self._listen = listen
        self._settings = self._read()
        self._inputs = opening.inputs_of(self._settings)
        self._guard = opening.policy_of(self._settings)
        self._attachment: Attachment | None = None
        self._orders: queue.SimpleQueue[Order] = queue.SimpleQueue()
        self._vitals = Vitals(self._settings.namespace)
        self._service = Service(self._vitals, os.environ)
        self._server: Server | None = None
        self._has_terminal = sys.stderr.isatty()
        self._knows_policy = False
        self._trouble = ""

    @property
    def namespace(self) -> str:
        return self._settings.namespace

    def run(self) -> None:
        """Publish until told to leave; then finish the turn at hand and give the lease up."""
        session = None
        try:
            with self._signals():
                self._serve()
                session = self._begin()
                while (order := self._next_order()) is not Order.LEAVE:
                    if order is Order.RELOAD:
                        self._reload(session)
                    session = self._look_after(session)
                    self._service.look()
            _log.info("leaving")
        finally:
            self._service.leave()
            if session is not None:
                session.stop()
            if self._attachment is not None:
                self._attachment.close()
            if self._server is not None:
                self._server.stop()

    def _read(self) -> Settings:
        settings = opening.settings_of(self._named)
        if self._listen is not None:
            settings = replace(settings, listen=self._listen)
        return settings if self._guard_s is None else settings.guarded(self._guard_s)

    def _serve(self) -> None:
        """Answer HTTP, if anybody wants that, from before there is anything to tell until nothing is left."""
        if self._settings.listen is None:
            return
        from prometheus_client import REGISTRY

        from confbus_publisher.serving.application import application
        from confbus_publisher.serving.server import Server

        self._server = Server(application(self._vitals, REGISTRY), self._settings.listen)
        _log.info("health and metrics at http://%s", self._server.listen, extra={"listen": str(self._server.listen)})

    def _begin(self) -> Session:
        if self._settings.redis is None and self._attachment is None:
            self._attachment = Attachment(opening.embedded_directory(self._settings.path))
            self._tell_attachment()
        url = self._attachment.url if self._attachment else str(self._settings.redis)
        session = Session(
            self._settings,
            self._inputs,
            url,
            author=self._author,
            ended=lambda: self._orders.put(Order.LOOK_AFTER),
            guard=self._guard,
        )
        facts = {"url": session.where, "instance": session.publisher.identity}
        _log.info("publishing %s to %s", self._settings.namespace, session.where, extra=facts)
        self._vitals.take(session.publisher, session.where)
        if self._server is not None:
            from confbus_publisher.metrics import observe

            observe(session.publisher, namespace=self._settings.namespace)
        session.start()
        return session

    def _next_order(self) -> Order:
        try:
            return self._orders.get(timeout=_TICK_S)
        except queue.Empty:
            return Order.LOOK_AFTER

    def _look_after(self, session: Session) -> Session:
        """The session to go on with: the same one, or one at the URL to which the embedded server went."""
        if session.failure is not None:
            raise session.failure
        session.follow()
        if self._attachment is not None and session.standing.state == standing.UNREACHABLE:
            return self._follow_server(self._attachment, session)
        if not self._knows_policy and session.standing.state not in standing.NOT_YET:
            self._knows_policy = True
            self._warn_of_eviction(session)
        return session

    def _follow_server(self, attachment: Attachment, session: Session) -> Session:
        before = attachment.url
        try:
            if not attachment.renew():
                return session
        except EmbeddedFailed as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                _log.warning("%s", error)
            return session
        self._trouble = ""
        self._tell_attachment()
        if attachment.url == before:
            session.look("the embedded server")
            return session
        session.stop()
        return self._begin()

    def _reload(self, session: Session) -> None:
        """Take the settings file and all sources as they are now, or, when they are wrong, leave all as it was."""
        self._service.reload()
        try:
            settings = self._read()
            inputs, guard = opening.inputs_of(settings), opening.policy_of(settings)
            inputs.load()
        except ConfBusError as error:
            _log.error("not reloaded, what was read before stays: %s", error)
            return
        later = [name for name in _FIXED if getattr(settings, name) != getattr(self._settings, name)]
        if later:
            names = ", ".join(name.removesuffix("_s") for name in later)
            _log.warning("%s changed in %s: that needs a restart", names, settings.path)
        self._inputs, self._guard = inputs, guard
        session.use(inputs, guard)
        count = len(inputs.sources)
        _log.info("reloaded %s: %d sources", settings.path, count, extra={"file": str(settings.path), "sources": count})

    def _warn_of_eviction(self, session: Session) -> None:
        policy = evicting_policy(session.client)
        if policy:
            advice = "set it to noeviction, or to one of volatile-*"
            _log.warning("%s may throw configuration away: maxmemory-policy is %s; %s", session.where, policy, advice)

    def _tell_attachment(self) -> None:
        if self._attachment is not None:
            own = "started" if self._attachment.is_owner else "found"
            _log.info("%s the embedded server at %s: for one machine", own, self._attachment.url)

    @contextmanager
    def _signals(self) -> Generator[None]:
        """Turn signals into orders; at the end they mean again what they meant, so that a second one can insist."""
        handled = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
        before = {number: signal.signal(number, self._on_signal) for number in handled}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_signal(self, number: int, _frame: object) -> None:
        """A put is all that is safe here. A hang-up of the terminal it was started from means "leave"."""
        is_hung_up = number == signal.SIGHUP and self._has_terminal and not os.isatty(2)
        self._orders.put(Order.RELOAD if number == signal.SIGHUP and not is_hung_up else Order.LEAVE)
