"""React to changes: be called with what changed under a path, until you no longer care.

    confbus demo --stay                                  # in another terminal; it prints its URL
    CONFBUS_URL=unix:///… python examples/02_react.py    # now edit the file that the demo names

Press Enter to end it.
"""

import os
import sys

import confbus

url = sys.argv[1] if len(sys.argv) > 1 else os.environ["CONFBUS_URL"]


def tell(changes: list[confbus.Change]) -> None:
    # One change for each leaf, all of one release. By now `config` reads the new values already.
    for change in changes:
        print(f"{change.path}: {change.old_value} -> {change.new_value} ({change.change_type.value})", flush=True)


with confbus.connect(url, namespace="shop") as config:
    # `checkout` is the section and all below it, `*` any one level, `**` (the default) everything.
    # Functions are kept. A bound method is not: its subscription ends with its object.
    subscription = config.subscribe(tell, "checkout")
    print(f"listening at version {config.snapshot.version}", flush=True)
    sys.stdin.readline()

    # No call starts after this returns.
    config.unsubscribe(subscription)
    print("no longer listening")
