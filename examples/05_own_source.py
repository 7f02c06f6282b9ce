"""Bring a source of your own: a class that says how to load, when to look again, and what it refuses.

    python examples/05_own_source.py

A package can install one under a name, with an entry point in the group `confbus.sources`; then confbus.yaml may say
`own: name`, and `confbus run` asks it beside all other sources.
"""

import asyncio
from typing import Any

from confbus_publisher import ConfigManager, ConfigSource, function_source


class Warehouse(ConfigSource):
    """What is in stock. Here it is a dict; yours may ask a database, in as many awaits as that takes."""

    def __init__(self, stock: dict[str, int]) -> None:
        super().__init__("warehouse", priority=20)
        self.stock = stock
        self.loaded: dict[str, int] = {}

    async def load_config(self) -> dict[str, Any]:
        self.loaded = dict(self.stock)
        return {"stock": self.loaded}

    async def is_modified(self) -> bool:
        return self.stock != self.loaded

    async def validate_config(self, config: dict[str, Any]) -> tuple[bool, list[str]]:
        negative = [f"stock.{name} is negative" for name, count in config["stock"].items() if count < 0]
        return not negative, negative


async def defaults() -> dict[str, Any]:
    """One function is a source, too."""
    return {"stock": {"lamp": 0, "sofa": 0}, "currency": "EUR"}


async def main() -> None:
    warehouse = Warehouse({"lamp": 12})
    manager = ConfigManager(sources=[function_source(defaults), warehouse], watch_files=False)
    await manager.start()
    print("lamps", await manager.get_config("stock.lamp"), "sofas", await manager.get_config("stock.sofa"))

    warehouse.stock = {"lamp": 11, "sofa": 3}
    for change in (await manager.reload("warehouse")).changes:
        print(f"{change.path}: {change.old_value} -> {change.new_value}")

    # What a source refuses, or takes too long for, costs nothing: its last good values stay.
    warehouse.stock = {"lamp": -1}
    result = await manager.reload("warehouse")
    print(result.status.value, *result.errors)
    print("lamps", await manager.get_config("stock.lamp"))
    await manager.stop()


asyncio.run(main())
