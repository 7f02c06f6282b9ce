"""Configure one process, without a server: sources, versions and the way back in a `ConfigManager`.

    python examples/04_one_process.py
    SHOP_DATABASE_HOST=db-2.internal python examples/04_one_process.py

It brings its own file. With `redis=` and `namespace=` the same manager is a publisher and a worker of a fleet.
"""

import asyncio
import tempfile
from pathlib import Path

from confbus import Snapshot
from confbus_publisher import ConfigManager, EnvironmentConfigSource, FileConfigSource


def edit(file: Path, *, most: int) -> None:
    file.write_text(f"database: {{host: db-1.internal, pool: {{min: 2, max: {most}}}}}")


def has_room(snapshot: Snapshot) -> None:
    if snapshot["database.pool.max"] < snapshot["database.pool.min"]:
        raise ValueError("the pool has no room")


async def main(file: Path) -> None:
    edit(file, most=20)
    sources = [FileConfigSource(file, priority=10), EnvironmentConfigSource("SHOP_", priority=20)]

    # Files are watched, and an edit is in force by itself. Here we ask, so that what is printed comes in this order.
    manager = ConfigManager(sources=sources, validators=[has_room], watch_files=False)
    await manager.start()
    print("host", await manager.get_config("database.host"))
    print("wrapping", await manager.get_config("checkout.wrapping", "paper"))

    # A reload never raises for what goes wrong: it tells, and what was good stays.
    edit(file, most=1)
    result = await manager.reload()
    print(result.status.value, "and the pool has", await manager.get_config("database.pool.max"))

    edit(file, most=40)
    for change in (await manager.reload()).changes:
        print(f"{change.path}: {change.old_value} -> {change.new_value}")

    # A rollback is a new version. What it undoes is held: the file does not bring it back by itself.
    await manager.rollback()
    print("rolled back to", await manager.get_config("database.pool.max"))
    print("the file is", (await manager.reload()).status.value)
    await manager.stop()


with tempfile.TemporaryDirectory() as directory:
    asyncio.run(main(Path(directory) / "shop.yaml"))
