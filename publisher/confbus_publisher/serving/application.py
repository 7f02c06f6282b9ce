"""What is asked over HTTP, and what is answered. Answers come from memory: nobody waits for the publisher or Redis."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from prometheus_client import exposition
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Callable

    from prometheus_client import CollectorRegistry
    from starlette.requests import Request

    from confbus_publisher.vitals import Vitals

_log = logging.getLogger("confbus.publisher")
OK, FAILED, UNAVAILABLE = 200, 500, 503
_MOST_SCRAPES = 8
_UNSTORED = {"Cache-Control": "no-store"}
_INDEX = """\
/healthz  whether the publisher lives
/readyz   whether it is at work
/metrics  for Prometheus
/status   where it stands
"""


class Page(JSONResponse):
    """JSON that ends its line, since people look at it with curl."""

    def render(self, content: Any) -> bytes:
        return super().render(content) + b"\n"


def application(vitals: Vitals, registry: CollectorRegistry) -> Starlette:
    """The routes, for any ASGI server; each takes GET and HEAD, and nothing else."""

    async def index(_request: Request) -> Response:
        return PlainTextResponse(_INDEX)

    async def healthz(_request: Request) -> Response:
        return _verdict(vitals.health(), good="healthy")

    async def readyz(_request: Request) -> Response:
        return _verdict(vitals.readiness(), good="ready")

    async def status(_request: Request) -> Response:
        return Page(vitals.status(), headers=_UNSTORED)

    metrics = Scrapes(registry).answer
    pages = {"/": index, "/healthz": healthz, "/readyz": readyz, "/status": status, "/metrics": metrics}
    site = Starlette(routes=[Route(path, page, methods=["GET"]) for path, page in pages.items()])
    site.router.redirect_slashes = False  # or /healthz/ would lead to whichever host the request names
    return site


class Scrapes:
    """Scrapes of one registry, a few at a time. What keeps them from an answer is in the log once, until it is another
    thing."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._registry = registry
        self._free = asyncio.Semaphore(_MOST_SCRAPES)
        self._trouble = ""

    async def answer(self, request: Request) -> Response:
        """All metrics as they are now."""
        encode, kind = _encoder(request.headers.get("Accept", ""))
        if self._free.locked():
            return PlainTextResponse("too many scrapes at once\n", UNAVAILABLE, headers=_UNSTORED)
        async with self._free:
            try:
                # In a thread: collectors may take their time, and keep nobody else waiting.
                said = await run_in_threadpool(encode, self._registry)
            except Exception as error:  # noqa: BLE001 — whatever somebody's collector raises
                return self._failed(error)
        self._trouble = ""
        return Response(said, headers={**_UNSTORED, "Content-Type": kind})

    def _failed(self, error: Exception) -> Response:
        if repr(error) != self._trouble:
            self._trouble = repr(error)
            _log.error("the metrics could not be collected", exc_info=error)
        return PlainTextResponse("a collector failed, the log says why\n", FAILED, headers=_UNSTORED)


def _encoder(accepted: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    try:
        return exposition.choose_encoder(accepted)
    except (TypeError, ValueError):  # what it names as a version is no number
        return exposition.choose_encoder("")


def _verdict(facts: dict[str, Any], *, good: str) -> Response:
    return Page(facts, OK if facts["status"] == good else UNAVAILABLE, headers=_UNSTORED)
