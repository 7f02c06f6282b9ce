"""How each decoder of the publisher's side is called, and what it is meant for."""

from __future__ import annotations

import gzip
import io
from http.client import HTTPResponse
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

from confbus.wire import codec
from confbus_publisher.embedded.directory import ANNOUNCEMENT, DataDirectory
from confbus_publisher.fleet import Report, parse_all
from confbus_publisher.formats.format import load
from confbus_publisher.formats.literal import fit, guess
from confbus_publisher.formats.text import decode
from confbus_publisher.guard.guard import Guard
from confbus_publisher.holds import hold
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.overrides import approval
from confbus_publisher.overrides.override import Override
from confbus_publisher.overrides.override import parse as parse_override
from confbus_publisher.settings import load_settings
from confbus_publisher.sources.remote.address import parse_address
from confbus_publisher.sources.remote.answer import OK, Answer, read_answer
from confbus_publisher.sources.remote.answer_cache import AnswerCache
from confbus_publisher.sources.remote.request import Request, SecretFile
from confbus_publisher.sources.remote.vault import VaultSource
from confbus_publisher.sources.value_file import read_value
from support.decoder import checked, texts
from support.http_server import head
from support.worker_readings import CONTENT, HEAD, KEYS, RELEASE

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable
    from pathlib import Path


MEMORY_MAGIC, ANSWER_MAGIC = b"confbus memory 1\n", b"confbus answer 1\n"
KEPT = {
    "namespace": KEYS.namespace,
    "head": HEAD.fields(),
    "release": RELEASE.fields(),
    "blobs": {CONTENT.manifest.sections[name]: blob for name, blob in CONTENT.blobs.items()},
    "quarantine": {"db " + "ab" * 32: "why"},
    "overrides": {"texts": {"db.host": '{"value": 1, "at_ms": 5}'}, "at": 5},
    "accounted": "ab" * 32,
}
GUARD = Guard(change="ab", version=3, back=2, digest="cd", author="ann", since_ms=5, until_ms=9)
OVERRIDE = Override(path=("db", "host"), value={"a": [1]}, at_ms=5, until_ms=9, reason="why", by="ann").text().encode()
APPROVAL = b'{"reason": "we mean it", "by": "ann", "at_ms": 5}'
REQUEST = Request(address=parse_address("https://config.example.com/app.json"))
CACHED = {
    "asked": codec.digest(b"GET https://config.example.com/app.json"),
    "headers": {"etag": "x"},
    "body": b"{}",
    "received_ms": 5,
}
YAML = b"""a: &x {b: 1, c: [1, 2.5, null, ~, "\\x41"]}
d: *x
e:
  <<: *x
  f: |
    text
  g: !!str 5
h: !delete
"""
JSON = b'{"a": {"b": [1, 2.5e3, null, true, "\\u00e4"]}, "c": {}, "d": "e"}'
TOML = b"""a.b = 1
[c]
d = [1, 2.5, {e = "f"}]
[[g]]
"h.i" = '''j'''
"""
DOTENV = b"""# c
export A__B="x\\ty"
C_D='e'
F=g # h
"""
SETTINGS = b"""namespace: shop
redis: redis://localhost/0
sources:
  - file: config/app.yaml
    priority: 10
  - env: APP_
  - http: https://config.example.com/app.json
    headers: {Authorization: "Bearer ${TOKEN:none}"}
checks: {rules: [a < b], secrets: warn, gates: {growth: 3}}
limits: {document: 8 MiB}
"""
SCHEMA = b"""{"type": "object", "properties": {"a": {"$ref": "#/$defs/x"}}, "$defs": {"x": {"anyOf": [
{"type": "string", "pattern": "^a+$"}, {"type": "integer", "minimum": 1}]}}, "patternProperties": {"^b": {}}}"""
VAULT = b'{"data": {"data": {"user": "a", "password": "b"}, "metadata": {"version": 3, "destroyed": false}}}'
GZIPPED = head(content_encoding="gzip") + gzip.compress(JSON)
LIMIT = 100_000


class Wire:
    """As much of a socket as a response needs."""

    def __init__(self, raw: bytes) -> None:
        self._raw = raw

    def makefile(self, _mode: str) -> io.BytesIO:
        return io.BytesIO(self._raw)


def store(**replies: Any) -> RedisStore:
    """A store whose server says that."""

    def saying(reply: Any) -> Callable[..., Any]:
        def method(*_args: object, **_options: object) -> Any:
            return reply

        return method

    methods = {name: saying(reply) for name, reply in replies.items()}
    client: Any = SimpleNamespace(connection_pool=SimpleNamespace(connection_class=object), **methods)
    return RedisStore(client, KEYS, where="a test", patience_s=0)


def hash_of(raw: bytes) -> dict[bytes, bytes]:
    lines = texts(raw)
    return dict(zip(lines[::2], lines[1::2], strict=True))


def read_head(raw: bytes, _folder: Path) -> object:
    return store(hgetall=hash_of(raw)).head()


def read_reports(raw: bytes, _folder: Path) -> object:
    reports = parse_all({"host:1:a": raw, raw[:300].decode("latin-1"): raw})
    assert all(type(report) is Report for report in reports)
    return [report.is_live(5) for report in reports]


def document(format_name: str) -> Any:
    def read(raw: bytes, _folder: Path) -> object:
        return load(decode(raw, origin_name="x"), format_name=format_name, origin_name="x", deletes=set())

    return read


def read_settings(raw: bytes, folder: Path) -> object:
    file = folder / "confbus.yaml"
    file.write_bytes(raw)
    return load_settings(file, variables={})


def read_override(raw: bytes, _folder: Path) -> object:
    name, _, text = raw.decode("utf-8", "replace").partition("\n")
    return parse_override(name, text)


def read_approvals(raw: bytes, _folder: Path) -> object:
    return approval.parse_all({"ab" * 32: raw.decode("utf-8", "replace")})


def read_holds(raw: bytes, _folder: Path) -> object:
    holds = hold.parse_all({"db": raw.decode("utf-8", "replace")})
    return [str(each) for each in holds]


def read_memory(raw: bytes, folder: Path) -> object:
    file = folder / "state"
    file.write_bytes(raw)
    state, _ = MemoryFile(file, KEYS.namespace).load()
    if state:
        assert all(isinstance(blob, bytes) for blob in state.blobs.values())
        assert all(isinstance(why, str) for why in state.quarantine.values())
    return state


def read_answer_file(raw: bytes, folder: Path) -> object:
    file = folder / "answer"
    file.write_bytes(raw)
    answer = AnswerCache(file, REQUEST).recall()
    return answer and (answer.media_type, answer.headers.get("etag", "") + "", answer.body + b"")


def read_response(raw: bytes, _folder: Path) -> object:
    with HTTPResponse(cast("socket.socket", Wire(raw))) as response:
        response.begin()
        answer = read_answer(response, limit_bytes=LIMIT)
    assert len(answer.body) <= LIMIT
    return REQUEST.address.join(answer.headers.get("location", ""))


class Opened(VaultSource):
    """A source of Vault whose reading can be called."""

    def read(self, answer: Answer) -> object:
        return self._read(answer)


def read_secret(raw: bytes, _folder: Path) -> object:
    source = Opened("secret/data/app", address="https://vault.example.com", token="t")
    return source.read(Answer(404 if raw[:1] == b"4" else OK, {}, raw.removeprefix(b"4")))


def read_token(raw: bytes, folder: Path) -> object:
    file = folder / "token"
    file.write_bytes(raw)
    return SecretFile(file, "authorization", "Bearer").header()


def read_value_file(raw: bytes, folder: Path) -> object:
    file = folder / "value"
    file.write_bytes(raw)
    return read_value(file)


def read_announcement(raw: bytes, folder: Path) -> object:
    (folder / ANNOUNCEMENT).write_bytes(raw)
    return DataDirectory(folder).live_address()


def read_literal(raw: bytes, _folder: Path) -> object:
    text = raw.decode("utf-8", "replace")
    return fit(text, ["integer", "array", "object"]), guess(text)


def read_log(raw: bytes, _folder: Path) -> object:
    """The id is the server's own; the fields are whoever's."""
    return [entry.at_ms for entry in store(xrevrange=[(b"1700000000000-0", hash_of(raw))]).log(1)]


def checked_memory(raw: bytes, folder: Path) -> object:
    return read_memory(checked(MEMORY_MAGIC, raw, end=b"\n"), folder)


def checked_answer(raw: bytes, folder: Path) -> object:
    return read_answer_file(checked(ANSWER_MAGIC, raw, end=b"\n"), folder)
