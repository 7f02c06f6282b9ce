"""What a publisher answers over HTTP, and to whom."""

from __future__ import annotations

import http.client
import json
import logging
import socket
import threading
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry, Counter
from prometheus_client.registry import Collector

from confbus_publisher.serving.application import application
from confbus_publisher.serving.listen import Listen
from confbus_publisher.serving.server import Server
from confbus_publisher.vitals import LATE_S, Vitals
from support.clock import Clock
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable

    from prometheus_client import Metric

LOOPBACK = Listen("127.0.0.1", 0)


class Site:
    """A server on a free port, and what it tells of."""

    def __init__(self, *, longest_s: float = 10.0) -> None:
        self.clock = Clock()
        self.registry = CollectorRegistry()
        self.server = Server(
            application(Vitals("shop", clock=self.clock), self.registry), LOOPBACK, longest_s=longest_s
        )

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
        """Status, headers and text of an answer."""
        listen = self.server.listen
        connection = http.client.HTTPConnection(listen.host, listen.port, timeout=30)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    def connect(self) -> socket.socket:
        return socket.create_connection((self.server.listen.host, self.server.listen.port), timeout=30)


@pytest.fixture(scope="module")
def site() -> Generator[Site]:
    site = Site()
    try:
        yield site
    finally:
        site.server.stop()


def test_health_is_200_and_for_a_loop_that_hangs_503(site: Site) -> None:
    well, headers, said = site.ask("/healthz")
    site.clock.advance(LATE_S + 1)
    ill, _, reason = site.ask("/healthz")
    site.clock.advance(-LATE_S - 1)

    assert (well, json.loads(said)["status"]) == (200, "healthy")
    assert headers["cache-control"] == "no-store"
    assert (ill, json.loads(reason)["reason"]) == (503, "the loop did not turn for 61 s")


def test_readiness_is_503_before_the_first_turn(site: Site) -> None:
    code, _, said = site.ask("/readyz")

    assert (code, json.loads(said)["status"]) == (503, "unready")


def test_the_status_is_json_and_the_index_names_every_page(site: Site) -> None:
    code, _, said = site.ask("/status")

    assert (code, json.loads(said)["namespace"]) == (200, "shop")
    for line in site.ask("/")[2].splitlines():
        assert site.ask(line.split()[0])[0] in {200, 503}


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/plain"),
        ("application/openmetrics-text", "application/openmetrics-text"),
        ("application/openmetrics-text; version=new", ("text/plain", "application/openmetrics-text")),  # by its client
    ],
)
def test_metrics_are_those_of_the_registry_in_the_form_that_is_asked_for(
    site: Site, accept: str, kind: str | tuple[str, ...]
) -> None:
    probes = Counter("bus_probes", "Probes.", registry=site.registry)
    probes.inc()

    code, headers, said = site.ask("/metrics", Accept=accept)

    site.registry.unregister(probes)
    assert code == 200
    assert headers["content-type"].startswith(kind)
    assert "bus_probes_total 1.0\n" in said


def test_only_get_and_head_are_answered(site: Site) -> None:
    head = site.ask("/healthz", "HEAD")
    others = {method: site.ask("/healthz", method)[0] for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE")}

    assert (head[0], head[2]) == (200, "")
    assert set(others.values()) == {405}
    assert [site.ask(path)[0] for path in ("/config", "/healthz/")] == [404, 404]


def test_whoever_writes_or_reads_slowly_holds_nobody_and_is_sent_away() -> None:
    site = Site(longest_s=0.3)
    with site.connect() as silent, site.connect() as slow:
        slow.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nX-Slow: ")

        code, _, _ = site.ask("/healthz")

        assert code == 200
        assert [_end(each) for each in (silent, slow)] == [b"", b""]
    site.server.stop()


def test_a_probe_is_answered_however_many_only_connect_or_leave_their_answers(site: Site) -> None:
    with ExitStack() as others:
        for number in range(300):
            other = others.enter_context(site.connect())
            if number % 3 == 0:
                other.sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")

        assert [site.ask(path)[0] for path in ("/healthz", "/status")] == [200, 200]


def test_a_collector_that_hangs_takes_no_more_than_a_few_threads(site: Site) -> None:
    class Hanging(Collector):
        def __init__(self) -> None:
            self.is_over = threading.Event()
            self.waiting = 0

        def collect(self) -> Iterable[Metric]:
            self.waiting += 1
            self.is_over.wait()
            return ()

    hanging = Hanging()
    with ExitStack() as others:
        site.registry.register(hanging)
        others.callback(hanging.is_over.set)
        others.callback(site.registry.unregister, hanging)
        for _ in range(8):
            others.enter_context(site.connect()).sendall(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        eventually(lambda: hanging.waiting == 8)

        assert [site.ask(path)[0] for path in ("/metrics", "/healthz")] == [503, 200]


def test_a_body_and_a_head_without_end_are_not_waited_for(site: Site) -> None:
    with site.connect() as large, site.connect() as long:
        large.sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n")
        long.sendall(b"GET /healthz HTTP/1.1\r\nX-Long: " + b"x" * 100_000)

        assert _answer(large).startswith(b"HTTP/1.1 200")
        assert _answer(long).startswith(b"HTTP/1.1 400")


def test_a_collector_that_fails_is_told_in_the_log_once_and_the_rest_is_answered(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing(Collector):
        def collect(self) -> Iterable[Metric]:
            raise RuntimeError("a bug")

    failing = Failing()
    site.registry.register(failing)

    answers = [site.ask(path)[0] for path in ("/metrics", "/metrics", "/healthz")]

    site.registry.unregister(failing)
    assert answers == [500, 500, 200]
    assert [record.getMessage() for record in caplog.records if record.name == "confbus.publisher"] == [
        "the metrics could not be collected"
    ]


@pytest.mark.parametrize(
    "request_line",
    [
        b"POST /healthz HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"\x16\x03\x01\x02\x00" * 20,
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
def test_what_is_no_request_is_no_line_of_the_log(
    site: Site, request_line: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    with site.connect() as connection:
        connection.sendall(request_line)
        while _answer(connection):
            pass

    assert site.ask("/healthz")[0] == 200
    assert [record for record in caplog.records if record.levelno >= logging.ERROR] == []


def test_at_the_end_the_port_is_free_again_and_no_thread_is_left() -> None:
    before = threading.active_count()
    site = Site()
    listen = site.server.listen

    site.server.stop()

    listen.open().close()
    assert before == threading.active_count()


def _end(connection: socket.socket) -> bytes:
    """What is read until the other side ends it."""
    try:
        return connection.recv(1000)
    except ConnectionResetError:
        return b""


def _answer(connection: socket.socket) -> Any:
    return connection.recv(1000)
