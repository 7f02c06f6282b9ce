"""Publish from Python: merge sources, and make the result the next release.

    CONFBUS_URL=redis://localhost:6379 python examples/03_publish.py
    APP_CHECKOUT__FREE_SHIPPING_FROM=39 CONFBUS_URL=redis://localhost:6379 python examples/03_publish.py

For scripts and pipelines. A service publishes with `confbus run` and a confbus.yaml, and while one is active this is
refused; so it needs a Redis of its own, and is then what the first two examples read.
"""

import os
import sys

from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Why
from confbus_publisher.oneshot import publish_once
from confbus_publisher.opening import Site, author
from confbus_publisher.sources import DictSource, EnvSource

url = sys.argv[1] if len(sys.argv) > 1 else os.environ["CONFBUS_URL"]

DEFAULTS = {
    "shop": {"name": "Driftwood", "currency": "EUR"},
    "checkout": {"free_shipping_from": 50, "carriers": ["dhl", "ups", "post"]},
    "database": {"host": "db-1.internal", "port": 5432},
}

# Of two sources the one with the higher priority wins, value by value.
inputs = Inputs([DictSource(DEFAULTS, priority=0), EnvSource("APP_", priority=10)], limit_bytes=1_000_000)
merge = inputs.load()

with Site(url, "shop").ledger() as ledger:
    # One atomic step: every worker sees all of it, or nothing. The same content twice is no new version.
    release = publish_once(ledger, merge, Why(author(), message="from an example"))
    print(f"published version {release.version}" if release else "that is what is published already")
