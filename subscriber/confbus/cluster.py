"""The way to the node of a Cluster that has a namespace: whichever one is asked names it.

All keys of a namespace share one slot, so one node has them all until the slot moves. A moved slot is found by the
node's answers; its subscribers are sent away, and the link makes its connection anew.
"""

from __future__ import annotations

from collections import deque
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from confbus.connection import ErrorReply
from confbus.link import reason_of
from confbus.relay import Relay
from confbus.server import open_server
from confbus.wire.frozen import is_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus.connection import Connection, Word
    from confbus.topology import Place, Topology

_MOST_NODES = 1000
"""So many are asked at most: one that lies may name others without end."""

_AT_HOME = ("ASK ", "WRONGTYPE ", "NOPERM ")
"""What only the node of the slot says of a key, or one that says the same of each."""


class Cluster:
    """The nodes of one Cluster, as far as they are known, and the way to the one that has `key`."""

    def __init__(self, topology: Topology, key: str) -> None:
        self._topology = topology
        self._key = key
        self._known = topology.places

    def open_node(self, name: str) -> Connection:
        """A connection to the node that has the key. Raises `ConnectionError` when none is found."""
        return self._found(name)

    def node(self) -> Place:
        """Where the node is that has the key. Raises as `open_node`."""
        with closing(self._found("")) as connection:
            return connection.place

    def ask_at(self, place: Place, *commands: Sequence[Word]) -> Any:
        """The last reply of a node to some commands, be it an error."""
        with closing(open_server(self._topology.node_url(place), "")) as connection:
            connection.send(*commands)
            return [connection.receive() for _ in commands][-1]

    def _found(self, name: str) -> _NodeConnection:
        waiting, tried = list(self._known), set[tuple[str, int]]()
        reason = ""
        while waiting:
            place = waiting.pop(0)
            if place in tried:
                continue
            if len(tried) == _MOST_NODES:
                break
            tried.add(place)
            try:
                connection = open_server(self._topology.node_url(place), name)
            except Exception as error:  # noqa: BLE001 — another node may be up
                reason = f"{place[0]}:{place[1]}: {reason_of(error)}"
                continue
            try:
                answer = self._look(connection, place)
            except BaseException as error:
                connection.close()
                if not isinstance(error, Exception):
                    raise
                reason = f"{place[0]}:{place[1]}: {reason_of(error)}"
                continue
            if not isinstance(answer, ErrorReply) or str(answer).startswith(_AT_HOME):
                return _NodeConnection(connection, self, place)
            connection.close()
            if moved := _named_in(answer, "MOVED", place):
                waiting.insert(0, moved)
            reason = f"{place[0]}:{place[1]}: {answer}"
        raise ConnectionError(f"no node of the Cluster has the namespace ({reason})")

    def _look(self, connection: Connection, place: Place) -> Any:
        """What the node says of the key. The other nodes that it knows are asked when those of the URL are gone."""
        connection.send(("HGET", self._key, "change"), ("CLUSTER", "SLOTS"))
        answer, slots = connection.receive(), connection.receive()
        if is_list(slots):
            nodes = [node for slot in slots for node in slot[2:]]
            named = [(node[0].decode() if node[0] else place[0], int(node[1])) for node in nodes]
            self._known = tuple(dict.fromkeys([place, *named, *self._topology.places]))
        return answer


class _NodeConnection(Relay):
    """A connection to the node that has a slot. While the slot moves, what is not there any more is read where it went;
    afterwards the connection is of no use for more."""

    def __init__(self, inner: Connection, cluster: Cluster, place: Place) -> None:
        super().__init__(inner)
        self.place = place
        self._cluster = cluster
        self._sent: deque[Sequence[Word]] = deque()
        self._has_moved = False

    def send(self, *commands: Sequence[Word]) -> None:
        self._sent.extend(commands)
        super().send(*commands)

    def receive(self) -> Any:
        reply = super().receive()
        command = self._sent.popleft() if self._sent else None  # None: nobody asked, it is a notice
        if command is None or not isinstance(reply, ErrorReply) or "SUBSCRIBE" in str(command[0]):
            return reply
        if asked := _named_in(reply, "ASK", self.place):
            return self._cluster.ask_at(asked, ("ASKING",), command)
        if moved := _named_in(reply, "MOVED", self.place):
            self._has_moved = True
            return self._cluster.ask_at(moved, command)
        return reply

    def is_readable(self) -> bool:
        return self._has_moved or super().is_readable()


def _named_in(reply: object, word: str, here: Place) -> Place | None:
    """The place that an answer such as `MOVED 3999 10.0.0.1:6381` sends to. A node that does not know its own name
    leaves the host out: it is the one that was asked."""
    parts = str(reply).split() if isinstance(reply, ErrorReply) else []
    if len(parts) != 3 or parts[0] != word:
        return None
    host, _, port = parts[2].rpartition(":")
    with suppress(ValueError):
        return (host.strip("[]") if host not in {"", "?"} else here[0]), int(port)
    return None
