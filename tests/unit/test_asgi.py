"""An ASGI request works with one version of the configuration."""

from __future__ import annotations

import asyncio
import operator
from typing import TYPE_CHECKING, Any

import pytest

from confbus import Subscriber
from confbus.asgi import PinMiddleware
from support.resting import offer, resting

if TYPE_CHECKING:
    from collections.abc import MutableMapping


async def ask(app: Any, kind: str = "http", **scope: Any) -> list[Any]:
    """What the application sent."""
    sent: list[Any] = []

    async def receive() -> dict[str, Any]:
        return {"type": f"{kind}.request"}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["number"])

    await app({"type": kind, **scope}, receive, send)
    return sent


class Reading:
    """An application that tells the number when a request begins, and again when it may go on."""

    def __init__(self, config: Subscriber) -> None:
        self.config = config
        self.has_begun = asyncio.Event()
        self.may_end = asyncio.Event()

    async def __call__(self, _scope: Any, _receive: Any, send: Any) -> None:
        await send({"number": self.config["number"]})
        self.has_begun.set()
        await self.may_end.wait()
        await send({"number": self.config["number"]})


async def across_a_release(kind: str, **options: Any) -> list[Any]:
    """What a call reads before and after a release, and then what one reads that came after the release."""
    config = resting({"number": 1})
    app = Reading(config)
    middleware = PinMiddleware(app, config, **options)
    first = asyncio.create_task(ask(middleware, kind))
    await app.has_begun.wait()
    offer(config, {"number": 2})
    second = asyncio.create_task(ask(middleware, kind))
    await asyncio.sleep(0)
    app.may_end.set()
    read = [await first, await second, config["number"]]
    assert type(config) is Subscriber
    return read


def test_two_requests_that_overlap_a_release_have_each_their_own_version() -> None:
    assert asyncio.run(across_a_release("http")) == [[1, 1], [2, 2], 2]


@pytest.mark.parametrize("kind", ["websocket", "lifespan"])
def test_what_lives_long_follows(kind: str) -> None:
    assert asyncio.run(across_a_release(kind)) == [[1, 2], [2, 2], 2]


def test_which_calls_pin_may_be_told() -> None:
    assert asyncio.run(across_a_release("websocket", pins=bool)) == [[1, 1], [2, 2], 2]
    assert asyncio.run(across_a_release("http", pins=operator.not_)) == [[1, 2], [2, 2], 2]


def test_what_an_application_raises_ends_the_pin() -> None:
    config = resting({"number": 1})

    async def fails(*_call: Any) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(ask(PinMiddleware(fails, config)))
    assert type(config) is Subscriber


def test_a_request_that_is_cancelled_ends_its_pin() -> None:
    config = resting({"number": 1})

    async def main() -> None:
        app = Reading(config)
        task = asyncio.create_task(ask(PinMiddleware(app, config)))
        await app.has_begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert type(config) is Subscriber


def test_before_the_first_release_requests_are_served_without_a_pin() -> None:
    config = Subscriber("redis://127.0.0.1:1", namespace="none")

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        await send({"number": 7})

    assert asyncio.run(ask(PinMiddleware(app, config))) == [7]


def test_the_configuration_may_be_found_by_the_request() -> None:
    config = resting({"number": 1})

    async def app(_scope: Any, _receive: Any, send: Any) -> None:
        offer(config, {"number": config["number"] + 1})
        await send({"number": config["number"]})

    middleware = PinMiddleware(app, lambda scope: scope.get("ours"))

    assert asyncio.run(ask(middleware, ours=config)) == [1]
    assert asyncio.run(ask(middleware)) == [3]
