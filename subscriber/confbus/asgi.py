"""For ASGI applications: requests that work with one version of the configuration from their first read to their last,
and a route for health."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.errors import ConnectFailed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    from confbus.health_route import Found
    from confbus.subscriber import Subscriber

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Application = Callable[[Scope, Receive, Send], Awaitable[None]]


def is_request(scope: Scope) -> bool:
    """True for HTTP. A websocket lives for hours, and would read what was true when it came."""
    return bool(scope["type"] == "http")


class PinMiddleware:
    """`app`, each of whose requests pins `config` until it is answered, background tasks of the answer included.

    `config` is a subscriber, or finds the one of a scope, or None. `pins` decides by the scope which calls pin; unless
    told otherwise it is every HTTP request, and no websocket, where `with config.pin():` around each message is right.
    While there is no release yet, nothing is pinned, and reads tell why.
    """

    def __init__(
        self,
        app: Application,
        config: Subscriber | Callable[[Scope], Subscriber | None],
        *,
        pins: Callable[[Scope], bool] = is_request,
    ) -> None:
        self._app = app
        self._config = config
        self._pins = pins

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        config = self._found(scope) if scope["type"] != "lifespan" and self._pins(scope) else None
        try:
            pin = None if config is None else config.pin()
        except ConnectFailed:
            pin = None
        if pin is None:
            await self._app(scope, receive, send)
        else:
            with pin:
                await self._app(scope, receive, send)

    def _found(self, scope: Scope) -> Subscriber | None:
        config: Any = self._config
        found: Subscriber | None = config if hasattr(config, "pin") else config(scope)
        return found


class HealthApp:
    """An application for a route such as /health: 200 while `config` is healthy, 503 while not, and what
    `confbus.health.health` says of it as JSON.

    `config` is a subscriber, or finds the one of a scope, or None while there is none; it may also give such an answer
    itself, for something else. Nothing is asked of Redis: that it is away makes nobody unhealthy, unless `max_age_s`
    says for how long it may.
    """

    def __init__(self, config: Subscriber | Callable[[Scope], Found], *, max_age_s: float | None = None) -> None:
        self._config = config
        self._max_age_s = max_age_s

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        from confbus.health_route import answer

        status, headers, body = answer(scope["method"], self._config, scope, self._max_age_s)
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": int(status), "headers": pairs})
        await send({"type": "http.response.body", "body": body})
