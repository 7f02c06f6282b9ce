"""Snapshots: a document whose keys are paths."""

from __future__ import annotations

import copy
import json
import pickle
import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from confbus.errors import InvalidPath, UnknownPath
from confbus.wire import path as paths
from confbus.wire.frozen import Frozen, freeze, thaw
from confbus.wire.snapshot import MAX_HITS, Snapshot
from support.documents import documents

DOCUMENT: dict[str, Any] = {
    "database": {"host": "db1", "port": 5432, "password": None},
    "hosts": [{"name": "a"}, {"name": "b"}],
    "k.with.dots": {"x": 1},
    "empty": {},
    "off": False,
}


def snapshot_of(document: dict[str, Any]) -> Snapshot:
    return Snapshot(freeze(document), version=7, revision=9, epoch="e1", digest="ab" * 32, at_ms=1_750_000_000_123)


def has(snapshot: Snapshot, path: object) -> bool:
    return path in snapshot


@pytest.fixture
def snapshot() -> Snapshot:
    return snapshot_of(DOCUMENT)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("database.host", "db1"),
        (("database", "port"), 5432),
        ("hosts[1].name", "b"),
        (("hosts", 0), {"name": "a"}),
        ('["k.with.dots"].x', 1),
        ("database", DOCUMENT["database"]),
        ("", DOCUMENT),
        ((), DOCUMENT),
        ("off", False),
        ("database.password", None),
    ],
)
def test_a_path_reads_its_value(snapshot: Snapshot, path: str | paths.Path, value: object) -> None:
    first, again = snapshot[path], snapshot[path]

    assert first == value
    assert again is first
    assert snapshot.get(path, "default") is first
    assert has(snapshot, path)


@given(document=documents)
def test_every_leaf_is_read_by_its_path_and_by_its_keys(document: dict[str, Any]) -> None:
    snapshot = snapshot_of(document)

    for path, value in paths.leaves(document):
        assert snapshot[paths.render(path)] == snapshot[path] == snapshot.get(path) == value


def test_what_is_absent_raises_with_the_nearest_path_and_the_version(snapshot: Snapshot) -> None:
    with pytest.raises(UnknownPath) as caught:
        snapshot["databse.host"]

    error = caught.value
    assert (error.path, error.nearest, error.version) == ("databse.host", "database.host", 7)
    assert isinstance(error, KeyError)
    assert str(error) == "No value at 'databse.host' in version 7. Did you mean 'database.host'?"


def test_a_default_stands_for_absence_only(snapshot: Snapshot) -> None:
    assert snapshot.get("database.password", "default") is None
    assert snapshot.get("off", True) is False
    assert snapshot.get("nothing.here") is None
    assert snapshot.get("nothing.here", 5) == 5
    assert snapshot.get(("hosts", 7), 5) == 5
    assert snapshot.get("database.host.deeper", 5) == 5


def test_what_is_no_path_is_an_error_and_not_in_it(snapshot: Snapshot) -> None:
    with pytest.raises(InvalidPath):
        snapshot["a..b"]
    with pytest.raises(InvalidPath):
        snapshot.get("a..b", 5)

    assert not any(has(snapshot, path) for path in ("a..b", "nothing", 5, None, ("hosts", 9)))


def test_a_dotted_text_is_always_split(snapshot: Snapshot) -> None:
    assert "k.with.dots" not in snapshot
    assert has(snapshot, ("k.with.dots",))


def test_a_section_is_a_mapping_or_an_error(snapshot: Snapshot) -> None:
    assert type(snapshot.section("database")) is Frozen
    assert snapshot.section("empty") == {}

    with pytest.raises(TypeError, match="'hosts' is no section"):
        snapshot.section("hosts")
    with pytest.raises(UnknownPath):
        snapshot.section("nothing")


def test_no_error_tells_a_value() -> None:
    snapshot = snapshot_of({"token": "hunter2"})

    with pytest.raises(TypeError) as caught:
        snapshot.section("token")

    assert "hunter2" not in f"{caught.value}{snapshot!r}"


@given(document=documents)
def test_it_equals_the_plain_document(document: dict[str, Any]) -> None:
    snapshot = snapshot_of(document)

    assert snapshot == document
    assert json.dumps(snapshot) == json.dumps(document)
    assert repr(thaw(snapshot)) == repr(document)
    assert {**snapshot} == document
    assert len(snapshot) == len(document)


def test_a_copy_and_a_pickle_are_the_same_snapshot(snapshot: Snapshot) -> None:
    pickled = pickle.loads(pickle.dumps(snapshot))

    assert pickled == snapshot == DOCUMENT
    assert pickled["hosts[1].name"] == "b"
    for name in ("version", "revision", "epoch", "digest", "published_at"):
        assert getattr(pickled, name) == getattr(snapshot, name)
    assert copy.copy(snapshot) is copy.deepcopy(snapshot) is snapshot


def test_it_tells_which_release_it_is(snapshot: Snapshot) -> None:
    published_at = snapshot.published_at

    assert (snapshot.version, snapshot.revision, snapshot.epoch, snapshot.digest) == (7, 9, "e1", "ab" * 32)
    assert published_at == datetime(2025, 6, 15, 15, 6, 40, 123_000, tzinfo=UTC)


def test_its_attributes_cannot_be_changed(snapshot: Snapshot) -> None:
    for name in ("version", "digest", "anything"):
        with pytest.raises(AttributeError, match=name):
            setattr(snapshot, name, 8)

    assert snapshot.version == 7


def test_paths_of_strangers_cost_no_memory() -> None:
    many = {f"key{number}": number for number in range(MAX_HITS + 500)}
    snapshot = snapshot_of(many)
    hits = snapshot._hits  # pyright: ignore[reportPrivateUsage]  # the memory is what the test is about

    for number in range(MAX_HITS + 500):
        assert snapshot[f"key{number}"] == number
        assert snapshot.get(f"stranger{number}") is None
        assert f"other{number}" not in snapshot

    assert len(hits) == MAX_HITS
    assert snapshot[f"key{MAX_HITS + 499}"] == MAX_HITS + 499


def test_threads_that_read_at_once_read_the_same(snapshot: Snapshot) -> None:
    seen: list[object] = []
    barrier = threading.Barrier(4)

    def read() -> None:
        barrier.wait()
        seen.extend(snapshot["hosts[1].name"] for _ in range(200))

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert seen == ["b"] * 800
