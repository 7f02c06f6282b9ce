"""A section that is ciphertext everywhere but in workers that hold the key, and the change to another key.

    python examples/13_sealed.py

It needs no server: the bus is in memory. In a publisher, `seal: [database]` and `confbus keys` do this.
"""

import secrets
from dataclasses import replace

from confbus import Timing
from confbus.errors import SealedError
from confbus.keyring import ACTIVE, RETIRED, Key, Keyring
from confbus.testing import Bus

old = Key("january", secrets.token_bytes(32), ACTIVE)
new = Key("february", secrets.token_bytes(32), ACTIVE)
often = Timing(poll_s=0.1)

with Bus({"database": {"password": "correct horse"}, "port": 80}, seal=["database"], keyring=Keyring([old])) as bus:
    keys = {old.id: old.secret}
    worker = bus.connect(open_keys=lambda: keys, timing=often)
    stranger = bus.connect()
    print("with the key:", len(worker["database.password"]), "characters")
    try:
        stranger["database.password"]
    except SealedError as refused:
        print("without it:", refused.args[0].partition(" is ")[0], "is sealed; the port is", stranger["port"])

    bus.seal(["database"], Keyring([new, replace(old, state=RETIRED)]))
    bus.set("database.password", "battery staple", wait=False)
    bus.wait_until(lambda: worker.status().state == "vetoing")
    print("without the new one:", len(worker["database.password"]), "characters, as before")

    keys[new.id] = new.secret
    bus.wait_until(lambda: worker.snapshot.version == 2)
    print("with the new one:", len(worker["database.password"]), "characters")
