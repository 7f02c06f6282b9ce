"""confbus in Starlette and FastAPI: connected before the first request, closed after the last one.

A request that asks for the snapshot several times gets the same one each time, so it works with one version throughout.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from weakref import WeakKeyDictionary

from starlette.requests import HTTPConnection  # noqa: TC002 — FastAPI reads the annotations when the application runs

import confbus
from confbus.errors import NotStarted

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
    from contextlib import AbstractAsyncContextManager

    from confbus.subscriber import Subscriber
    from confbus.views.view import Kind, View
    from confbus.wire import path as paths
    from confbus.wire.snapshot import Snapshot

    Lifespan = Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any] | None]]

T = TypeVar("T")
_HELD = "confbus.snapshot"
_ABSENT = object()


def lifespan(
    url: str, *, namespace: str, inner: Lifespan | None = None, **options: Any
) -> Callable[[Any], AbstractAsyncContextManager[Mapping[str, Any]]]:
    """For `FastAPI(lifespan=…)` and `Starlette(lifespan=…)`: connects, with the options of `confbus.connect`.

    The subscriber is at `app.state.config`, and at `request.state.config` in mounted applications as well. `inner` is
    your own lifespan; it begins when the configuration is there, and ends before it is closed. Where `connect` raises,
    the application does not start.
    """

    @asynccontextmanager
    async def connected(app: Any) -> AsyncGenerator[Mapping[str, Any]]:
        config = await confbus.aconnect(url, namespace=namespace, **options)
        try:
            app.state.config = config
            if inner is None:
                yield {"config": config}
            else:
                async with inner(app) as state:
                    yield {**(state or {}), "config": config}
        finally:
            await config.close_async()

    return connected


def configuration(connection: HTTPConnection) -> Subscriber:
    """The subscriber of the application. Raises `NotStarted` when its lifespan did not connect one."""
    config: Subscriber | None = getattr(connection.state, "config", None)
    if config is None:
        config = getattr(connection.app.state, "config", None)
    if config is None:
        raise NotStarted(
            "This application has no configuration", advice="Give it lifespan=confbus.contrib.starlette.lifespan(…)."
        )
    return config


async def snapshot(connection: HTTPConnection) -> Snapshot:
    """For `Depends(snapshot)`: the release that this request works with, the same at every call."""
    held: Snapshot | None = connection.scope.get(_HELD)
    if held is None:
        held = connection.scope[_HELD] = configuration(connection).snapshot
    return held


def value(path: str | paths.Path, default: Any = _ABSENT) -> Callable[[HTTPConnection], Awaitable[Any]]:
    """For `Depends(value("database.host"))`: what the request's snapshot has there, or `default`.

    Without a default it raises `UnknownPath`.
    """

    async def dependency(connection: HTTPConnection) -> Any:
        held = await snapshot(connection)
        return held[path] if default is _ABSENT else held.get(path, default)

    return dependency


def view(path: str | paths.Path, kind: Kind[T], **terms: Any) -> Callable[[HTTPConnection], Awaitable[T]]:
    """For `Depends(view("database", Database))`: the part of the request's snapshot at `path`, bound as a `kind`.

    It is bound at the first request that asks; name it among the `views` of `lifespan` as well, and the first release
    has to fit already.
    """
    bound: WeakKeyDictionary[Subscriber, View[T]] = WeakKeyDictionary()

    async def dependency(connection: HTTPConnection) -> T:
        config = configuration(connection)
        mine = bound.get(config)
        if mine is None:
            mine = bound[config] = config.bind(path, kind, **terms)
        value: T = mine.build(await snapshot(connection)).value
        return value

    return dependency
