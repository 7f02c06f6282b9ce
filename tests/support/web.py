"""An ASGI application behind a real server on loopback, and a browser that reads JSON."""

from __future__ import annotations

import json
import threading
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import uvicorn

from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def served(app: Any) -> Generator[str]:
    """The URL of the application while uvicorn serves it in a thread, with its lifespan."""
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, ws="none"))
    thread = threading.Thread(target=server.run, name="uvicorn")
    thread.start()
    try:
        eventually(lambda: server.started or not thread.is_alive())
        assert server.started, "it did not start"
        yield "http://{}:{}".format(*server.servers[0].sockets[0].getsockname())
    finally:
        server.should_exit = True
        thread.join()


def fetched(url: str) -> Any:
    """The JSON at `url`."""
    with urllib.request.urlopen(url, timeout=20) as answer:
        return json.load(answer)
