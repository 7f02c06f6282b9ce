"""The server in memory answers a worker as Redis does: the same commands, the same replies, the same descriptor."""

from __future__ import annotations

import select
from typing import TYPE_CHECKING, Any

import pytest

from confbus.connection import ErrorReply, ask
from confbus.dial import dialled
from confbus.memory import server_at
from confbus.wire.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confbus.connection import Connection
    from support.server import Server


@pytest.fixture(params=["memory", "redis"])
def opened(request: pytest.FixtureRequest, namespace: str) -> Iterator[Callable[[], Connection]]:
    """Opens a connection to an empty server."""
    if request.param == "memory":
        url = f"memory:{namespace}"
    else:
        server: Server = request.getfixturevalue("server")
        url = server.url
    dial = dialled(url, Keys(namespace))
    connections: list[Connection] = []

    def open_one() -> Connection:
        connections.append(dial.open("contract"))
        return connections[-1]

    yield open_one
    for connection in connections:
        connection.close()


def pairs(flat: list[Any]) -> dict[Any, Any]:
    return dict(zip(flat[::2], flat[1::2], strict=True))


def is_ready(connection: Connection, timeout_ms: int = 5000) -> bool:
    poller = select.poll()
    poller.register(connection.fileno(), select.POLLIN)
    return connection.has_more() or bool(poller.poll(timeout_ms))


def test_hashes_are_kept_as_redis_keeps_them(opened: Callable[[], Connection]) -> None:
    one, other = opened(), opened()

    replies = ask(one, ("HSET", "k", "a", 1, b"b", b"\xff"), ("HSET", "k", "a", 2), ("HMGET", "k", "a", "none", "b"))

    assert replies == [2, 0, [b"2", None, b"\xff"]]
    assert pairs(ask(other, ("HGETALL", "k"))[0]) == {b"a": b"2", b"b": b"\xff"}
    assert ask(one, ("HDEL", "k", "a", "none"), ("DEL", "k", "none"), ("DEL", "k")) == [1, 1, 0]
    assert ask(other, ("HGETALL", "k"), ("HMGET", "k", "a"), ("HDEL", "k", "a")) == [[], [None], 0]
    assert ask(one, ("HSET", "k", "a", 1), ("HDEL", "k", "a"), ("DEL", "k")) == [1, 1, 0]


def test_the_time_and_a_sign_of_life_come_as_from_redis(opened: Callable[[], Connection]) -> None:
    connection = opened()

    (seconds, micros), pong = ask(connection, ("TIME",), ("PING",))

    assert int(seconds) > 1_600_000_000
    assert 0 <= int(micros) < 1_000_000
    assert pong == b"PONG"


def test_messages_come_to_those_who_subscribed_and_make_their_descriptor_ready(
    opened: Callable[[], Connection],
) -> None:
    listener, other, sender = opened(), opened(), opened()
    assert ask(listener, ("SUBSCRIBE", "c"), ("SUBSCRIBE", "d")) == [[b"subscribe", b"c", 1], [b"subscribe", b"d", 2]]
    assert ask(other, ("SUBSCRIBE", "d")) == [[b"subscribe", b"d", 1]]

    assert not listener.is_readable()
    assert ask(sender, ("PUBLISH", "c", b"\x80")) == [1]

    assert is_ready(listener)
    assert listener.receive() == [b"message", b"c", b"\x80"]
    assert ask(listener, ("PING",), ("UNSUBSCRIBE", "c")) == [[b"pong", b""], [b"unsubscribe", b"c", 1]]
    assert ask(sender, ("PUBLISH", "c", "x"), ("PUBLISH", "d", "y")) == [0, 2]
    assert other.receive() == [b"message", b"d", b"y"]


def test_what_is_no_command_is_an_error_and_the_connection_goes_on(opened: Callable[[], Connection]) -> None:
    connection = opened()

    with pytest.raises(ErrorReply, match="unknown command"):
        ask(connection, ("NONSENSE", "k"))

    assert ask(connection, ("PING",)) == [b"PONG"]


def test_a_connection_that_the_server_closed_is_readable_and_of_no_use(namespace: str) -> None:
    url = f"memory:{namespace}"
    connection = dialled(url, Keys(namespace)).open("contract")
    server = server_at(url)

    server.sever()

    assert is_ready(connection)
    assert connection.is_readable()
    with pytest.raises(ConnectionResetError):
        connection.receive()
    with pytest.raises(ConnectionResetError):
        connection.send(("PING",))
    connection.close()


def test_a_client_that_does_not_read_is_cut_off_and_the_others_go_on(namespace: str) -> None:
    server = server_at(f"memory:{namespace}")
    deaf, other = server.open(""), server.open("")
    deaf.send(("SUBSCRIBE", "c"))

    server.execute(*[("PUBLISH", "c", "x")] * 100_000)

    assert ask(other, ("PING",)) == [b"PONG"]
    with pytest.raises(ConnectionResetError):
        deaf.send(("PING",))
    deaf.close()
    other.close()
