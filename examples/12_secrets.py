"""A secret that never goes over the bus: workers find it where a reference leads, and again when it changes.

    python examples/12_secrets.py

It needs no server: the bus is in memory.
"""

import tempfile
from pathlib import Path

from confbus import Reference, Timing
from confbus.testing import Bus

with tempfile.TemporaryDirectory() as folder:
    secret = Path(folder, "db_password")
    secret.write_text("correct horse\n")

    # In a file of a publisher: password: !secret file:/run/secrets/db_password
    with Bus({"database": {"host": "db-1", "password": Reference(f"file:{secret}")}}) as bus:
        config = bus.connect(secrets_refresh_s=0.1, timing=Timing(poll_s=0.1))
        print("published:", type(bus.document["database"]["password"]).__name__)
        print("read:", len(config["database.password"]), "characters, version", config.snapshot.version)

        changes = config.changes("database")
        new = secret.with_suffix(".new")
        new.write_text("battery staple\n")
        new.replace(secret)  # as those who rotate secrets do it
        [change] = next(changes)
        print(change, "in version", config.snapshot.version)
        print("read:", len(change.new_value), "characters")

        bus.set("database.host", Reference("env:NOT_SET_HERE"))
        print("refused:", config.status().error)
