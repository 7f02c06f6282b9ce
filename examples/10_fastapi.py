"""Serve a FastAPI application that follows its configuration.

    confbus demo --stay                                  # in another terminal; it prints its URL
    CONFBUS_URL=unix:///… python examples/10_fastapi.py  # then open http://127.0.0.1:8000/shipping

PORT chooses another port.
"""

import os
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI

from confbus import Snapshot
from confbus.contrib.starlette import lifespan, snapshot, value

app = FastAPI(lifespan=lifespan(os.environ["CONFBUS_URL"], namespace="shop"))


@app.get("/shipping")
async def shipping(
    config: Annotated[Snapshot, Depends(snapshot)],
    limit: Annotated[int, Depends(value("checkout.free_shipping_from"))],
) -> dict[str, Any]:
    # Both are of one release, whatever is published while this request is on its way.
    return {"shop": config["shop.name"], "free_from": limit, "version": config.version}


uvicorn.run(app, port=int(os.environ.get("PORT", "8000")), ws="none")
