"""The places that the ledger is held to its promises at: memory, fakeredis, and real servers of four generations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import fakeredis
import pytest

from confbus.client import make_client
from support.clock import Clock
from support.fake import fake_client
from support.places import MemoryPlace, Place, RedisPlace
from support.servers import GENERATIONS, Generation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from redis import Redis

    from support.constellations import Nodes
    from support.server import Server

NEWEST, *OTHERS = GENERATIONS
SERVERS = [NEWEST, *(pytest.param(other, marks=pytest.mark.slow) for other in OTHERS)]
STRICT = [NEWEST, *(pytest.param(other, marks=pytest.mark.slow) for other in OTHERS if other.name != "redis-6.2")]


def _id(kind: str | Generation) -> str:
    return kind if isinstance(kind, str) else kind.name


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["memory", "fakeredis", *SERVERS, pytest.param("cluster", marks=pytest.mark.slow)], ids=_id)
def place(request: pytest.FixtureRequest, namespace: str, clock: Clock) -> Iterator[Place]:
    """An empty place, once of each kind."""
    if request.param == "memory":
        yield MemoryPlace(clock=clock)
    elif request.param == "cluster":
        yield from _in_cluster(request.getfixturevalue("cluster"), namespace)
    else:
        yield from _on_redis(request, namespace)


@pytest.fixture(params=["fakeredis", *SERVERS], ids=_id)
def redis_place(request: pytest.FixtureRequest, namespace: str) -> Iterator[RedisPlace]:
    """An empty place of each kind that speaks Redis."""
    yield from _on_redis(request, namespace)


@pytest.fixture(params=SERVERS, ids=_id)
def server_place(request: pytest.FixtureRequest, namespace: str) -> Iterator[RedisPlace]:
    """An empty place on each real server."""
    yield from _on_redis(request, namespace)


@pytest.fixture(params=STRICT, ids=_id)
def strict_place(request: pytest.FixtureRequest, namespace: str) -> Iterator[RedisPlace]:
    """An empty place on each real server that has rights by key, and tells scripts of them: Redis 7 and what came of
    it."""
    yield from _on_redis(request, namespace)


def _in_cluster(cluster: Nodes, namespace: str) -> Iterator[RedisPlace]:
    made: list[Redis] = []

    def connect() -> Redis:
        made.append(make_client(cluster.url, namespace=namespace))
        return made[-1]

    yield RedisPlace(connect(), namespace, connect)
    for client in made:
        client.close()


def _on_redis(request: pytest.FixtureRequest, namespace: str) -> Iterator[RedisPlace]:
    if request.param == "fakeredis":
        server = fakeredis.FakeServer()

        def connect() -> Any:
            return fake_client(server)

        yield RedisPlace(connect(), namespace, connect)
        return
    shared: Callable[[Generation], Server] = request.getfixturevalue("_shared_server")
    real = shared(request.param)
    yield RedisPlace(real.client(), namespace, real.client)
    real.close_clients()
    real.flush()
