"""Several real servers that act as one: a master with replicas and Sentinels, and a Cluster."""

from __future__ import annotations

import socket
import subprocess
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import redis

from support.eventually import eventually
from support.server import Server

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from types import TracebackType

SERVICE = "config"
SLOTS = 16384


def free_ports(count: int) -> list[int]:
    """Ports of loopback that nobody listens on just now."""
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [each.getsockname()[1] for each in taken]


class Watch:
    """A Sentinel: another way to run the program of a server, which needs a file that it may write."""

    def __init__(self, binary: Path, file: Path, *, port: int, master: int, password: str = "") -> None:
        login = f"requirepass {password}\n" if password else ""
        file.write_text(
            login + f"port {port}\nbind 127.0.0.1\ndir {file.parent}\n"
            f"sentinel monitor {SERVICE} 127.0.0.1 {master} 2\n"
            f"sentinel down-after-milliseconds {SERVICE} 500\n"
            f"sentinel failover-timeout {SERVICE} 3000\n"
        )
        self.port = port
        self._password = password or None
        self._process = subprocess.Popen(
            [binary, file, "--sentinel"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL
        )

    @property
    def is_up(self) -> bool:
        try:
            return bool(self.ask("PING"))
        except redis.RedisError:
            return False

    def ask(self, *command: str) -> Any:
        client: Any = redis.Redis(port=self.port, password=self._password, protocol=2, socket_timeout=2)
        client.response_callbacks.clear()
        with client:
            return client.execute_command(*command)

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()


class Watched:
    """A master, replicas, and three Sentinels that know each other; a context manager that ends all of them."""

    def __init__(self, binary: Path, directory: Path, *, replicas: int = 1) -> None:
        self._stack = ExitStack()
        first, *others, one, two, three = free_ports(replicas + 4)
        self.servers = {first: self._server(binary, directory, first, {})}
        for port in others:
            self.servers[port] = self._server(binary, directory, port, {"replicaof": f"127.0.0.1 {first}"})
        self.sentinels: list[Watch] = []
        for port in (one, two, three):
            watch = Watch(binary, directory / f"sentinel-{port}.conf", port=port, master=first)
            self._stack.callback(watch.stop)
            self.sentinels.append(watch)
        self.url = f"redis+sentinel://{','.join(f'127.0.0.1:{each.port}' for each in self.sentinels)}/{SERVICE}/0"
        eventually(lambda: all(self._knows_all(watch, replicas) for watch in self.sentinels), within_s=30)

    @property
    def master_port(self) -> int:
        """Where most Sentinels see the master."""
        ports: list[int] = []
        for watch in self.sentinels:
            answer = watch.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", SERVICE)
            ports.append(int(answer[1]))
        return max(set(ports), key=ports.count)

    @property
    def master(self) -> Server:
        return self.servers[self.master_port]

    def _server(self, binary: Path, directory: Path, port: int, extra: Mapping[str, str]) -> Server:
        fast = {"repl-diskless-sync-delay": "0", "repl-timeout": "5"}
        server = Server(binary, data=directory / f"server-{port}", port=port, extra=fast | dict(extra))
        self._stack.callback(server.stop)
        return server

    def _knows_all(self, watch: Watch, replicas: int) -> bool:
        try:
            facts: Any = watch.ask("SENTINEL", "MASTER", SERVICE)
        except redis.RedisError:
            return False
        texts = [_text(text) for text in facts]
        told = dict(zip(texts[::2], texts[1::2], strict=True))
        return (told["num-slaves"], told["num-other-sentinels"], told["flags"]) == (str(replicas), "2", "master")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


class Nodes:
    """A Cluster without replicas; a context manager that ends it."""

    def __init__(self, binary: Path, directory: Path, *, count: int = 3) -> None:
        self._stack = ExitStack()
        ports = free_ports(count * 2)
        self.servers: dict[int, Server] = {}
        for port, bus_port in zip(ports[:count], ports[count:], strict=True):
            extra = {"cluster-enabled": "yes", "cluster-port": str(bus_port), "cluster-node-timeout": "1000"}
            server = Server(binary, data=directory / f"node-{port}", port=port, extra=extra)
            self._stack.callback(server.stop)
            self.servers[port] = server
        self.url = f"redis+cluster://{','.join(f'127.0.0.1:{port}' for port in self.servers)}"
        try:
            self._join(dict(zip(ports[:count], ports[count:], strict=True)))
        except BaseException:
            self._stack.close()
            raise

    def ask(self, port: int, *command: Any) -> Any:
        """What the node says, in the types of Redis' own protocol."""
        client: Any = redis.Redis(port=port, protocol=2, socket_timeout=5)
        with client:
            client.response_callbacks.clear()
            return client.execute_command(*command)

    def owner(self, key: str) -> int:
        """The port of the node that has the key."""
        slot = self.slot(key)
        [port] = [
            int(node[1])
            for first, last, node, *_ in self.ask(next(iter(self.servers)), "CLUSTER", "SLOTS")
            if first <= slot <= last
        ]
        return port

    def slot(self, key: str) -> int:
        return int(self.ask(next(iter(self.servers)), "CLUSTER", "KEYSLOT", key))

    def begin_move(self, key: str, *, to: int) -> int:
        """Let the slot of `key` begin to move; gives the port that it leaves."""
        source, slot = self.owner(key), self.slot(key)
        self.ask(to, "CLUSTER", "SETSLOT", slot, "IMPORTING", self._id(source))
        self.ask(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", self._id(to))
        return source

    def move_keys(self, key: str, *, source: int, to: int) -> int:
        """Move what is in the slot now; gives how many keys that was."""
        names = self.ask(source, "CLUSTER", "GETKEYSINSLOT", self.slot(key), 1000)
        if names:
            self.ask(source, "MIGRATE", "127.0.0.1", to, "", 0, 5000, "REPLACE", "KEYS", *names)
        return len(names)

    def end_move(self, key: str, *, source: int, to: int) -> None:
        """Everything that came meanwhile moves too, and the slot with it."""
        eventually(lambda: self.move_keys(key, source=source, to=to) == 0)
        for port in (to, source, *self.servers):
            self.ask(port, "CLUSTER", "SETSLOT", self.slot(key), "NODE", self._id(to))

    def _id(self, port: int) -> str:
        return _text(self.ask(port, "CLUSTER", "MYID"))

    def _join(self, ports: Mapping[int, int]) -> None:
        first, count = next(iter(ports)), len(ports)
        for at, port in enumerate(ports):
            self.ask(port, "CLUSTER", "ADDSLOTSRANGE", at * SLOTS // count, (at + 1) * SLOTS // count - 1)
            self.ask(port, "CLUSTER", "SET-CONFIG-EPOCH", at + 1)
            if port != first:
                self.ask(first, "CLUSTER", "MEET", "127.0.0.1", port, ports[port])
        eventually(lambda: all(self._is_whole(port, count) for port in ports), within_s=30)

    def _is_whole(self, port: int, count: int) -> bool:
        told = _text(self.ask(port, "CLUSTER", "INFO"))
        return "cluster_state:ok" in told and f"cluster_known_nodes:{count}" in told

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


def _text(raw: Any) -> str:
    return raw.decode() if isinstance(raw, bytes) else str(raw)
