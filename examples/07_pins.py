"""Reads that agree: a pin for a piece of work, and values of one process over every release.

    python examples/07_pins.py
    SHOP_DATABASE__HOST=localhost python examples/07_pins.py

It needs no server: the bus is in memory.
"""

from typing import Any

import confbus
from confbus.testing import Bus


def shop(host: str, port: int) -> dict[str, Any]:
    return {"database": {"host": host, "port": port}}


with Bus(shop("db-1", 5432)) as bus:
    # Variables are placed and typed by what is published. What this process reads otherwise is never hidden.
    config = bus.connect(overlay=confbus.env("SHOP_") | {"database.pool": 5})
    print("of its own:", *config.status().overlay)

    def address() -> str:
        # It may be called from anywhere, and knows nothing of pins.
        return f"{config['database.host']}:{config['database.port']}, pool {config['database.pool']}"

    with config.pin() as snapshot:
        print("version", snapshot.version, "is", address())
        bus.publish(shop("db-2", 6432))
        print("version", snapshot.version, "is", address(), "still")

    print("version", config.snapshot.version, "is", address())
