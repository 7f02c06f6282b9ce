"""Namespaces with a past, and what an export of them is."""

from __future__ import annotations

import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

from confbus.wire import codec
from confbus_publisher.backup.backup import Backup
from confbus_publisher.backup.export import write
from confbus_publisher.ledger import Amendment, Ledger, Why
from confbus_publisher.ledger.installation import install
from confbus_publisher.ledger.memory import MemoryStore
from support.places import encoded

if TYPE_CHECKING:
    from pathlib import Path

    from confbus_publisher.ledger import Store

DOCUMENTS: list[dict[str, Any]] = [{"db": {"host": f"h{number}"}, "n": number} for number in range(4)]
ANN = Why("ann", "a message")


def live(store: Store) -> Ledger:
    """Four versions, one of them undone, an override, an approval, a hold and a refusal."""
    ledger = Ledger(store)
    for document in DOCUMENTS[:3]:
        ledger.publish(encoded(document), ANN, origins={codec.digest(b"places"): b"places"})
    ledger.rollback(ledger.release(1), Why("bob", "too slow", "rollback"))
    ledger.refused(Why("eve"), "a check failed")
    for kind, field in (("overrides", "db.port"), ("approvals", "cd" * 32), ("holds", "db")):
        text = '{"value":1,"until_ms":null,"reason":"","by":"ann","at_ms":5}'
        entry = {"action": kind, "author": "ann"}
        store.amend(Amendment(kind, field, text, entry))  # type: ignore[arg-type]  # the names of the three kinds
    return ledger


def exported(store: Store, namespace: str = "shop") -> bytes:
    """The bytes of an export."""
    file = io.BytesIO()
    write(store, namespace, file)
    return file.getvalue()


def backup(raw: bytes) -> Backup:
    return Backup(io.BytesIO(raw), name="the export")


def read_lines(raw: bytes, _folder: Path) -> object:
    """Look through lines that somebody put a fitting checksum under."""
    body = raw if raw.endswith(b"\n") else raw + b"\n"
    end = {"kind": "end", "lines": body.count(b"\n"), "sha256": hashlib.sha256(body).hexdigest()}
    return list(backup(body + json.dumps(end, separators=(",", ":")).encode() + b"\n").batches())


def imported(store: Store, raw: bytes) -> Backup:
    """Bring the export into the store."""
    there = backup(raw)
    install(store, there.image, there.batches(), Why("carl", "moved", "import"))
    return there


def lines_of_an_export() -> bytes:
    """All lines but the last."""
    store = MemoryStore()
    live(store)
    return b"\n".join(exported(store).splitlines()[:-1]) + b"\n"
