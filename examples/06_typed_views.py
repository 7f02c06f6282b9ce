"""Typed views: a part of the configuration as an object of your own, and a veto for what does not fit it.

    confbus demo --stay                                        # in another terminal; it prints its URL
    CONFBUS_URL=unix:///… python examples/06_typed_views.py    # now edit the file that the demo names

Press Enter to look again; give `free_shipping_from` the value `soon`, and see it refused.
"""

import os
import sys
from dataclasses import dataclass
from datetime import timedelta

import confbus

url = sys.argv[1] if len(sys.argv) > 1 else os.environ["CONFBUS_URL"]


@dataclass(frozen=True)
class Checkout:
    free_shipping_from: float
    carriers: tuple[str, ...]
    payment_timeout: timedelta = timedelta(seconds=5)

    def __post_init__(self) -> None:
        if not self.carriers:
            raise ValueError("nobody would carry anything")


# Given here, it judges the first release too. `bind` then gives the view that is there, for type checkers as well.
with confbus.connect(url, namespace="shop", views={"checkout": Checkout}) as config:
    checkout = config.bind("checkout", Checkout)

    # A function may make whatever it likes of a part, and shows what it returns.
    address = config.bind("database", lambda database: f"{database['host']}:{database['port']}")
    print("database at", address.current, flush=True)

    while True:
        # Two attributes; always of the newest release that fits.
        shown = checkout.current
        print(f"free from {shown.free_shipping_from:g} with {shown.carriers[0]} in {shown.payment_timeout}", flush=True)
        if config.status().state == "vetoing":
            print("refused:", config.status().error, flush=True)
        if not sys.stdin.readline():
            break
