"""The command line: keys, from the first to the one after the next."""

from __future__ import annotations

import shutil
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.errors import SealedError
from confbus.wire.sealed import parse
from confbus_publisher.opening import Named, inputs_of, site_of
from confbus_publisher.sealing.key_file import KeyFile
from confbus_publisher.session import Session
from confbus_publisher.settings import load_settings
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus_publisher.ledger import Ledger
    from support.server import Server
    from support.shop import Shop

RING = ".confbus/keys"


@pytest.fixture
def sealing(shop: Shop) -> Shop:
    """A shop that seals `db`, and has a first key."""
    shop.settle("seal: [db]")
    assert shop.confbus("keys", "generate").code == 0
    return shop


@pytest.fixture
def session(sealing: Shop, server: Server) -> Iterator[Session]:
    """An active publisher that looks by itself only once an hour."""
    settings = replace(load_settings("confbus.yaml"), redis=None, poll_interval_s=3600.0, lease_s=10_800.0)
    session = Session(settings, inputs_of(settings), server.url, author="publisher", ended=lambda: None)
    session.start()
    try:
        eventually(lambda: session.standing.state == "in step", describe=lambda: session.standing)
        yield session
    finally:
        session.stop()


def keys(shop: Shop) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = shop.confbus("keys", "list", "--output", "json").data["keys"]
    return found


def sealed_with(shop: Shop) -> str:
    """The key of the head's `db`."""
    with site_of(Named(config="confbus.yaml")).ledger() as ledger:
        return key_of(ledger)


def key_of(ledger: Ledger) -> str:
    state = ledger.refresh()
    assert state
    return parse(state.blobs[state.release.manifest.sections["db"]], what="db").key


def test_a_new_key_is_made_brought_to_the_workers_and_rotated_in_without_a_gap(
    sealing: Shop, session: Session, server: Server, tmp_path: Path
) -> None:
    theirs = tmp_path / "theirs"
    shutil.copy(RING, theirs)
    options: dict[str, Any] = {"namespace": sealing.namespace, "timing": confbus.Timing(poll_s=0.2)}
    with (
        confbus.connect(server.url, open_keys=theirs, **options) as worker,
        confbus.connect(server.url, open_keys=RING, **options) as up_to_date,
    ):
        made = sealing.confbus("keys", "generate")
        assert "It is ready: bring it to the workers" in made.out
        first, second = keys(sealing)
        assert (first["state"], second["state"], second["releases"]) == ("active", "ready", [])

        rotated = sealing.confbus("keys", "rotate", "--output", "json")

        assert (rotated.code, rotated.data["id"], rotated.data["version"]) == (0, second["id"], 2)
        assert sealed_with(sealing) == second["id"]
        assert [(each["state"], each["releases"]) for each in keys(sealing)] == [("retired", [1]), ("active", [2])]
        eventually(lambda: up_to_date.snapshot.version == 2)
        assert eventually(lambda: worker.status().state == "vetoing")
        assert worker["db.port"] == up_to_date["db.port"] == 5432
        assert second["id"] in worker.status().error

        shutil.copy(RING, theirs)
        eventually(lambda: worker.snapshot.version == 2, describe=worker.status)
    assert session.standing.state == "in step"


def test_without_a_publisher_the_command_seals_the_head_itself(sealing: Shop) -> None:
    assert sealing.confbus("publish").code == 0
    sealing.confbus("keys", "generate")

    answer = sealing.confbus("keys", "rotate", "--author", "ann")

    assert (answer.code, answer.out.endswith("version 2 is sealed with it.\n")) == (0, True)
    assert sealed_with(sealing) == keys(sealing)[1]["id"]
    newest = sealing.confbus("history", "--output", "json").data["releases"][0]
    assert (newest["version"], newest["of"], newest["author"]) == (2, 1, "ann")
    assert sealing.confbus("plan").code == 0, "the content is the same"
    assert "so since version 1" in sealing.confbus("explain", "db.port").out
    assert "keys rotate" in sealing.confbus("log").out


def test_a_key_goes_only_when_no_release_needs_it(sealing: Shop) -> None:
    sealing.confbus("publish")
    first = keys(sealing)[0]["id"]
    assert "is the active key" in sealing.confbus("keys", "remove", first).err
    sealing.confbus("keys", "generate")
    sealing.confbus("keys", "rotate")

    answer = sealing.confbus("keys", "remove", first)
    assert (answer.code, "is needed by version 1" in answer.err) == (1, True)
    assert sealing.confbus("keys", "remove", first, "--force").code == 0

    assert [(each["id"], each["state"]) for each in keys(sealing)][1:] == [(first, "missing")]
    assert sealing.confbus("rollback", "--to", "1").code == 0, "nothing keeps anybody from going back"


def test_a_server_that_is_away_keeps_no_key_from_being_made_or_rotated(sealing: Shop) -> None:
    sealing.url = "redis://127.0.0.1:1/0"
    sealing.settle("seal: [db]")

    made = sealing.confbus("keys", "generate")
    rotated = sealing.confbus("keys", "rotate")
    listed = sealing.confbus("keys", "list")

    assert (made.code, rotated.code) == (0, 0)
    assert "The audit trail has no entry of this: " in made.err
    assert "A publisher seals the head with it when the server is back" in rotated.err
    assert "Which releases need which key is not known" in listed.err
    ring = KeyFile(sealing.directory / RING).ring()
    assert ring
    assert [key.state for key in ring] == ["retired", "active"]
    assert "cannot be told" in sealing.confbus("keys", "remove", next(iter(ring)).id).err


def test_without_a_command_the_commands_are_listed(sealing: Shop) -> None:
    answer = sealing.confbus("keys")

    assert answer.code == 0
    assert all(f"  {name} " in answer.out for name in ("generate", "rotate", "list", "remove"))


def test_a_rotation_where_nothing_is_sealed_says_so(sealing: Shop) -> None:
    sealing.settle()
    sealing.confbus("publish")
    sealing.confbus("keys", "generate")

    assert sealing.confbus("keys", "rotate").out.endswith("version 1 has nothing that is sealed.\n")


def test_a_keyring_is_made_anywhere_without_settings(sealing: Shop, tmp_path: Path) -> None:
    (sealing.directory / "confbus.yaml").unlink()

    answer = sealing.confbus("keys", "generate", "--keys", str(tmp_path / "new" / "keys"), "--output", "json")

    assert (answer.code, answer.data["state"]) == (0, "active")
    assert "The audit trail has no entry of this: confbus.yaml: there is no such file here" in answer.err
    assert (tmp_path / "new" / "keys").stat().st_mode & 0o777 == 0o600


def test_no_command_prints_a_key(sealing: Shop) -> None:
    sealing.confbus("publish")
    said = [sealing.confbus("keys", "generate"), sealing.confbus("keys", "rotate"), sealing.confbus("keys", "list")]
    said += [sealing.confbus("keys", "list", "--output", "json"), sealing.confbus("keys", "rotate")]

    text = "".join(answer.out + answer.err for answer in said)

    for line in (sealing.directory / RING).read_text().splitlines()[1:-1]:
        assert line.rpartition('"key": "')[2][:20] not in text


def test_a_worker_without_any_key_reads_the_rest(sealing: Shop, server: Server) -> None:
    sealing.confbus("publish")

    with confbus.connect(server.url, namespace=sealing.namespace) as worker:
        assert worker["number"] == 1
        with pytest.raises(SealedError, match=keys(sealing)[0]["id"]):
            worker["db.port"]
