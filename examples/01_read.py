"""Read configuration: a value, a default, a section, a snapshot.

    confbus demo --stay                                  # in another terminal; it prints its URL
    CONFBUS_URL=unix:///… python examples/01_read.py

It waits until something is published, so it may be started first.
"""

import os
import sys

import confbus

url = sys.argv[1] if len(sys.argv) > 1 else os.environ["CONFBUS_URL"]

with confbus.connect(url, namespace="shop") as config:
    # A read is a look into this process's own memory. A path that is not there raises, and names the nearest one.
    print("free shipping from", config["checkout.free_shipping_from"])
    print("first carrier", config["checkout.carriers[0]"])

    # `get` never raises for absence. The default is for absence only: a null in the configuration is None.
    print("wrapping", config.get("checkout.wrapping", "paper"))

    # A section is an immutable dict; `confbus.thaw` makes a copy that may be changed.
    for name, value in config.section("database").items():
        print("database", name, value)

    # Two reads of `config` may see two versions. A snapshot is one, for as long as it is held.
    snapshot = config.snapshot
    print("version", snapshot.version, "has", snapshot["shop.name"], "in", snapshot["shop.currency"])

    # When a release must run here before the work goes on: after a deployment, in a test.
    newest = config.wait_for(version=snapshot.version, timeout=5)
    print("version", newest.version, "runs")
