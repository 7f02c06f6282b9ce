"""The subscriber of docs/protocol.md, as it stands there, follows a real publisher: the page is enough to write one."""

from __future__ import annotations

import ast
import hmac
import json
import re
import subprocess
import sys
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import urlsplit

import msgpack  # pyright: ignore[reportMissingTypeStubs]  # ships no types
import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from hypothesis import given, settings
from hypothesis import strategies as st

from confbus import rule
from confbus.client import keys_of, make_client
from confbus.keyring import Key
from confbus.seal import seal
from confbus.status import Status
from confbus.testing.proxy import Proxy
from confbus.timing import Counts
from confbus.wire.head import FIELDS, Head
from confbus.wire.keys import Keys
from confbus.wire.manifest import EMPTY
from confbus.wire.notice import telling
from confbus.wire.release import Release
from confbus.wire.sections import path_of
from confbus_publisher import fleet
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.ledger.redis import RedisStore
from support.eventually import eventually
from support.places import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.fleet import Report
    from confbus_publisher.ledger import State

PAGE = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text()
PROGRAM = re.findall(r"^```python subscriber\.py\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]
PACE = "POLL_S, REPORT_S, SILENCE_S, PROTOCOL = 5.0, 30.0, 15.0, 1\n"
FAST = "POLL_S, REPORT_S, SILENCE_S, PROTOCOL = 0.2, 0.2, 1.0, 1\n"
IDS = st.sampled_from(["a1", "b2", "c3"])


def heads() -> st.SearchStrategy[Head]:
    lineage = st.dictionaries(IDS, st.integers(0, 3)).map(lambda known: tuple(known.items()))
    numbers = st.integers(0, 3)
    return st.builds(Head, IDS, lineage, numbers, IDS, st.just(()), numbers, st.just("d0"))


@cache
def program() -> dict[str, Any]:
    """What the page defines."""
    scope: dict[str, Any] = {"__name__": "subscriber"}
    exec(compile(PROGRAM, "docs/protocol.md", "exec", dont_inherit=True), scope)
    return scope


FIRST: dict[str, Any] = {"web": {"number": 1, "hosts": ["a", "ü"], "share": 0.5}, "debug": None}


class Namespace:
    """A namespace with a publisher, and the subscriber of the page as a process behind a proxy."""

    def __init__(self, url: str, namespace: str, directory: Path) -> None:
        self.client: Any = make_client(url)
        self.keys = keys_of(self.client, namespace)
        self.ledger = Ledger(RedisStore(self.client, self.keys, where=url))
        self.publish(FIRST)
        self.proxy = Proxy(url)
        self._output = directory / "output"
        program = directory / "subscriber.py"
        program.write_text(PROGRAM.replace(PACE, FAST))
        address = urlsplit(self.proxy.url)
        words = [sys.executable, "-I", str(program), str(address.hostname), str(address.port), namespace]
        with self._output.open("w") as output:
            self._process = subprocess.Popen(words, stdout=output, stderr=subprocess.DEVNULL)

    def publish(self, document: dict[str, Any]) -> State:
        self.ledger.refresh()
        self.ledger.publish(encoded(document), Why("ann"))
        assert self.ledger.state
        return self.ledger.state

    def saw(self) -> list[tuple[int, dict[str, Any]]]:
        """What the subscriber ran, in order."""
        lines = map(json.loads, self._output.read_text().splitlines())
        return [(line["version"], line["document"]) for line in lines]

    def runs(self, document: dict[str, Any]) -> bool:
        return self.saw()[-1:] == [(self._version(), document)]

    def _version(self) -> int:
        return int(self.client.hget(self.keys.head, "version"))

    def report(self) -> Report | None:
        """What it told the fleet, as a publisher reads that."""
        return next(iter(fleet.parse_all(self.ledger.store.fleet())), None)

    def reports(self, state: str) -> bool:
        report = self.report()
        return report is not None and report.state == state

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self.proxy.close()
        self.client.close()


@pytest.fixture
def there(redis_url: str, namespace: str, tmp_path: Path) -> Iterator[Namespace]:
    running = Namespace(redis_url, namespace, tmp_path)
    try:
        eventually(lambda: running.runs(FIRST), describe=running.saw)
        yield running
    finally:
        running.close()


def test_it_needs_nothing_but_the_standard_library_and_msgpack() -> None:
    tree = ast.parse(PROGRAM)

    imported = {name.name for node in ast.walk(tree) if isinstance(node, ast.Import) for name in node.names}

    assert not any(isinstance(node, ast.ImportFrom) for node in ast.walk(tree))
    assert imported - sys.stdlib_module_names == {"msgpack"}
    assert PACE in PROGRAM


def test_it_tells_every_key_and_every_field() -> None:
    told = set(re.findall(r"`([^`\n]+)`", PAGE))
    keys = {f"confbus:{{checkout}}:{name}" for name, each in vars(Keys).items() if isinstance(each, property)}
    release = Release(1, 0, 1, EMPTY).notes()
    report = Status("", "", "live", None, None, 0, "", Counts()).report({}, interval_s=1, protocol=1, validators=0)

    assert {key.replace("notices", "notices:0") for key in keys} <= told
    assert told >= {*FIELDS, *release, *report, "base", "sections", "at", "jitter_ms"}


def test_it_follows_publishes_large_and_small_and_a_rollback(there: Namespace) -> None:
    second = {**FIRST, "web": {"number": 2}, 'a "key".': {"on": True}}
    large = {**second, "web": {f"part-{at}": {"text": "x" * 900} for at in range(90)} | {"number": 3}}
    without: dict[str, Any] = {"web": {"number": 4}}

    for document in (second, large, without):
        there.publish(document)
        eventually(partial(there.runs, document), describe=there.saw)
    there.ledger.rollback(there.ledger.release(2), Why("ann"))
    eventually(lambda: there.runs(second), describe=there.saw)

    assert there.saw() == [(1, FIRST), (2, second), (3, large), (4, without), (5, second)]
    eventually(lambda: (report := there.report()) and report.running and report.running.version == 5)


def test_it_heals_a_lost_notice_and_takes_nothing_that_is_old_or_damaged(there: Namespace) -> None:
    between, second = ({**FIRST, "web": {"number": number}} for number in (2, 3))
    third = {**FIRST, "web": {"text": "x" * 9000}}  # more than a notice holds
    old_head = there.client.hgetall(there.keys.head)

    there.proxy.drop_notices()
    there.proxy.sever()
    there.publish(between)
    eventually(lambda: there.runs(between), describe=there.saw)
    known = there.publish(second)  # by now it is connected again, and only a look at the head tells it
    eventually(lambda: there.runs(second), describe=there.saw)
    there.client.hset(there.keys.head, mapping=old_head)
    eventually(lambda: there.reports("regressed"), describe=there.report)
    there.ledger.refresh()
    there.ledger.anchor(known, Why("repair"))
    eventually(lambda: there.reports("live") and there.runs(second), describe=there.saw)
    there.proxy.stall()
    digest = there.publish(third).release.manifest.sections["web"]
    right = there.client.hget(there.keys.blobs, digest)
    there.client.hset(there.keys.blobs, digest, b"\x81\xa4text\x07")
    there.proxy.flow()
    eventually(lambda: there.reports("lost"), describe=there.report)
    there.client.hset(there.keys.blobs, digest, right)
    eventually(lambda: there.runs(third), describe=there.saw)

    assert [document for _, document in there.saw()] == [FIRST, between, second, second, third]
    assert [version for version, _ in there.saw()] == sorted({version for version, _ in there.saw()})


def test_a_notice_is_applied_without_a_fetch_when_its_content_proves_it(namespace: str) -> None:
    ledger = Ledger(MemoryStore())
    first, second = (encoded({"web": {"number": number}, "db": {"port": 1}}) for number in (1, 2))
    ledger.publish(first, Why("ann"))
    before = ledger.state
    ledger.publish(second, Why("ann"))
    after = ledger.state
    assert before
    assert after
    notice = telling(after.head, first.manifest, first.manifest.changes_to(second.manifest), second.by_digest, at_ms=0)
    page = program()
    subscriber = page["Subscriber"](("nowhere", 0), namespace)
    subscriber.runs(before.head.fields(), dict(first.manifest.sections), first.by_digest)
    subscriber.read_at = float("inf")

    has_settled = subscriber.settled(notice.encode())
    is_known = subscriber.settled(notice.encode())

    assert has_settled
    assert is_known
    assert (subscriber.document(), subscriber.head["version"]) == ({"web": {"number": 2}, "db": {"port": 1}}, "2")


def test_a_sealed_section_opens_as_the_page_says(namespace: str) -> None:
    secret, plain = b"k" * 32, encoded({"web": {"number": 1}}).blobs["web"]
    sealed = seal(Key("k-1", secret), namespace=namespace, section="web", plain=plain)

    def derived(word: str) -> bytes:
        return hmac.digest(secret, f"confbus sealed section, 1 {word}".encode() + b"\x01", "sha256")

    parts = cast("list[Any]", msgpack.unpackb(sealed[1:]))
    first, (number, key, fingerprint, nonce, box) = sealed[:1], parts
    place = cast("Any", msgpack).packb([b"confbus sealed section, 1", namespace, "web", key])
    opened = AESGCM(derived("seal")).decrypt(nonce, box, place + fingerprint)

    assert (first, number, key) == (b"\xc1", 1, "k-1")
    assert opened == plain
    assert hmac.digest(derived("fingerprint"), place + opened, "sha256") == fingerprint


@settings(max_examples=30)
@given(heads(), heads())
def test_it_judges_heads_as_the_rule_does(mine: Head, theirs: Head) -> None:
    judged = program()["comes_after"](theirs.fields(), mine.fields())

    assert judged == rule.comes_after(theirs, mine)


@settings(max_examples=30)
@given(st.dictionaries(st.text(), st.dictionaries(st.text(), st.integers(0, 9), max_size=2), max_size=4))
def test_it_names_places_and_digests_as_the_codec_does(document: dict[str, dict[str, int]]) -> None:
    sections = encoded(document).manifest

    page = program()

    assert page["digest_of"](sections.sections) == sections.digest
    assert {name: tuple(page["keys_of"](name)) for name in sections} == {name: path_of(name) for name in sections}
