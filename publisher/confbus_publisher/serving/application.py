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

    free = asyncio.Semaphore(_MOST_SCRAPES)

    async def metrics(request: Request) -> Response:
        encode, kind = _encoder(request.headers.get("Accept", ""))
        if free.locked():
            return PlainTextResponse("too many scrapes at once\n", UNAVAILABLE, headers=_UNSTORED)
        async with free:
            try:
                # In a thread: collectors may take their time, and keep nobody else waiting.
                said = await run_in_threadpool(encode, registry)
            except Exception:  # noqa: BLE001 — whatever somebody's collector raises
                _log.exception("the metrics could not be collected")
                return PlainTextResponse("a collector failed, the log says why\n", FAILED, headers=_UNSTORED)
        return Response(said, headers={**_UNSTORED, "Content-Type": kind})

    pages = {"/": index, "/healthz": healthz, "/readyz": readyz, "/status": status, "/metrics": metrics}
    site = Starlette(routes=[Route(path, page, methods=["GET"]) for path, page in pages.items()])
    site.router.redirect_slashes = False  # or /healthz/ would lead to whichever host the request names
    return site


def _encoder(accepted: str) -> tuple[Callable[[CollectorRegistry], bytes], str]:
    try:
        return exposition.choose_encoder(accepted)
    except (TypeError, ValueError):  # what it names as a version is no number
        return exposition.choose_encoder("")


def _verdict(facts: dict[str, Any], *, good: str) -> Response:
    return Page(facts, OK if facts["status"] == good else UNAVAILABLE, headers=_UNSTORED)
