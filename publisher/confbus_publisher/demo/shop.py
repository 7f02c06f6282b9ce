"""The sample configuration of the demo, a small shop's, and the edits that befall it."""

from __future__ import annotations

import json
import os
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

NAMESPACE = "shop"
APP = "config/app.yaml"
PRICE = "checkout.free_shipping_from"
HOST = "database.host"
OVERRIDE = ("APP_DATABASE_HOST", "db-2.internal")

_FILES = {
    "confbus.yaml": """\
# What the publisher publishes, and where: `confbus run -c confbus.yaml`.
namespace: shop
redis: {url}
sources:
  - files: [config/app.yaml, config/features.json]
    priority: 10
  - env: APP_            # APP_DATABASE_HOST is database.host
    priority: 20         # the higher one wins
poll_interval: 200ms     # a demo is impatient
""",
    APP: """\
shop:
  name: Driftwood
  currency: EUR

checkout:
  free_shipping_from: 50
  payment_timeout: 2.5
  carriers: [dhl, ups, post]

database:
  host: db-1.internal
  port: 5432
  pool: {min: 2, max: 20}
""",
    "config/features.json": """\
{"features": {"gift_cards": true, "new_cart": false}}
""",
}


@dataclass(frozen=True, slots=True)
class Edit:
    """One line that changed, and the monotonic time just before the file was saved."""

    place: str
    old: str
    new: str
    at_s: float


class Shop:
    """The configuration in `directory`, written when this is made, for a server at `url`."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory = directory
        for name, text in _FILES.items():
            file = directory / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text.replace("{url}", json.dumps(url)), encoding="utf-8")

    def edit(self, old: str, new: str) -> Edit:
        """Replace the one place in the application's file that says `old`, as an editor does: all at once."""
        file = self.directory / APP
        before = file.read_text("utf-8")
        line = before[: before.index(old)].count("\n")
        after = before.replace(old, new, 1)
        draft = self.directory / "draft"
        draft.write_text(after, encoding="utf-8")
        at_s = time.monotonic()
        draft.replace(file)
        return Edit(f"{APP}:{line + 1}", before.splitlines()[line], after.splitlines()[line], at_s)


def environment(variables: Mapping[str, str] = os.environ) -> dict[str, str]:
    """`variables` without those that would reach into the demo, and with the one override that it shows."""
    own = {name: text for name, text in variables.items() if not name.startswith(("APP_", "CONFBUS_"))}
    return own | dict([OVERRIDE])
