"""The faults that other tests build on are what their names say."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from confbus.testing import Proxy
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.server import Server


@contextmanager
def impatient(url: str) -> Generator[redis.Redis]:
    retry = Retry(NoBackoff(), 0)
    with redis.Redis.from_url(url, protocol=2, socket_timeout=0.1, retry=retry) as client:
        yield client


def plain(url: str) -> socket.socket:
    """A connection without a client around it."""
    place = urlsplit(url)
    connection = socket.socket(socket.AF_UNIX if place.scheme == "unix" else socket.AF_INET)
    connection.settimeout(5)
    connection.connect(place.path if place.scheme == "unix" else (place.hostname, place.port))
    return connection


def test_every_generation_is_what_its_name_says(each_server: Server, request: pytest.FixtureRequest) -> None:
    program, _, version = request.node.callspec.id.partition("-")

    said = each_server.client().info("server")[f"{program}_version"]

    assert str(said).startswith(f"{version}.")


def test_a_killed_server_refuses_until_its_restart_and_then_has_its_data(own_server: Server) -> None:
    client = own_server.client()
    client.set("key", "kept")

    own_server.kill()
    with pytest.raises(redis.ConnectionError):
        client.ping()
    own_server.restart()

    assert client.get("key") == b"kept"


def test_a_restart_can_lose_everything(own_server: Server) -> None:
    client = own_server.client()
    client.set("key", "lost")

    own_server.restart(empty=True)

    assert client.keys() == []


def test_a_restart_can_go_back_to_a_dump_for_good(own_server: Server) -> None:
    client = own_server.client()
    client.set("key", "old")
    old = own_server.dump()
    client.set("key", "new")

    own_server.restart(dump=old)
    assert client.get("key") == b"old"
    own_server.restart()

    assert client.get("key") == b"old"


def test_a_paused_server_answers_after_it_is_resumed(own_server: Server) -> None:
    with impatient(own_server.url) as client:
        own_server.pause()
        with pytest.raises(redis.TimeoutError):
            client.ping()
        own_server.resume()

        assert eventually(lambda: bool(client.ping()))


def test_connections_are_cut_by_kind(own_server: Server) -> None:
    client = own_server.client()
    client.ping()
    with plain(own_server.url) as listening:
        listening.sendall(b"SUBSCRIBE channel\r\n")
        assert b"subscribe" in listening.recv(100)

        assert own_server.cut_connections("pubsub") == 1
        assert own_server.cut_connections("normal") == 1
        assert own_server.cut_connections() == 0


def test_what_a_proxy_stalls_flows_later(proxy: Proxy) -> None:
    with impatient(proxy.url) as client:
        proxy.stall()
        with pytest.raises(redis.TimeoutError):
            client.incr("count")
        proxy.flow()

        assert client.incr("count") in {1, 2}


def test_a_proxy_can_lose_the_reply_of_a_request_that_was_carried_out(proxy: Proxy, server: Server) -> None:
    with impatient(proxy.url) as client:
        client.ping()
        proxy.drop_replies()
        with pytest.raises(redis.TimeoutError):
            client.incr("count")
        proxy.flow()

        assert client.get("count") == b"1"


def test_a_severed_proxy_takes_new_connections(proxy: Proxy) -> None:
    with impatient(proxy.url) as client:
        client.ping()

        proxy.sever()
        assert proxy.connections == 0

        assert client.ping()
        assert proxy.connections == 1


def test_a_half_closed_connection_still_takes_requests(proxy: Proxy, server: Server) -> None:
    with plain(proxy.url) as connection:
        connection.sendall(b"PING\r\n")
        assert connection.recv(100) == b"+PONG\r\n"

        proxy.half_close()
        assert connection.recv(100) == b""
        connection.sendall(b"SET key taken\r\n")

        assert eventually(lambda: server.client().get("key")) == b"taken"


def test_a_proxy_carries_what_is_larger_than_it_holds(proxy: Proxy) -> None:
    with redis.Redis.from_url(proxy.url, protocol=2) as client:
        client.set("key", b"x" * 3_000_000)

        assert len(client.get("key") or b"") == 3_000_000


def test_a_proxy_whose_server_is_gone_closes_the_connection(own_server: Server) -> None:
    with Proxy(own_server.url) as proxy, impatient(proxy.url) as client:
        own_server.kill()

        with pytest.raises(redis.ConnectionError):
            client.ping()
