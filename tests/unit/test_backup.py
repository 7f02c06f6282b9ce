"""An export is a whole namespace or nothing, and what was cut off or altered is not taken for one."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import ConfBusError, Malformed, NoRelease, Refused
from confbus_publisher.backup import lines
from confbus_publisher.backup.export import whole, write
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore
from support.exports import backup, exported, imported, live
from support.places import encoded
from support.scale import scaled

if TYPE_CHECKING:
    from pathlib import Path

    from confbus_publisher.ledger import LogEntry


Lines = list[dict[str, Any]]
Change = Callable[[Lines], object]


def lived() -> MemoryStore:
    store = MemoryStore()
    live(store)
    return store


RAW = exported(lived())


def remade(change: Change) -> bytes:
    """The export with other lines, and the checksum of those."""
    facts = [json.loads(line) for line in RAW.splitlines()[:-1]]
    change(facts)
    file = io.BytesIO()
    writer = lines.Writer(file)
    for each in facts:
        writer.put(**each)
    writer.end()
    return file.getvalue()


def of_kind(facts: Lines, kind: str) -> dict[str, Any]:
    return next(each for each in facts if each["kind"] == kind)


MADE_UP: list[tuple[Change, str]] = [
    (lambda facts: facts.pop(0), "begin"),
    (lambda facts: facts.pop(1), "no head"),
    (lambda facts: facts.remove(of_kind(facts, "blob")), "content of a section"),
    (lambda facts: facts.remove(of_kind(facts, "release")), "not its release"),
    (lambda facts: facts.append(of_kind(facts, "release")), "twice"),
    (lambda facts: facts.append(of_kind(facts, "log")), "log"),
    (lambda facts: of_kind(facts, "release")["fields"].update({"section:db": "ab" * 32}), "digest"),
    (lambda facts: of_kind(facts, "release")["fields"].update({"section:db": 5}), "texts"),
    (lambda facts: of_kind(facts, "release").update(fields=[]), "texts"),
    (lambda facts: of_kind(facts, "head")["fields"].update(digest="ab" * 32), "another one"),
    (lambda facts: of_kind(facts, "head")["fields"].update(revision="-1"), "whole number"),
    (lambda facts: of_kind(facts, "log").update(id="1-x"), "log"),
    (lambda facts: of_kind(facts, "log").update(id="9" * 18 + "-1"), "log"),
    (lambda facts: of_kind(facts, "log").update(fields={}), "texts"),
    (lambda facts: of_kind(facts, "quarantine").update(field="db"), "quarantine"),
    (lambda facts: of_kind(facts, "override").update(value="x" * 200_000), "too long"),
    (lambda facts: of_kind(facts, "blob").update(bytes="gaR4AQ=="), "digest"),
    (lambda facts: of_kind(facts, "blob").update(bytes="%%%%"), "digest"),
    (lambda facts: facts.append({"kind": "pickle", "bytes": "gASVCg=="}), "does not know"),
    (lambda facts: facts.append({"kind": "x", "deep": json.loads("[" * 900 + "]" * 900)}), "does not know"),
]
NEWER: list[Change] = [
    lambda facts: facts[0].update(format=2),
    lambda facts: of_kind(facts, "head")["fields"].update(protocol="99"),
]


def test_each_line_can_be_read_with_ordinary_tools() -> None:
    first, *_, last = [json.loads(line) for line in RAW.splitlines()]

    assert (first["kind"], first["format"], first["namespace"], first["version"]) == ("confbus export", 1, "shop", 4)
    assert (last["kind"], last["lines"]) == ("end", len(RAW.splitlines()) - 1)
    assert RAW.isascii()


def test_an_export_cut_off_anywhere_is_refused() -> None:
    for end in range(0, len(RAW), max(1, len(RAW) // scaled(test=150, soak=len(RAW)))):
        with pytest.raises(Malformed):
            backup(RAW[:end])


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_an_export_with_one_byte_altered_is_refused(at: int, flip: int) -> None:
    altered = bytearray(RAW)
    altered[at] ^= flip

    with pytest.raises(Malformed):
        backup(bytes(altered))


@given(st.binary(max_size=200))
def test_what_is_no_export_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        backup(raw)


def test_lines_after_the_end_are_refused() -> None:
    with pytest.raises(Malformed):
        backup(RAW + b"\n")


@pytest.mark.parametrize(("change", "reason"), MADE_UP)
def test_an_export_that_was_made_up_is_refused(change: Change, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        backup(remade(change))


def test_a_blob_that_is_no_configuration_is_refused() -> None:
    def lie(facts: Lines) -> None:
        bad = encoded({"a": {"x": 1}})
        digest, release = hashlib.sha256(b"\x92\x01\x02").hexdigest(), of_kind(facts, "release")
        manifest = bad.manifest.changed({"a": digest})
        release["fields"] = {**release["fields"], "section:a": digest, "digest": manifest.digest}
        del release["fields"]["section:db"], release["fields"]["section:."]
        of_kind(facts, "head")["fields"]["digest"] = manifest.digest
        facts.append({"kind": "blob", "digest": digest, "bytes": "kgEC"})

    with pytest.raises(Malformed, match="no mapping"):
        backup(remade(lie))


@pytest.mark.parametrize("change", NEWER)
def test_the_export_of_a_newer_version_asks_for_an_upgrade(change: Change) -> None:
    with pytest.raises(Refused, match="Upgrade"):
        backup(remade(change))


@pytest.mark.parametrize(
    "line", [b'{"kind":"log","x":"' + b"y" * lines.MAX_TEXTS + b'"}\n', b"x" * (lines.MAX_LINE + 2)]
)
def test_a_line_that_is_too_long_is_not_parsed(line: bytes) -> None:
    head = RAW.splitlines(keepends=True)[0]
    body = head + line
    end = {"kind": "end", "lines": 2, "sha256": hashlib.sha256(body).hexdigest()}

    with pytest.raises(Malformed, match=r"longer than|more than"):
        backup(body + json.dumps(end, separators=(",", ":")).encode() + b"\n")


def test_an_import_has_all_that_was_exported() -> None:
    store, other = lived(), MemoryStore()

    imported(other, exported(store))

    assert other.head() == store.head()
    assert Ledger(other).history() == Ledger(store).history()
    assert other.blobs(store.blob_names()) == store.blobs(store.blob_names())
    assert (other.quarantine(), other.approvals()) == (store.quarantine(), store.approvals())
    assert (other.overrides().texts, other.holds().texts) == (store.overrides().texts, store.holds().texts)
    last, *log = other.log(50)
    assert log == store.log(50)
    assert (last.fields["action"], last.fields["author"], last.fields["version"]) == ("import", "carl", "4")
    assert other.lease() == ""


class Moving(MemoryStore):
    """A store in which somebody publishes whenever the log is read, as often as told."""

    moves = 0

    def log(self, count: int, *, after: str = "", before: str = "") -> list[LogEntry]:
        if self.moves and count == 1:
            self.moves -= 1
            ledger = Ledger(self)
            ledger.refresh()
            ledger.publish(encoded({"a": {"n": self.moves}}), Why("eve"))
        return super().log(count, after=after, before=before)


def test_an_export_is_of_one_moment_though_the_head_moves_meanwhile() -> None:
    store = Moving()
    live(store)
    store.moves = 4

    there = backup(exported(store))

    assert there.image.head == store.head()
    assert there.image.release == Ledger(store).history(1)[0]


def test_an_export_of_what_changes_all_the_time_gives_up() -> None:
    store = Moving()
    live(store)
    store.moves = 1000

    with pytest.raises(ConfBusError, match="changed while it was read"):
        exported(store)


def test_there_is_nothing_to_export_before_the_first_release() -> None:
    with pytest.raises(NoRelease):
        exported(MemoryStore())


def test_a_release_whose_content_is_gone_is_left_out_and_told() -> None:
    store = lived()
    only = store.releases([2])[0].manifest.sections["db"]
    store._blobs.pop(only)  # pyright: ignore[reportPrivateUsage]  # behind the publisher's back

    file = io.BytesIO()
    export = write(store, "shop", file)

    assert export.left_out == (2,)
    assert {release.version for release in backup(file.getvalue()).image.releases} == {1, 3, 4}


@pytest.mark.parametrize("loss", [None, b"altered"])
def test_the_content_of_the_head_must_be_whole(loss: bytes | None) -> None:
    store = lived()
    digest = store.releases([4])[0].manifest.sections["db"]
    blobs = store._blobs  # pyright: ignore[reportPrivateUsage]  # behind the publisher's back
    blobs.pop(digest)
    blobs.update({digest: loss} if loss else {})

    with pytest.raises((NoRelease, Malformed)):
        exported(store)


def test_a_full_disk_leaves_nothing_of_an_export_and_the_old_one_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"
    path.write_bytes(b"old")

    def fill() -> None:
        with whole(path) as file:
            file.write(b"new")
            raise OSError(errno.ENOSPC, "no space left")

    with pytest.raises(OSError, match="left"):
        fill()

    assert [(each.name, each.read_bytes()) for each in tmp_path.iterdir()] == [("shop.jsonl", b"old")]


def _link_elsewhere(path: Path) -> None:
    path.symlink_to("elsewhere")


@pytest.mark.parametrize("make", [os.mkfifo, _link_elsewhere])
def test_no_pipe_and_no_link_is_replaced_by_an_export(tmp_path: Path, make: Callable[[Path], None]) -> None:
    path = tmp_path / "shop.jsonl"
    make(path)
    kind = path.lstat().st_mode

    with pytest.raises(OSError, match="- is stdout"), whole(path):
        pass

    assert (path.lstat().st_mode, len(list(tmp_path.iterdir()))) == (kind, 1)


def test_an_export_is_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "shop.jsonl"
    path.touch(mode=0o666)

    with whole(path) as file:
        write(lived(), "shop", file)

    assert path.stat().st_mode & 0o777 == 0o600
    assert backup(path.read_bytes()).namespace == "shop"
