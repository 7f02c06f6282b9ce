"""An application with a subscriber in it: it shows what it reads, how it is, and its metrics.

CONFBUS_URL=redis://localhost:6379 CONFBUS_NAMESPACE=checkout uvicorn --app-dir deploy/worker app:app
"""

import os
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from prometheus_client import make_asgi_app
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from confbus.asgi import HealthApp
from confbus.contrib.starlette import lifespan, snapshot
from confbus.metrics import observe


async def show(request: Request) -> JSONResponse:
    # One snapshot for the whole request. The password of `database` is in it, and stays in the process.
    config = await snapshot(request)
    features = {name: dict(feature) for name, feature in config.get("features", {}).items()}
    facts = {"host": socket.gethostname(), "version": config.version, "database": config["database.host"]}
    return JSONResponse({**facts, "features": features})


@asynccontextmanager
async def measured(app: Starlette) -> AsyncGenerator[None]:
    observe(app.state.config)
    yield


app = Starlette(
    routes=[
        Route("/", show),
        # From memory: while Redis is away, the answer stays healthy.
        Route("/healthz", HealthApp(lambda scope: scope["app"].state.config)),
        Mount("/metrics", make_asgi_app()),
    ],
    lifespan=lifespan(
        os.environ["CONFBUS_URL"],
        namespace=os.environ["CONFBUS_NAMESPACE"],
        password_file=os.environ.get("CONFBUS_PASSWORD_FILE"),
        # A container that is restarted while Redis is away starts with what it served last.
        fallback=os.environ.get("CONFBUS_FALLBACK"),
        start="cached" if os.environ.get("CONFBUS_FALLBACK") else "wait",
        inner=measured,
    ),
)
