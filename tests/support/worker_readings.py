"""How each decoder of the worker's side is called, and what it is meant for."""

from __future__ import annotations

import socket
import threading
from contextlib import closing, suppress
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from confbus import keyring
from confbus.address import read_password
from confbus.connection import ask
from confbus.errors import InvalidSettings
from confbus.events import HeadRead, ReadFailed
from confbus.fallback import Fallback
from confbus.health import instances
from confbus.memory import server_at
from confbus.namespace import Namespace
from confbus.resp import PlainConnection
from confbus.seal import seal, unseal
from confbus.secrets import vault
from confbus.secrets.places import Files
from confbus.sentinels import Sentinels
from confbus.topology import topology
from confbus.variables import Variables
from confbus.wire import codec, notice, origins, sealed
from confbus.wire import head as heads
from confbus.wire.frozen import freeze
from confbus.wire.keys import Keys
from confbus.wire.manifest import Manifest
from confbus.wire.release import Release
from confbus.wire.sections import NOTHING, value_of
from support.decoder import checked, texts
from support.http_server import WebServer, says
from support.places import encoded

if TYPE_CHECKING:
    from pathlib import Path

KEYS = Keys("fuzz")
DOCUMENT = {"db": {"host": "a", "ports": [1, 2.5, None]}, "web": {"on": True, "ä": {"b": "c" * 40}}}
CONTENT = encoded(DOCUMENT)
HEAD = heads.first(version=3, digest=CONTENT.manifest.digest, merged="").anchored(revision=7, version=3)
RELEASE = Release(3, 2, 3, CONTENT.manifest, "ann", "why", 1_700_000_000_000, 99, ("ab" * 32, "cd" * 32))
NOTICE = notice.Notice(HEAD, "ab" * 32, {"db": b"\x80", "web": "ab" * 32, "gone": None}, 5, 6)
ORIGINS = origins.Origins(
    source="app.yaml",
    priority=1,
    kind="file",
    places={"/db/host": (1, 2), "/web": "$APP_WEB"},
    deletes=frozenset({"/x"}),
)
KEY = keyring.Key("k1", b"k" * 32, keyring.ACTIVE)
SEALED = seal(KEY, namespace=KEYS.namespace, section="db", plain=CONTENT.blobs["db"])
FALLBACK_MAGIC = b"confbus last known good, 1\n"
KEPT = {
    "namespace": KEYS.namespace,
    "head": HEAD.fields(),
    "at": 5,
    "sections": {name: (blob, CONTENT.blobs[name]) for name, blob in CONTENT.manifest.sections.items()},
}
REPORT: dict[str, Any] = {
    "instance": "host:1:a",
    "role": "subscriber",
    "state": "live",
    "seen": {"version": 1, "revision": 2, "epoch": "ab", "change": "cd", "digest": "ef", "lineage": [["ab", 1]]},
    "running": {"version": 1, "revision": 2, "epoch": "ab", "change": "cd", "digest": "ef", "lineage": []},
    "error": "",
    "labels": {"zone": "a"},
    "interval_s": 30.0,
    "validators": 2,
    "overlay": ["a.b"],
    "at": 1_700_000_000_000,
}
REPLIES = (
    b"*2\r\n$7\r\n10.0.0.1\r\n$4\r\n6379\r\n",
    b"*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nb\r\n",
    b"*1\r\n*3\r\n:0\r\n:16383\r\n*2\r\n$9\r\n127.0.0.1\r\n:7000\r\n",
    b"-MOVED 1 127.0.0.1:7000\r\n",
    b"+OK\r\n",
    b"$-1\r\n",
)


def namespace(reply: Any) -> Namespace:
    """A namespace whose server says that."""

    def ask(*_commands: object) -> list[Any]:
        return [reply, (b"1700000000", b"5")]

    link: Any = SimpleNamespace(ask=ask)
    return Namespace(link, KEYS, instance="fuzz")


def read_head(raw: bytes, _folder: Path) -> object:
    event = namespace(texts(raw)).read_head()
    assert isinstance(event, HeadRead | ReadFailed)
    return event


def read_release(raw: bytes, _folder: Path) -> object:
    release = namespace(texts(raw)).release(3)
    return NOTHING.changed(release.manifest, {name: value_of(name, b"\x80") for name in release.manifest.sections})


def read_sealed(raw: bytes, _folder: Path) -> object:
    envelope = sealed.parse(raw, what="section 'db'")
    return value_of("db", unseal(KEY, envelope, namespace=KEYS.namespace, section="db"))


def read_names(raw: bytes, _folder: Path) -> object:
    """A release whose sections have these names: their digest is right, so the names are looked at."""
    lines = raw.decode("utf-8", "replace").splitlines()[:100]
    manifest = Manifest({name: codec.digest(b"\x80") for name in lines})
    return NOTHING.changed(manifest, {name: freeze({}) for name in manifest.sections})


def read_fallback(raw: bytes, folder: Path) -> object:
    file = folder / "fallback"
    file.write_bytes(raw)
    file.chmod(0o600)
    good = Fallback(str(file), KEYS.namespace).load()
    return good and [value_of(name, blob) for name, blob in good.blobs.items()]


def read_kept(raw: bytes, folder: Path) -> object:
    return read_fallback(checked(FALLBACK_MAGIC, raw), folder)


def read_login(raw: bytes, folder: Path) -> object:
    file = folder / "password"
    file.write_bytes(raw)
    return read_password(str(file))


def read_reply(raw: bytes, _folder: Path) -> object:
    """The reply to one command, as far as these bytes go; then the server is gone."""
    ours, theirs = socket.socketpair()

    def say() -> None:
        with closing(theirs), suppress(OSError):  # nobody listens to the rest
            theirs.sendall(raw)

    server = threading.Thread(target=say)
    connection = PlainConnection(ours, timeout_s=5.0)
    server.start()
    try:
        return connection.receive()
    finally:
        connection.close()
        server.join()


def read_sentinel(raw: bytes, folder: Path) -> object:
    reply = read_reply(raw, folder)

    def send(*_commands: object) -> None:
        return

    sentinel: Any = SimpleNamespace(send=send, receive=lambda: reply)
    return Sentinels(topology("redis+sentinel://a/service")).named_by(sentinel)


def read_reports(raw: bytes, _folder: Path) -> object:
    connection = server_at("memory://fuzz").open("")
    ask(connection, ("DEL", KEYS.fleet))
    ask(connection, ("HSET", KEYS.fleet, "host:1:a", raw))
    return instances("memory://fuzz", KEYS.namespace, "host")


def read_vaulted(raw: bytes, _folder: Path) -> object:
    with WebServer(says(raw)) as server, pytest.MonkeyPatch.context() as patch:
        patch.setenv("VAULT_ADDR", server.url(""))
        patch.setenv("VAULT_TOKEN", "t")
        return vault.fetch("kv/data/app").field("a")


def read_referred(raw: bytes, folder: Path) -> object:
    file = folder / "referred"
    file.write_bytes(raw)
    return Files().read(str(file))


def read_variable(raw: bytes, _folder: Path) -> object:
    found: list[object] = []
    for below in (None, [1], {"b": 1}, 1, 1.5, True):
        with suppress(InvalidSettings):
            found.append(Variables("APP_", {"APP_A": raw.decode("utf-8", "replace")}).settings({"a": below}))
    return found
