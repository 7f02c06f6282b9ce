"""Whatever happens to a source, no value of it is in a line of the log, at any level, in any field, or in a status."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING

import pytest

from confbus_publisher import opening
from confbus_publisher.ledger import Ledger
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.logs import JsonLines, Lines
from confbus_publisher.manager.forgetful import Forgetful
from confbus_publisher.opening import Named
from confbus_publisher.publisher import Publisher
from confbus_publisher.vitals import Vitals
from support.seals import seals

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "xk7-Qm2v"
SETTINGS = """\
namespace: shop
sources:
  - {file: app.yaml, interpolate: true}
  - {secrets: secrets, optional: true}
  - {env: APPLOG_}
keys: keys
seal: [database]
checks:
  schema: schema.json
  secrets: warn
"""
RULES = '  rules: ["int(web.port) < 70000"]\n'
SCHEMA = """\
{"properties": {"web": {"properties": {"port": {"type": ["integer", "string"], "not": {"const": "never"}},
 "mode": {"enum": ["a", "b"]}, "name": {"pattern": "^[a-z]+$"}}}, "limit": {"type": "integer", "maximum": 5}}}
"""
GOOD = f"database: {{password: '{SECRET}-0'}}\nweb: {{port: 80, color: '{SECRET}-1'}}\n"
EDITS = {
    "a value changes": GOOD.replace("-1", "-2"),
    "a quote is missing": f"database: {{password: '{SECRET}\nweb: {{port: 80}}\n",
    "a key comes twice": f"database: {SECRET}\ndatabase: {SECRET}\n",
    "a mapping becomes a value": f"database: {SECRET}\nweb: {{port: 80}}\n",
    "a tag is foreign": f"database: !{'odd'} {SECRET}\n",
    "a date is none": f"database: {{at: 2001-99-99}}\nweb: {{port: '{SECRET}'}}\n",
    "the schema wants one of a few": f"{GOOD}".replace("port: 80", f"port: 80, mode: '{SECRET}'"),
    "the schema wants a pattern": f"{GOOD}".replace("port: 80", f"port: 80, name: '{SECRET}'"),
    "the schema wants a number": f"{GOOD}limit: '{SECRET}'\n",
    "a reference leads nowhere": f"{GOOD}extra: '${{NOT_THERE_AT_ALL}} {SECRET}'\n",
    "a file is not there": f"{GOOD}extra: '${{file:gone}} {SECRET}'\n",
    "a secret is not sealed": f"{GOOD}mail: {{password: '{SECRET}'}}\n",
    "a number is too large": f"{GOOD}extra: 123456789012345678901234567890\nmore: '{SECRET}'\n",
    "an alias has no anchor": f"{GOOD}extra: *{'gone'}\nmore: '{SECRET}'\n",
    "nothing is left": "{}\n",
}


class Shop:
    """A publisher of real files into a store in memory, and every line that it logged, in both forms."""

    def __init__(self, directory: Path, settings: str = SETTINGS) -> None:
        self.directory = directory
        for name, text in {"schema.json": SCHEMA, "app.yaml": GOOD, "confbus.yaml": settings}.items():
            (directory / name).write_text(text)
        (directory / "secrets").mkdir()
        (directory / "secrets" / "web.token").write_text(f"{SECRET}-3")

        seals(directory / "keys", "database")
        read = opening.settings_of(Named(config=str(directory / "confbus.yaml")))
        self.publisher = Publisher(
            opening.inputs_of(read), Ledger(MemoryStore()), Forgetful(), identity="ann", author="ann"
        )

        self.vitals = Vitals("shop")
        self.vitals.take(self.publisher, "memory:")
        self.statuses: list[str] = []

    def turn(self, text: str) -> str:
        """Let the file say `text`; gives the state that the publisher came to."""
        draft = self.directory / "draft"
        draft.write_text(text)
        draft.replace(self.directory / "app.yaml")
        self.publisher.turn()
        self.statuses.append(f"{json.dumps(self.vitals.status())} {self.vitals.readiness()} {self.vitals.summary}")
        return self.publisher.standing.state


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setenv("APPLOG_WEB__SIGN", f"{SECRET}-4")
    caplog.set_level(logging.DEBUG)


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [form.format(record) for record in caplog.records for form in (Lines(), JsonLines())]


def test_whole_reloads_at_debug_log_no_value(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(tmp_path)
    states = {"good": shop.turn(GOOD)} | {name: shop.turn(text) for name, text in EDITS.items()}

    said = [*lines(caplog), *shop.statuses]
    assert [line for line in said if SECRET in line] == []
    assert {states["good"], states["a value changes"]} == {"in step"}
    assert len([state for state in states.values() if state == "refused"]) >= 7
    assert len([line for line in said if "woken_by" in line]) >= 10  # of each turn that found something new


def test_a_rule_that_stumbles_over_a_value_logs_none(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    shop = Shop(tmp_path, SETTINGS + RULES)

    state = shop.turn(GOOD.replace("80", f"'{SECRET}'"))

    assert state == "refused"
    assert [line for line in lines(caplog) if SECRET in line] == []
