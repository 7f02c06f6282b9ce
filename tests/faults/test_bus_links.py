"""Both ways to follow, our own connection and redis-py's, keep the same promises on the same bad days."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from confbus.borrowed import BorrowedConnection
from confbus.dial import dialled
from confbus.events import Event, HeadRead, LinkLost, ReadFailed
from confbus.link import Link
from confbus.namespace import Namespace
from confbus.resp import PlainConnection
from confbus.testing import Proxy
from confbus.wire.keys import Keys
from support.bus import document
from support.eventually import eventually
from support.peer import Peer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.bus import Bus
    from support.server import Server

WAYS = {"plain": "", "borrowed": "socket_timeout=1"}
"""What makes a URL ask for more than our own connection does."""


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Callable[[str], str]:
    """A URL as it is followed in one of the two ways."""
    return lambda url: with_option(url, WAYS[request.param])


def with_option(url: str, option: str) -> str:
    return f"{url}{'&' if '?' in url else '?'}{option}" if option else url


class Linked:
    """A link, and what one worker says over it."""

    def __init__(self, url: str, namespace: str = "shop") -> None:
        dial = dialled(url, Keys(namespace))
        self.keys = Keys(namespace, dial.database)
        self.link = Link(dial, "one")
        self._namespace = Namespace(self.link, self.keys, instance="one")

    def connect(self) -> list[Event]:
        return [event for _, event in self.link.listen(self.keys.notices)]

    def read_head(self) -> Event:
        return self._namespace.read_head()


@pytest.fixture
def link() -> Iterator[Callable[..., Linked]]:
    """Links to URLs, closed at the end."""
    made: list[Linked] = []

    def make(url: str, namespace: str = "shop") -> Linked:
        made.append(Linked(url, namespace))
        return made[-1]

    yield make
    for each in made:
        each.link.close()


def test_each_way_is_the_one_it_is_called(
    server: Server, way: Callable[[str], str], link: Callable[..., Linked], request: pytest.FixtureRequest
) -> None:
    linked: Any = link(way(server.url))

    assert linked.connect() == []

    kind = {"plain": PlainConnection, "borrowed": BorrowedConnection}[request.node.callspec.params["way"]]
    assert type(linked.link._listener) is kind


def test_a_change_is_read_over_either_way(bus: Bus, proxy: Proxy, way: Callable[[str], str]) -> None:
    publisher = bus.publisher(1)
    bus.worker(url=way(proxy.url))
    bus.worker(url=way(bus.url))

    for number in range(2, 8):
        bus.edit(publisher, number, padding=number % 2 * 20_000)
        eventually(lambda number=number: publisher.has_published(number) or number % 2)  # type: ignore[misc]
    bus.agree(7)


def test_connections_that_are_cut_again_and_again_lose_nothing(
    bus: Bus, proxy: Proxy, way: Callable[[str], str]
) -> None:
    publisher = bus.publisher(1)
    worker = bus.worker(url=way(proxy.url))

    for number in range(2, 10):
        if number % 2:
            proxy.sever()
        else:
            proxy.sever_after(number * 50, replies=True)
        bus.edit(publisher, number)
        eventually(lambda number=number: publisher.has_published(number))  # type: ignore[misc]
    bus.agree(9)

    assert worker.config.status().counts.reconnects


@pytest.mark.slow
@pytest.mark.parametrize("fault", [Proxy.stall, Proxy.drop_replies, Proxy.half_close])
def test_a_connection_of_redis_py_that_only_looks_alive_is_made_again(
    bus: Bus, proxy: Proxy, fault: Callable[[Proxy], None]
) -> None:
    publisher = bus.publisher(1)
    worker = bus.worker(url=with_option(proxy.url, WAYS["borrowed"]))

    fault(proxy)
    bus.edit(publisher, 2)
    eventually(lambda: worker.config.status().counts.reconnects, within_s=15)
    assert worker.number in {1, 2}
    proxy.flow()

    bus.agree(2, within_s=15)


def test_who_may_not_log_in_is_told_and_who_may_follows(
    bus: Bus, server: Server, way: Callable[[str], str], link: Callable[..., Linked]
) -> None:
    client: Any = server.client()
    client.acl_setuser("ann", enabled=True, passwords=["+s@cret"], keys=["*"], channels=["*"], categories=["+@all"])
    bus.publish(1)
    place = server.url.removeprefix("unix://")  # the server listens on a socket
    try:
        [refused] = link(way(f"unix://ann:wrong@{place}")).connect()
        worker = bus.worker(url=way(f"unix://ann:s%40cret@{place}"))
        bus.agree(1)
    finally:
        client.acl_deluser("ann")

    assert isinstance(refused, LinkLost)
    assert "WRONGPASS" in refused.error or "invalid username-password" in refused.error
    worker.config.close()


def test_a_database_is_the_one_that_the_url_names(
    bus: Bus, server: Server, way: Callable[[str], str], link: Callable[..., Linked]
) -> None:
    bus.publish(1)
    linked = link(way(server.url.replace("db=0", "db=3")), bus.namespace)

    event = linked.read_head()

    assert linked.keys.database == 3
    assert event == HeadRead(None)


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (b"-LOADING Redis is loading the dataset in memory\r\n", "loading the dataset"),
        (b"-NOAUTH Authentication required.\r\n", "Authentication required"),
        (b"-MOVED 7000 10.0.0.1:6379\r\n", "7000 10.0.0.1:6379"),
    ],
    ids=["loading", "no login", "moved"],
)
def test_what_a_server_says_instead_of_an_answer_is_the_reason(
    answer: bytes, reason: str, link: Callable[..., Linked]
) -> None:
    # Three commands are answered in one piece: the name of the connection, the head, the time.
    with Peer(answer * 3) as peer:
        linked = link(peer.url)

        failed = linked.read_head()

    assert isinstance(failed, ReadFailed)
    assert reason in failed.error
    assert not failed.is_damage


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x16\x03\x01\x02", b"$99999999999\r\n"])
def test_what_is_no_redis_is_said_so(answer: bytes, link: Callable[..., Linked]) -> None:
    with Peer(answer + b"\r\n") as peer:
        linked = link(peer.url)

        [lost] = linked.connect()
        failed = linked.read_head()

    assert isinstance(lost, LinkLost)
    assert isinstance(failed, ReadFailed)
    assert "no Redis" in lost.error
    assert "no Redis" in failed.error


def test_a_refused_connection_says_so(way: Callable[[str], str], link: Callable[..., Linked]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        url = f"redis://127.0.0.1:{closed.getsockname()[1]}/0"

    [lost] = link(way(url)).connect()

    assert isinstance(lost, LinkLost)
    assert "refused" in lost.error


def test_a_head_of_another_type_is_damage_and_the_connection_goes_on(
    bus: Bus, server: Server, way: Callable[[str], str], link: Callable[..., Linked]
) -> None:
    linked = link(way(server.url), bus.namespace)
    client: Any = server.client()
    client.set(linked.keys.head, "something else")
    failed = linked.read_head()
    client.delete(linked.keys.head)

    event = linked.read_head()

    assert isinstance(failed, ReadFailed)
    assert failed.is_damage
    assert event == HeadRead(None)


def test_a_document_of_many_sections_is_fetched_whole(bus: Bus, proxy: Proxy, way: Callable[[str], str]) -> None:
    bus.publish(1, padding=300_000)

    worker = bus.worker(url=way(proxy.url))

    assert worker.config.snapshot == document(1, padding=300_000)
