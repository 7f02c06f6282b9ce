"""What a ledger promises when the network or the server fails in the middle of a change."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from confbus.client import make_client
from confbus.errors import Conflict, OutcomeUnknown, Unreachable
from confbus.testing import Proxy
from confbus.wire.keys import Keys
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from support.eventually import eventually
from support.peer import Peer
from support.places import encoded, ledger
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.places import RedisPlace
    from support.server import Server

ANN = Why("ann")

pytestmark = pytest.mark.slow


@pytest.fixture
def proxy(each_server: Server) -> Iterator[Proxy]:
    with Proxy(each_server.url) as proxy:
        yield proxy


def ledger_through(proxy: Proxy, namespace: str, *, patience_s: float = 5.0, timeout_s: float = 5.0) -> Ledger:
    store = RedisStore(
        make_client(proxy.url, timeout_s=timeout_s), Keys(namespace), where="a proxy", patience_s=patience_s
    )
    return Ledger(store, clock=time.time)  # so that a change is one command


def versions_of(server: Server, namespace: str) -> list[int]:
    """Every version that the audit trail tells of, oldest first."""
    client: Any = server.client()
    return [int(fields[b"version"]) for _, fields in client.xrange(Keys(namespace).log)]


@pytest.mark.parametrize("operation", ["publish", "rollback", "resume"])
def test_a_change_whose_reply_was_lost_is_made_once(
    each_server: Server, proxy: Proxy, namespace: str, operation: str
) -> None:
    publisher = ledger_through(proxy, namespace)
    release = publisher.publish(encoded({"a": {"b": 1}}), ANN)
    change: dict[str, Any] = {
        "publish": lambda: publisher.publish(encoded({"a": {"b": 2}}), ANN),
        "rollback": lambda: publisher.rollback(release, ANN),
        "resume": lambda: publisher.resume([], ANN),
    }
    watcher = each_server.client()
    proxy.drop_replies()

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(change[operation])
        eventually(lambda: watcher.hget(Keys(namespace).head, "revision") == b"2")
        proxy.flow()
        proxy.sever()
        pending.result()

    assert len(versions_of(each_server, namespace)) == 2
    assert publisher.refresh() == publisher.state
    assert publisher.state
    assert publisher.state.head.revision == 2
    publisher.store.close()


def test_a_change_sent_to_a_server_that_forgot_the_script_is_made(each_server: Server, namespace: str) -> None:
    store = RedisStore(each_server.client(), Keys(namespace), where="a server")
    publisher = Ledger(store)
    publisher.publish(encoded({"a": {"b": 1}}), ANN)

    each_server.client().script_flush()
    publisher.publish(encoded({"a": {"b": 2}}), ANN)

    assert versions_of(each_server, namespace) == [1, 2]


def test_the_outcome_is_unknown_when_the_reply_never_comes(each_server: Server, proxy: Proxy, namespace: str) -> None:
    publisher = ledger_through(proxy, namespace, patience_s=0.05, timeout_s=0.1)
    publisher.publish(encoded({"a": {"b": 1}}), ANN)
    proxy.drop_replies()

    with pytest.raises(OutcomeUnknown, match="`confbus history` tells") as caught:
        publisher.publish(encoded({"a": {"b": 2}}), ANN)

    head = each_server.client(decode_responses=True).hgetall(Keys(namespace).head)
    assert caught.value.change_id == head["change"]
    assert versions_of(each_server, namespace) == [1, 2]
    publisher.store.close()


def test_after_an_unknown_outcome_a_refresh_tells_it(each_server: Server, proxy: Proxy, namespace: str) -> None:
    publisher = ledger_through(proxy, namespace, patience_s=0.05, timeout_s=0.1)
    publisher.publish(encoded({"a": {"b": 1}}), ANN)
    proxy.drop_replies()
    with pytest.raises(OutcomeUnknown):
        publisher.publish(encoded({"a": {"b": 2}}), ANN)
    proxy.flow()
    proxy.sever()

    publisher.refresh()
    release = publisher.publish(encoded({"a": {"b": 3}}), ANN)

    assert (release.version, release.parent) == (3, 2)
    assert versions_of(each_server, namespace) == [1, 2, 3]
    publisher.store.close()


def test_a_server_that_is_gone_for_good_is_named_and_reads_change_nothing(own_server: Server, namespace: str) -> None:
    store = RedisStore(own_server.client(), Keys(namespace), where="redis://example", patience_s=0.05)
    publisher = Ledger(store, clock=time.time)
    publisher.publish(encoded({"a": {"b": 1}}), ANN)
    before = publisher.state

    own_server.kill()

    for read in (publisher.refresh, publisher.history, store.lease, store.fleet, store.time_ms, store.blob_names):
        with pytest.raises(Unreachable, match="redis://example"):
            read()
    with pytest.raises(OutcomeUnknown):
        publisher.publish(encoded({"a": {"b": 2}}), ANN)
    assert publisher.state == before


def test_a_proxy_that_answers_for_the_server_in_another_language_is_no_end_of_the_publisher(namespace: str) -> None:
    with Peer(b"HTTP/1.1 503 Service Unavailable\r\n\r\n") as peer:
        store = RedisStore(make_client(peer.url), Keys(namespace), where="redis://example", patience_s=0.05)

        for read in (store.head, store.time_ms, store.overrides):
            with pytest.raises(Unreachable, match="redis://example"):
                read()
        store.close()


def test_a_change_waits_for_a_server_that_comes_back(own_server: Server, namespace: str) -> None:
    publisher = Ledger(RedisStore(own_server.client(), Keys(namespace), where="a server"))
    publisher.publish(encoded({"a": {"b": 1}}), ANN)
    own_server.kill()

    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(publisher.publish, encoded({"a": {"b": 2}}), ANN)
        own_server.restart()
        release = pending.result()

    assert release.version == 2
    assert versions_of(own_server, namespace) == [1, 2]


def test_publishers_that_race_lose_nothing_and_publish_nothing_twice(server_place: RedisPlace) -> None:
    each = scaled(50, 1000)
    start = threading.Barrier(2)

    def race(name: str) -> int:
        publisher, conflicts = ledger(server_place), 0
        start.wait()
        for number in range(each):
            while True:
                try:
                    publisher.publish(encoded({"by": {name: number}}), Why(name, str(number)))
                    break
                except Conflict:
                    conflicts += 1
                    publisher.refresh()
        return conflicts

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(race, ["ann", "bob"]))

    history = ledger(server_place).history()
    assert [release.version for release in history] == list(range(2 * each, 0, -1))
    assert [release.parent for release in history] == list(range(2 * each - 1, -1, -1))
    told = [(release.author, int(release.message)) for release in reversed(history)]
    for name in ("ann", "bob"):
        assert [number for author, number in told if author == name] == list(range(each))


def test_a_race_with_cut_connections_publishes_nothing_twice(each_server: Server, namespace: str) -> None:
    count = scaled(100, 2000)
    publisher = Ledger(RedisStore(each_server.client(), Keys(namespace), where="a server"))
    done = threading.Event()

    def cut() -> None:
        while not done.wait(0.003):
            each_server.cut_connections("normal")

    cutter = threading.Thread(target=cut)
    cutter.start()
    try:
        for number in range(count):
            publisher.publish(encoded({"a": {"n": number}}), ANN)
    finally:
        done.set()
        cutter.join()

    assert versions_of(each_server, namespace) == list(range(1, count + 1))
