"""Real servers for tests, and the faults that befall them, in the words in which one speaks of them."""

from __future__ import annotations

import os
import shutil
import signal
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from confbus_publisher.embedded.home import new_home, quoted
from confbus_publisher.embedded.process import ServerProcess
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

Kind = Literal["pubsub", "normal", "all"]
KINDS = ("normal", "pubsub")


class Server:
    """A server that is up when the constructor returns, and that keeps its address through every restart.

    It writes each command to `data` before it answers, so `kill()` and `restart()` lose nothing unless told
    to. It listens on a unix socket and, when `port` is given, on loopback, which is then its `url`.
    """

    def __init__(
        self, binary: Path, *, data: Path, port: int | None = None, extra: Mapping[str, str] | None = None
    ) -> None:
        self._binary = binary
        self._data = data
        data.mkdir(exist_ok=True)
        self._home = new_home()
        self._clients: list[redis.Redis] = []
        listen = {} if port is None else {"port": str(port)}
        durable = {"dir": quoted(data), "appendonly": "yes", "appendfsync": "no"}
        self._settings = durable | listen | dict(extra or {})
        self._process = self._started(self._settings)
        self.url = self._process.socket_url if port is None else f"redis://127.0.0.1:{port}/0"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.is_running

    def client(self, *, decode_responses: bool = False, timeout_s: float = 5.0) -> redis.Redis:
        """A new client without retries; it is closed at the end of the test."""
        client = self._client(decode_responses=decode_responses, timeout_s=timeout_s)
        self._clients.append(client)
        return client

    def close_clients(self) -> None:
        """Close every client that `client()` gave."""
        while self._clients:
            self._clients.pop().close()

    def pause(self) -> None:
        """Let it hang: connections stay open, nothing is answered."""
        os.kill(self.pid, signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on after `pause()`; what was sent meanwhile is answered now."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it as SIGKILL does; connections to its address are refused until `restart()`."""
        self._process.stop()  # which is just that, for a server without a lock

    def restart(self, *, empty: bool = False, dump: bytes | None = None) -> None:
        """Kill it, unless it is dead, and start it again: with its data, with none, or with `dump`."""
        self.kill()
        if empty or dump is not None:
            shutil.rmtree(self._data)
            self._data.mkdir()
        if dump is None:
            self._process = self._started(self._settings)
        else:
            self._start_from(dump)

    def dump(self) -> bytes:
        """Its whole content as an RDB file, for a later `restart(dump=…)`."""
        with self._client() as client:
            client.save()
        return (self._data / "dump.rdb").read_bytes()

    def flush(self) -> None:
        """Remove all keys and scripts."""
        with self._client() as client:
            client.flushall()
            client.script_flush()

    @cached_property
    def settings(self) -> tuple[object, ...]:
        """Its configuration and its users, as they were when somebody first asked for them."""
        with self._client() as client:
            return _settings_of(client)

    def clear(self) -> bool:
        """Cut its connections, and remove all keys and scripts; False if its `settings` are others by now."""
        with self._client() as client:
            if _settings_of(client) != self.settings:
                return False
            _cut(client, *KINDS)
            client.flushall()
            client.script_flush()
        return True

    def cut_connections(self, kind: Kind = "all") -> int:
        """Close the connections that are subscribed, those that are not, or all; gives their number."""
        with self._client() as client:
            return _cut(client, *(KINDS if kind == "all" else (kind,)))

    def stop(self) -> None:
        """End it for good: its clients, its processes, its data."""
        self.close_clients()
        self.kill()
        shutil.rmtree(self._data, ignore_errors=True)

    def _client(self, *, decode_responses: bool = False, timeout_s: float = 5.0) -> redis.Redis:
        return redis.Redis.from_url(
            self.url,
            protocol=2,
            retry=Retry(NoBackoff(), 0),
            decode_responses=decode_responses,
            socket_timeout=timeout_s,
        )

    def _started(self, settings: Mapping[str, str]) -> ServerProcess:
        log = self._data / "server.log"
        return ServerProcess(self._binary, home=self._home, log=log, settings=settings)

    def _start_from(self, dump: bytes) -> None:
        (self._data / "dump.rdb").write_bytes(dump)
        # A server that appends to a file reads only that one; so it begins with it after the dump is read.
        self._process = self._started(self._settings | {"appendonly": "no"})
        with self._client() as client:
            client.config_set("appendonly", "yes")
            eventually(lambda: client.info("persistence")["aof_rewrite_in_progress"] == 0)


def _settings_of(client: redis.Redis) -> tuple[object, ...]:
    return client.config_get("*"), client.acl_list()


def _cut(client: redis.Redis, *kinds: str) -> int:
    return sum(client.client_kill_filter(_type=kind, skipme=True) for kind in kinds)
