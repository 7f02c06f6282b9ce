"""Secrets behind references in processes that fork: each looks for itself, and no fork is in the way of another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.wire.frozen import Reference
from confbus_publisher.ledger import Why
from support.eventually import eventually
from support.family import WATCHED_IMPORTS
from support.http_server import WebServer
from support.places import encoded
from support.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from support.bus import Bus
    from support.family import Family

PROGRAM = (
    WATCHED_IMPORTS
    + """
def refuse(snapshot):
    if snapshot.get("other") == 3:
        raise ValueError("no 3")

config = connect(secrets_refresh_s=0.1, validators=[refuse])
os.fork()
rest()
"""
)


def publish(bus: Bus, reference: str, *, other: int = 1) -> None:
    bus.ledger.refresh()
    bus.ledger.publish(encoded({"number": Reference(reference), "other": other}), Why("test"))


def test_every_process_of_one_that_forks_reads_a_secret_that_changes(bus: Bus, family: Family, tmp_path: Path) -> None:
    secret = tmp_path / "secret"

    def rotate(number: int) -> None:
        new = secret.with_suffix(".new")
        new.write_text(f"{number}")
        new.replace(secret)

    rotate(1)
    publish(bus, f"file:{secret}")
    family.run(PROGRAM)
    eventually(lambda: len(family.fleet()) == 2, describe=lambda: family.errors)

    for number in (2, 3):
        rotate(number)
        family.told_all(family.fleet(), number)
    publish(bus, f"file:{secret}", other=3)
    eventually(lambda: [report["state"] for report in family.reports().values()].count("vetoing") == 2)

    assert family.errors == ""


def test_a_vault_is_asked_by_parent_and_child(bus: Bus, family: Family, monkeypatch: pytest.MonkeyPatch) -> None:
    vault = Vault()
    vault.secret("kv/data/db").put({"password": "1"})
    publish(bus, "vault:kv/data/db#password")

    with WebServer(vault.behave) as server:
        monkeypatch.setenv("VAULT_ADDR", server.url("", host="localhost"))
        monkeypatch.setenv("VAULT_TOKEN", "hvs.good")
        family.run(PROGRAM)
        eventually(lambda: len(family.fleet()) == 2, describe=lambda: family.errors)

        for number in (2, 3):
            vault.secret("kv/data/db").put({"password": f"{number}"})
            family.told_all(family.fleet(), number)

    assert family.errors == ""
