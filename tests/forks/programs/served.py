"""What real servers serve: an application whose workers tell what they read, each in a file named after its pid."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from celery import Celery

import confbus

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from confbus import Change

PLACE = Path(os.environ["BUS_PLACE"])
config = confbus.Subscriber(
    os.environ["BUS_URL"],
    namespace=os.environ["BUS_NAMESPACE"],
    timing=confbus.Timing(poll_s=0.3, report_s=1.0, ping_s=0.3, silence_s=1.0, announce_s=0.2, max_backoff_s=0.5),
)
view = config.bind("web", lambda web: web["number"])
tasks = Celery("served", broker="memory://")


def tell(_: list[Change]) -> None:
    """By path and by view; nobody else reads in a worker that serves nobody."""
    new = PLACE / f"{os.getpid()}.new"
    new.write_text(str(min(config["number"], view.current)))
    new.rename(PLACE / str(os.getpid()))


config.subscribe(tell)  # before the start, or a change might come between
if "BUS_LAZY" in os.environ:
    config.start_when_read()
else:
    config.start()


def application(_: dict[str, Any], start_response: Callable[[str, list[tuple[str, str]]], object]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [f"{os.getpid()} {config['number']}".encode()]


async def on_asgi(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        await send({"type": "lifespan.shutdown.complete"})
