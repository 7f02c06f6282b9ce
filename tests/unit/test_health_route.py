"""A route for health, in an ASGI and in a WSGI application."""

from __future__ import annotations

import asyncio
import io
import json
from typing import TYPE_CHECKING, Any
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from confbus import Subscriber, asgi, wsgi
from confbus.testing import Bus

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


async def sent(app: Any, method: str, path: str) -> list[Any]:
    """What an application sends."""
    messages: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request"}

    async def send(message: Any) -> None:
        messages.append(message)

    scope: dict[str, Any] = {
        "type": "http",
        "method": method,
        "path": path,
        "root_path": "",
        "headers": [],
        "query_string": b"",
    }
    await app(scope, receive, send)
    return messages


def found(thing: Any) -> Callable[[Any], Any]:
    """Finds that, whoever asks."""
    return lambda _request: thing


def ask_asgi(config: Any, method: str = "GET", **options: Any) -> tuple[int, dict[str, str], Any]:
    """Status, headers and JSON of an answer."""
    begin, end = asyncio.run(sent(asgi.HealthApp(config, **options), method, "/health"))
    headers = {name.decode(): value.decode() for name, value in begin["headers"]}
    return begin["status"], headers, json.loads(end["body"] or "null")


def ask_wsgi(config: Any, method: str = "GET", **options: Any) -> tuple[int, dict[str, str], Any]:
    environ: dict[str, Any] = {"QUERY_STRING": "", "REQUEST_METHOD": method}
    setup_testing_defaults(environ)
    begun: list[Any] = []

    def start(status: str, headers: Any, _error: Any = None) -> Callable[[bytes], object]:
        begun.extend((int(status.split(maxsplit=1)[0]), {name.lower(): value for name, value in headers}))
        return io.BytesIO().write

    answer = validator(wsgi.HealthApp(config, **options))(environ, start)
    body = b"".join(answer)
    getattr(answer, "close", str)()
    return begun[0], begun[1], json.loads(body or "null")


@pytest.fixture
def bus() -> Generator[Bus]:
    with Bus({"number": 1}) as bus:
        yield bus


@pytest.fixture(params=[ask_asgi, ask_wsgi], ids=["asgi", "wsgi"])
def ask(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_a_worker_with_a_configuration_is_healthy_also_while_redis_is_away(ask: Any, bus: Bus) -> None:
    config = bus.connect()
    before = ask(config)
    bus.refuse()
    bus.wait_until(lambda: not config.status().is_connected)

    status, headers, facts = ask(config)

    assert (status, facts["status"], facts["version"]) == (200, "healthy", 1)
    assert (before[2]["metrics"]["healthy_sources"], facts["metrics"]["healthy_sources"]) == ("1/1", "0/1")
    assert headers["content-type"] == "application/json"
    assert headers["cache-control"] == "no-store"
    assert ask(found(config))[0] == 200
    assert ask(config, max_age_s=-1.0)[0] == 503


def test_without_a_configuration_it_is_unhealthy_and_says_why(ask: Any) -> None:
    fresh = Subscriber("redis://127.0.0.1:1", namespace="shop")

    assert ask(found(None))[0] == 503
    assert ask(found(None))[2]["reason"] == "there is no configuration yet"
    assert ask(fresh)[0] == 503
    assert ask(fresh)[2]["reason"] == "Redis did not answer yet"
    fresh.close()


def test_an_answer_may_be_of_something_else(ask: Any) -> None:
    assert ask(found({"status": "healthy", "mine": 1}))[2] == {"status": "healthy", "mine": 1}


def test_head_has_no_body_and_other_methods_are_refused(ask: Any, bus: Bus) -> None:
    config = bus.connect()

    status, headers, body = ask(config, "HEAD")
    refused = ask(config, "POST")

    assert (status, body) == (200, None)
    assert int(headers["content-length"]) > 0
    assert (refused[0], refused[1]["allow"]) == (405, "GET, HEAD")


def test_it_is_a_route_and_a_mount_of_starlette(bus: Bus) -> None:
    config = bus.connect()
    app = Starlette(routes=[Route("/health", asgi.HealthApp(config)), Mount("/below", asgi.HealthApp(config))])

    for path in ("/health", "/below/health"):
        assert asyncio.run(sent(app, "GET", path))[0]["status"] == 200


def test_what_is_no_request_is_left_alone() -> None:
    app: Any = asgi.HealthApp(dict)
    sent: list[object] = []

    asyncio.run(app({"type": "lifespan"}, None, sent.append))

    assert sent == []
