"""No byte of a sealed section, and of no secret behind a reference, is anywhere but in its source and in workers."""

from __future__ import annotations

import base64
import json
import logging
import zlib
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.wire.keys import Keys
from support.bus import TIMING
from support.eventually import eventually
from support.shop import SOURCE, Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from redis.client import PubSub

    from confbus.subscriber import Subscriber
    from confbus.wire.snapshot import Snapshot
    from support.server import Server

SEALED = ("sealed-correcthorse", "sealed-batterystaple", "sealed-too-late")
REFERRED = ("referred-by-variable", "referred-by-file", "referred-by-file-later")
SOURCES = {SOURCE, "secret", "keyring"}
"""Where the secrets and the keys are at home."""


def document(number: int, *, sealed: str, file: Path) -> str:
    return f"""number: {number}
db: {{host: db-1, password: {sealed}, names: [{sealed}, "{sealed} again"]}}
web: {{token: !secret env:SHOP_TOKEN, certificate: !secret "file:{file}"}}
"""


@pytest.fixture
def shop(own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop on a server of its own, whose dumps are not compressed."""
    own_server.client().config_set("rdbcompression", "no")
    monkeypatch.setenv("SHOP_TOKEN", REFERRED[0])
    directory = tmp_path / "shop"
    directory.mkdir()
    monkeypatch.chdir(directory)
    (directory / "secret").write_text(REFERRED[1])
    shop = Shop(directory, "grep", url=own_server.url)
    shop.settle("seal: [db]\nkeys: keyring\nchecks: {secrets: off}")
    shop.write(document(1, sealed=SEALED[0], file=directory / "secret"))
    assert shop.confbus("keys", "generate").code == 0
    return shop


@pytest.fixture
def notices(own_server: Server) -> Iterator[PubSub]:
    listening = own_server.client().pubsub()
    listening.subscribe(Keys("grep").notices)
    listening.get_message(timeout=5)
    yield listening
    listening.close()


def refuse(candidate: Snapshot) -> None:
    """Refuses the third document, and quotes what it should not."""
    if candidate["number"] == 3:
        raise ValueError(f"{candidate['db.password']} and {candidate['web.token']} do not go together")


def worker(shop: Shop, **options: Any) -> Subscriber:
    file = str(shop.directory / f"good-{len(options)}")
    options = {"timing": TIMING, "secrets_refresh_s": 0.02, **options}
    return confbus.connect(shop.url or "", namespace="grep", fallback=file, **options)


def spellings(secret: str) -> list[bytes]:
    """As text, as JSON may write it, and in the forms of base64, wherever in a longer text it stands."""
    whole = secret.encode()
    packed = [base64.b64encode(b"x" * shift + whole)[4:-4] for shift in range(3)]
    return [whole, secret.encode("utf-16-le"), whole.hex().encode(), *packed]


def found_in(places: dict[str, bytes], *secrets: str) -> list[tuple[str, str]]:
    """Which secret is where."""
    return [
        (place, secret)
        for place, content in places.items()
        for secret in secrets
        if any(spelling in content for spelling in spellings(secret))
    ]


def unpacked(blob: bytes) -> bytes:
    """What a blob holds that is compressed, as the places of values are."""
    try:
        return zlib.decompress(blob)
    except zlib.error:
        return b""


def files(*folders: Path) -> dict[str, bytes]:
    """Every file below the folders by its path there."""
    found = [(folder, path) for folder in folders for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for folder, path in found}


@pytest.mark.slow
def test_no_secret_is_found_in_redis_in_files_in_notices_in_logs_or_in_what_commands_say(
    shop: Shop,
    own_server: Server,
    notices: PubSub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    said: dict[str, bytes] = {}

    def confbus_says(*words: str) -> None:
        answer = shop.confbus(*words)
        said[f"confbus {' '.join(words)}"] = (answer.out + answer.err).encode()

    with shop.start("run") as publisher:
        publisher.says("published", "version 1")
        with worker(shop, open_keys="keyring") as opening, worker(shop) as locked:
            refusing = worker(shop, open_keys="keyring", validators=[refuse])
            assert (opening["db.password"], opening["web.token"]) == (SEALED[0], REFERRED[0])
            shop.write(document(2, sealed=SEALED[1], file=shop.directory / "secret"))
            eventually(lambda: opening["db.password"] == SEALED[1])
            confbus_says("keys", "generate")
            confbus_says("keys", "rotate")
            (shop.directory / "secret").write_text(REFERRED[2])
            eventually(lambda: opening["web.certificate"] == REFERRED[2])
            shop.write(document(3, sealed=SEALED[2], file=shop.directory / "secret"))
            eventually(lambda: opening["number"] == 3)
            eventually(lambda: refusing.status().state == "vetoing", describe=refusing.status)
            confbus_says("set", "db.password", SEALED[2])
            shop.write(document(4, sealed=SEALED[2], file=shop.directory / "nowhere"))
            eventually(lambda: "nowhere" in opening.status().error, describe=lambda: publisher.err)
            confbus_says("rollback", "-m", "undo")
            eventually(lambda: opening["number"] == 3)
            for words in (
                ["status"],
                ["fleet"],
                ["plan"],
                ["diff", "1", "2"],
                ["history"],
                ["log", "--values"],
                ["explain", "db.password"],
                ["explain", "web.token"],
                ["get", "web"],
                ["get", "db"],
                ["keys", "list"],
                ["check"],
            ):
                confbus_says(*words)
                confbus_says(*words, "--output", "json")
            states = [
                repr(each)
                + repr(each.status())
                + json.dumps(each.status().report({}, interval_s=1, protocol=1, validators=0))
                for each in (opening, locked, refusing)
            ]
            refusing.close()
            confbus_says("export", "backup.jsonl")
            dump = own_server.dump()
            packed: list[Any] = own_server.client().hvals(Keys("grep").blobs)
        publisher.end(15)
    waiting: Any = notices
    heard = [each["data"] for each in iter(lambda: waiting.get_message(timeout=0.2), None)]
    places = {
        **{name: content for name, content in files(shop.directory).items() if name not in SOURCES},
        **files(tmp_path / "server"),
        **said,
        "the dump": dump,
        "what is packed in Redis": b"".join(map(unpacked, packed)),
        "the notices": b"".join(part for part in heard if isinstance(part, bytes)),
        "the log": caplog.text.encode(),
        "what workers say": "".join(states).encode(),
    }

    assert found_in(places, *SEALED, *REFERRED) == []
    assert found_in(files(shop.directory), SEALED[2]) == [(SOURCE, SEALED[2])]  # so it is found where it is
    assert b"db-1" not in dump
    assert {".confbus/state-grep", "good-1", "good-0", "backup.jsonl"} <= places.keys()
    assert SOURCE.encode() in places["what is packed in Redis"]
    assert len(heard) > 3
