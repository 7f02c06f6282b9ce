"""Requests of real servers, across a release: each has its own version, from its first read to its last byte."""

from __future__ import annotations

import threading
import urllib.request
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

from starlette.applications import Starlette
from starlette.responses import StreamingResponse
from starlette.routing import Route

import confbus
from confbus.asgi import PinMiddleware as AsgiPins
from confbus.wsgi import PinMiddleware as WsgiPins
from support.web import served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confbus import Subscriber
    from support.releases import Releases


def answers_across_a_release(url: str, config: Subscriber, publish: Callable[[], int]) -> list[bytes]:
    """What a request that began before a release is answered, and one that began after it."""
    with urllib.request.urlopen(url, timeout=20) as first:
        begun = first.read(1)
        config.wait_for(version=publish(), timeout=20)
        with urllib.request.urlopen(url, timeout=20) as second:
            return [begun + first.read(), second.read()]


def numbers(config: Subscriber, may_go_on: threading.Event) -> Iterator[bytes]:
    """The number at the beginning, and when the next release is there."""
    yield b"%d" % config["web.number"]
    assert may_go_on.wait(20)
    yield b"%d" % config["web.number"]


class ThreadingServer(ThreadingMixIn, WSGIServer):
    pass


class Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *_said: Any) -> None:  # noqa: A002 — its name there
        pass


def test_in_starlette_behind_uvicorn(releases: Releases) -> None:
    may_go_on = threading.Event()

    async def read(_request: Any) -> StreamingResponse:
        return StreamingResponse(numbers(config, may_go_on))

    def publish() -> int:
        version = releases.publish(web={"number": 2})
        config.wait_for(version=version, timeout=20)
        may_go_on.set()
        return version

    with confbus.connect(releases.url, namespace=releases.namespace) as config:
        app = AsgiPins(Starlette(routes=[Route("/", read)]), config)
        with served(app) as url:
            assert answers_across_a_release(url, config, publish) == [b"11", b"22"]


def test_in_wsgi_behind_a_server_with_threads(releases: Releases) -> None:
    may_go_on = threading.Event()

    def app(_environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return numbers(config, may_go_on)

    def publish() -> int:
        version = releases.publish(web={"number": 2})
        config.wait_for(version=version, timeout=20)
        may_go_on.set()
        return version

    with (
        confbus.connect(releases.url, namespace=releases.namespace) as config,
        make_server("127.0.0.1", 0, WsgiPins(app, config), ThreadingServer, Quiet) as server,
    ):
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            url = f"http://127.0.0.1:{server.server_port}"
            assert answers_across_a_release(url, config, publish) == [b"11", b"22"]
        finally:
            server.shutdown()
            thread.join()
