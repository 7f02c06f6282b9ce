"""confbus in Starlette and FastAPI, behind a real server."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import Depends, FastAPI
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from confbus import Snapshot  # noqa: TC001 — FastAPI reads the annotations when the application runs
from confbus.asgi import PinMiddleware
from confbus.contrib.starlette import configuration, lifespan, snapshot, value, view
from confbus.errors import ConnectFailed, NotStarted
from support.eventually import eventually
from support.web import fetched, served

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from confbus import Subscriber
    from support.releases import Releases


async def meanwhile(request: Request, first: Annotated[Snapshot, Depends(snapshot)]) -> int:
    """Between two dependencies of one request, a release arrives."""
    releases: Releases = request.app.state.releases
    version = await asyncio.to_thread(releases.publish, web={"number": first["web.number"] + 1})
    await asyncio.to_thread(configuration(request).wait_for, version=version)
    return version


def test_an_application_reads_what_is_published_and_leaves_the_fleet_when_it_ends(releases: Releases) -> None:
    app = FastAPI(lifespan=lifespan(releases.url, namespace=releases.namespace))

    @app.get("/")
    async def read(number: Annotated[int, Depends(value("web.number"))]) -> int:
        return number

    @app.get("/other")
    async def other(name: Annotated[str, Depends(value("web.name", "none"))]) -> str:
        return name

    with served(app) as url:
        assert fetched(url) == 1
        assert fetched(f"{url}/other") == "none"
        releases.publish(web={"number": 2})
        eventually(lambda: fetched(url) == 2)
        eventually(releases.fleet)

    assert app.state.config.status().state == "closed"
    assert releases.fleet() == []


def test_a_request_works_with_one_version_while_a_release_passes(releases: Releases) -> None:
    app = FastAPI(lifespan=lifespan(releases.url, namespace=releases.namespace))

    app.state.releases = releases

    @app.get("/")
    async def read(
        request: Request,
        newest: Annotated[int, Depends(meanwhile)],
        number: Annotated[int, Depends(value("web.number"))],
        held: Annotated[Snapshot, Depends(snapshot)],
    ) -> list[int]:
        assert configuration(request).snapshot.version == newest
        return [held.version, number]

    with served(app) as url:
        assert fetched(url) == [1, 1]
        assert fetched(url) == [2, 2]


@dataclass(frozen=True)
class Web:
    """The section `web`, as an application sees it."""

    number: int


def test_a_typed_dependency_is_of_the_version_of_its_request(releases: Releases) -> None:
    app = FastAPI(lifespan=lifespan(releases.url, namespace=releases.namespace, views={"web": Web}))
    app.state.releases = releases

    @app.get("/")
    async def read(
        first: Annotated[Web, Depends(view("web", Web))],
        newest: Annotated[int, Depends(meanwhile)],
        second: Annotated[Web, Depends(view("web", Web))],
        missing: Annotated[Web | None, Depends(view("other", Web, default=None))],
    ) -> list[int]:
        assert missing is None
        return [first.number, second.number, newest]

    with served(app) as url:
        assert fetched(url) == [1, 1, 2]
        releases.publish(web={"number": "none"})
        eventually(lambda: app.state.config.status().state == "vetoing")
        assert app.state.config["web.number"] == 2


def test_a_lifespan_of_the_application_finds_the_configuration_and_ends_before_it(releases: Releases) -> None:
    told: list[str] = []

    @asynccontextmanager
    async def mine(app: Starlette) -> AsyncGenerator[dict[str, Any]]:
        config: Subscriber = app.state.config
        told.append(f"begins at {config['web.number']}")
        yield {"mine": "here"}
        told.append(f"ends {config.status().state}")

    async def read(request: Request) -> JSONResponse:
        return JSONResponse([request.state.mine, (await snapshot(request))["web.number"]])

    inner = Starlette(routes=[Route("/", read)])
    app = Starlette(
        routes=[Mount("/inner", inner), Route("/", read)],
        lifespan=lifespan(releases.url, namespace=releases.namespace, inner=mine),
    )

    with served(app) as url:
        assert fetched(url) == fetched(f"{url}/inner/") == ["here", 1]

    assert told == ["begins at 1", "ends live"]


def test_the_middleware_pins_the_configuration_of_the_application(releases: Releases) -> None:
    async def read(request: Request) -> JSONResponse:
        config: Subscriber = request.state.config
        before: int = config["web.number"]
        version = await asyncio.to_thread(releases.publish, web={"number": before + 1})
        await asyncio.to_thread(config.wait_for, version=version)
        return JSONResponse([before, config["web.number"], (await snapshot(request)).version])

    app = Starlette(
        routes=[Route("/", read)],
        lifespan=lifespan(releases.url, namespace=releases.namespace),
        middleware=[Middleware(PinMiddleware, config=lambda scope: scope["state"]["config"])],
    )

    with served(app) as url:
        assert fetched(url) == [1, 1, 1]
        assert fetched(url) == [2, 2, 2]


def test_an_application_does_not_start_without_its_configuration(redis_url: str, namespace: str) -> None:
    app = Starlette()

    async def start() -> None:
        async with lifespan(redis_url, namespace=namespace, timeout_s=0.1)(app):
            pytest.fail("it started")

    with pytest.raises(ConnectFailed, match="nothing is published"):
        asyncio.run(start())


def test_a_request_of_an_application_that_connected_nothing_is_told_what_is_missing() -> None:
    request = Request({"type": "http", "app": Starlette()})

    with pytest.raises(NotStarted, match=r"lifespan=confbus\.contrib\.starlette\.lifespan"):
        asyncio.run(snapshot(request))
