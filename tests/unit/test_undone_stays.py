"""Whatever happens in whatever order: what was rolled back does not come back by itself."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import NoRelease
from confbus.wire.frozen import freeze
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Amendment, Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.ledger.rollback import target
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.overrides.override import Override, parse, parse_path
from confbus_publisher.publisher import Publisher
from support.bus import Edits
from support.scale import scaled
from support.seals import ring, seals

if TYPE_CHECKING:
    from pathlib import Path

OVERRIDDEN = "database.pool.max", "database.extra", "web.port"


class Site:
    """A publisher whose sources, overrides, keys and `seal:` change by chance, and an operator who rolls back."""

    def __init__(self, chance: random.Random, directory: Path) -> None:
        self.chance = chance
        self.directory = directory
        self.store = MemoryStore()
        self.edits = Edits({})
        self.told: list[Any] = []
        self.undone: set[str] = set()
        self.keys = self.port = 1
        self.is_sealing = False
        self.written = ""
        self.edit()
        self.restart()

    def edit(self) -> None:
        """Somebody writes; when it is what was undone, that is a choice of its own."""
        before, self.written = self.written, self.chance.choice("abcde")
        self.undone -= {self.written} if self.written != before else set()
        self.port += 1
        database = {"password": self.written, "pool": {"max": 1}}
        self.edits.write({"database": database, "web": {"port": self.port}})

    def rollback(self, *, has_keys: bool = True) -> None:
        ledger, before = Ledger(self.store, seals=self.seals if has_keys else None), self.password
        state = ledger.refresh()
        assert state
        try:
            ledger.rollback(target(state, ledger.history()), Why("operator"))
        except NoRelease:
            return
        self.undone = (self.undone | {before}) - {self.password}

    def rollback_elsewhere(self) -> None:
        self.rollback(has_keys=False)

    def override(self) -> None:
        now_ms, path = self.store.time_ms(), self.chance.choice(OVERRIDDEN)
        value = freeze(self.chance.randrange(2, 5))
        override = Override(path=parse_path(path), value=value, at_ms=now_ms)
        self.store.amend(Amendment("overrides", path, override.text(), {"action": "set"}))

    def end(self) -> None:
        for path, text in self.store.overrides().texts.items():
            ended = parse(path, text).ended(self.store.time_ms())
            self.store.amend(Amendment("overrides", path, ended.text(), {"action": "unset"}))

    def seal(self) -> None:
        self.is_sealing = not self.is_sealing
        self.restart()

    def rotate(self) -> None:
        self.keys += 1

    def restart(self) -> None:
        self.seals = seals(self.directory / "keys", *(["database"] if self.is_sealing else []))
        inputs = Inputs([self.edits], limit_bytes=1_000_000, seals=self.seals)
        memory, ledger = MemoryFile(self.directory / "state", "shop"), Ledger(self.store, seals=self.seals)
        self.publisher = Publisher(inputs, ledger, memory, identity="one", author="publisher")

    def turn(self, event: str) -> None:
        getattr(self, event)()
        assert self.seals.file
        self.seals.file.write(ring(*(f"k{number}" for number in range(self.keys, 0, -1))))
        self.publisher.turn()
        self.told.append((event, self.password, self.publisher.standing.state))

    @property
    def password(self) -> str:
        """What workers read."""
        state = Ledger(self.store).refresh()
        return str(state.document(self.seals.open)["database"]["password"]) if state else ""


EVENTS = "edit", "rollback", "rollback_elsewhere", "override", "end", "seal", "rotate", "restart"


@pytest.mark.parametrize("seed", range(scaled(test=16, soak=1000)))
def test_what_was_rolled_back_comes_back_in_no_order_of_events(seed: int, tmp_path: Path) -> None:
    site = Site(random.Random(seed), tmp_path)
    site.turn("edit")

    for _ in range(25):
        site.turn(site.chance.choice(EVENTS))

        assert site.password not in site.undone, site.told
