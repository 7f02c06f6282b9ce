"""The command line: export and import, and who follows what was imported."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.client import keys_of, make_client
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from support.eventually import eventually
from support.places import encoded
from support.seals import sealed
from support.shop import CONFBUS

if TYPE_CHECKING:
    from pathlib import Path

    from support.server import Server
    from support.shop import Shop

TIMING = confbus.Timing(poll_s=0.2, report_s=0.5)


@pytest.fixture
def lived(shop: Shop, redis_url: str) -> Shop:
    """A shop with numbers 1, 2 and 3, exported to shop.jsonl."""
    client = make_client(redis_url)
    ledger = Ledger(RedisStore(client, keys_of(client, shop.namespace), where=redis_url))
    for number in (1, 2):
        ledger.publish(encoded({"number": number}), Why("ann"))
    client.close()
    shop.write("number: 3\n")
    shop.confbus("publish")
    assert shop.confbus("export", "shop.jsonl").code == 0
    return shop


@pytest.fixture
def copy(shop: Shop) -> list[str]:
    """The words that lead to another namespace."""
    return ["-n", f"{shop.namespace}-copy"]


def number(config: confbus.Subscriber) -> int | None:
    """What a worker reads; None before its first snapshot."""
    return config["number"] if config.status().running else None


def test_an_export_says_what_is_in_it(lived: Shop) -> None:
    facts = lived.confbus("export", "again.jsonl", "--output", "json").data

    assert (facts["version"], facts["releases"], facts["entries"], facts["left_out"]) == (3, 3, 3, [])
    last = json.loads((lived.directory / "again.jsonl").read_text().splitlines()[-1])
    assert facts["sha256"] == last["sha256"]


def test_an_export_to_stdout_can_be_imported_from_stdin(lived: Shop, copy: list[str]) -> None:
    with (lived.directory / "piped.jsonl").open("wb") as there:
        export = subprocess.run([CONFBUS, "export", "-"], stdout=there, stderr=subprocess.PIPE, text=True, check=True)
    with (lived.directory / "piped.jsonl").open("rb") as there:
        subprocess.run([CONFBUS, "import", "-", *copy], stdin=there, capture_output=True, check=True)

    assert "Exported version 3" in export.stderr
    assert lived.confbus("get", "number", *copy).out == "3\n"


def test_a_namespace_lives_on_after_an_import(lived: Shop, copy: list[str], server: Server) -> None:
    with confbus.Subscriber(server.url, namespace=copy[1], timing=TIMING) as config:
        config.follow()
        answer = lived.confbus("import", "shop.jsonl", *copy, "-m", "moved", "--author", "carl")
        eventually(lambda: number(config) == 3)

        assert answer.out == f"{copy[1]} is at version 3 now, with 3 releases and 4 blobs.\n"
        releases = lived.confbus("history", *copy, "--output", "json").data["releases"]
        assert [release["version"] for release in releases] == [3, 2, 1]
        assert "config/app.yaml:1" in lived.confbus("explain", "number", *copy).out
        assert lived.confbus("rollback", *copy).code == 0
        eventually(lambda: number(config) == 2)
    log = [json.loads(line) for line in lived.confbus("log", *copy, "--output", "json").out.splitlines()]
    assert [entry["action"] for entry in log] == ["rollback", "import", "publish", "publish", "publish"]
    assert (log[1]["author"], log[1]["message"]) == ("carl", "moved")


def test_an_import_over_what_is_there_is_refused_with_what_to_do(lived: Shop) -> None:
    lived.write("number: 4\n")
    lived.confbus("publish")

    answer = lived.confbus("import", "shop.jsonl")

    assert answer.code == 1
    assert "has version 4 already" in answer.err
    assert "--adopt" in answer.err
    assert lived.confbus("get", "number").out == "4\n"


def test_an_adopted_export_is_followed_on_purpose(lived: Shop, server: Server) -> None:
    lived.write("number: 4\n")
    lived.confbus("publish")
    with confbus.Subscriber(server.url, namespace=lived.namespace, timing=TIMING) as config:
        config.follow()
        eventually(lambda: number(config) == 4)

        facts = lived.confbus("import", "shop.jsonl", "--adopt", "--output", "json").data

        assert (facts["version"], facts["of"], facts["is_adopted"]) == (5, 5, True)
        eventually(lambda: number(config) == 3)


def test_a_backup_of_before_is_adopted_after_the_server_lost_all(lived: Shop, server: Server) -> None:
    lived.write("number: 4\n")
    lived.confbus("publish")
    with confbus.Subscriber(server.url, namespace=lived.namespace, timing=TIMING) as config:
        config.follow()
        eventually(lambda: number(config) == 4)
        client: Any = server.client()
        client.delete(*client.scan_iter(match=f"*{{{lived.namespace}}}*"))
        eventually(lambda: lived.confbus("fleet", "--output", "json").data["instances"])

        assert lived.confbus("import", "shop.jsonl").code == 0
        assert config["number"] == 4  # an older head is no progress to a worker
        assert lived.confbus("import", "shop.jsonl", "--adopt").code == 0
        eventually(lambda: number(config) == 3)


@pytest.mark.parametrize("words", [["export", "no/such/folder/x"], ["import", "no-such-file"]])
def test_a_file_that_cannot_be_is_told_in_a_line(lived: Shop, words: list[str]) -> None:
    answer = lived.confbus(*words)

    assert answer.code == 1
    assert "No such file" in answer.err


def test_a_damaged_export_is_refused_before_anything_is_written(lived: Shop, copy: list[str], server: Server) -> None:
    file = lived.directory / "shop.jsonl"
    file.write_bytes(file.read_bytes()[:-10])

    answer = lived.confbus("import", "shop.jsonl", *copy)

    assert answer.code == 1
    assert "checksum" in answer.err
    client: Any = server.client()
    assert list(client.scan_iter(match=f"*{{{copy[1]}}}*")) == []


def test_sealed_sections_stay_sealed_and_an_import_elsewhere_says_so(
    shop: Shop, copy: list[str], redis_url: str, tmp_path: Path
) -> None:
    client = make_client(redis_url)
    document = {"number": 1, "db": {"password": "s3cret"}}
    Ledger(RedisStore(client, keys_of(client, shop.namespace), where=redis_url)).publish(
        sealed(document, "db", namespace=shop.namespace), Why("ann")
    )
    client.close()

    shop.confbus("export", str(tmp_path / "sealed.jsonl"))
    elsewhere = shop.confbus("import", str(tmp_path / "sealed.jsonl"), *copy)

    assert elsewhere.code == 0
    assert "db: sealed for" in elsewhere.err
    assert b"s3cret" not in (tmp_path / "sealed.jsonl").read_bytes()
