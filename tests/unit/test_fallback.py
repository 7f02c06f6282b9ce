"""The last known good on disk: whole, private, and believed only when it is what it claims."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import Malformed
from confbus.fallback import Fallback, LastGood
from confbus.wire import head as heads
from confbus.wire.record import replace
from support.places import encoded

if TYPE_CHECKING:
    from pathlib import Path


SMALL = {"db": {"host": "a", "port": 1}, "web": {"on": True}}


def good(document: dict[str, Any], *, revision: int = 1) -> LastGood:
    content = encoded(document)
    head = replace(heads.first(version=1, digest=content.manifest.digest, merged=""), revision=revision)
    return LastGood(head, content.manifest, content.blobs, 1000)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "good"


def written(path: Path, what: LastGood, namespace: str = "shop") -> Fallback:
    fallback = Fallback(str(path), namespace)
    fallback.keep(what)
    fallback.flush()
    return fallback


def test_what_was_kept_is_loaded_with_its_age(path: Path) -> None:
    what = good(SMALL)
    fallback = written(path, what)
    os.utime(path, (time.time() - 60, time.time() - 60))

    loaded = fallback.load()

    assert loaded is not None
    assert (loaded.head, loaded.manifest, loaded.blobs, loaded.at_ms) == (what.head, what.manifest, what.blobs, 1000)
    assert 59 < loaded.age_s < 120


def test_nothing_is_loaded_where_nothing_was_kept(path: Path) -> None:
    assert Fallback(str(path), "shop").load() is None


def test_only_its_owner_may_read_it_whatever_the_mask(path: Path) -> None:
    before = os.umask(0)
    try:
        written(path, good(SMALL))
    finally:
        os.umask(before)

    assert path.stat().st_mode & 0o777 == 0o600
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.slow
def test_a_damaged_file_is_told_wherever_the_damage_is(path: Path) -> None:
    fallback = written(path, good(SMALL))
    whole = path.read_bytes()

    for at in range(len(whole)):
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        path.chmod(0o600)
        with pytest.raises(Malformed):
            fallback.load()
        path.write_bytes(whole[:at])
        with pytest.raises(Malformed):
            fallback.load()


def test_a_file_of_another_namespace_is_refused(path: Path) -> None:
    written(path, good(SMALL), "billing")

    with pytest.raises(Malformed, match="it is of the namespace 'billing'"):
        Fallback(str(path), "shop").load()


def test_the_file_of_another_namespace_is_not_written_over(path: Path) -> None:
    written(path, good(SMALL), "billing")

    fallback = written(path, good(SMALL))

    assert "it is of the namespace 'billing'; each needs a file of its own" in fallback.error
    assert Fallback(str(path), "billing").load() is not None


def test_a_file_from_the_future_has_no_age_that_could_be_trusted(path: Path) -> None:
    fallback = written(path, good(SMALL))
    os.utime(path, (time.time() + 3600, time.time() + 3600))

    loaded = fallback.load()

    assert loaded is not None
    assert loaded.age_s == float("inf")


def test_a_file_that_others_may_have_written_is_refused(path: Path) -> None:
    fallback = written(path, good(SMALL))
    path.chmod(0o620)

    with pytest.raises(Malformed, match="others may have written it"):
        fallback.load()


@pytest.mark.parametrize("kind", ["directory", "pipe"])
def test_what_is_no_file_is_refused_without_waiting(path: Path, kind: str) -> None:
    if kind == "directory":
        path.mkdir()
    else:
        os.mkfifo(path, 0o600)

    with pytest.raises(Malformed, match=r"it is no file|Is a directory"):
        Fallback(str(path), "shop").load()


def test_a_link_in_its_place_is_replaced_and_not_followed(path: Path, tmp_path: Path) -> None:
    target = tmp_path / "precious"
    target.write_text("precious")
    path.symlink_to(target)

    written(path, good(SMALL))

    assert target.read_text() == "precious"
    assert not path.is_symlink()


def test_a_pipe_in_its_place_is_not_replaced(path: Path) -> None:
    os.mkfifo(path)

    fallback = written(path, good(SMALL))

    assert path.is_fifo()
    assert fallback.error == f"the fallback {path} cannot be written: it is no file, and is not replaced by one"


def test_a_newer_head_of_another_process_stays(path: Path) -> None:
    newer = good({"a": {"n": 2}}, revision=7)
    fallback = written(path, newer)
    older = good({"a": {"n": 1}}, revision=6)

    fallback.keep(replace(older, head=replace(older.head, epoch=newer.head.epoch)))
    fallback.flush()

    loaded = fallback.load()
    assert loaded is not None
    assert loaded.head == newer.head


def test_a_folder_that_is_not_there_is_told_and_breaks_nothing(path: Path) -> None:
    fallback = written(path / "deeper" / "good", good(SMALL))

    assert "cannot be written: No such file or directory" in fallback.error


@pytest.mark.slow
def test_a_full_disk_leaves_the_old_file_whole(path: Path) -> None:
    """A limit on the size of files is what a full disk is to a process."""
    fallback = written(path, good(SMALL))
    script = f"""
import resource, signal
from confbus.fallback import Fallback
import tests_fallback
resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
fallback = Fallback({str(path)!r}, "shop")
fallback.keep(tests_fallback.LARGER)
fallback.flush()
print(fallback.error)
"""
    module = path.parent / "tests_fallback.py"
    module.write_text(
        "from support.places import encoded\n"
        "from confbus.fallback import LastGood\n"
        "from confbus.wire import head as heads\n"
        "content = encoded({'a': {'text': 'x' * 10_000}})\n"
        "head = heads.first(version=2, digest=content.manifest.digest, merged='')\n"
        "LARGER = LastGood(head, content.manifest, content.blobs, 0)\n"
    )
    paths = os.pathsep.join([str(path.parent), *sys.path])
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )

    loaded = fallback.load()

    assert "File too large" in done.stdout
    assert loaded is not None
    assert loaded.manifest == encoded(SMALL).manifest
    assert not [each for each in path.parent.iterdir() if each.suffix == ".new"]


def test_what_is_there_is_not_confirmed_while_what_runs_cannot_be_written(path: Path) -> None:
    path.mkdir()
    fallback = written(path, good(SMALL))
    os.utime(path, (1000, 1000))

    fallback.confirm()
    fallback.renewed().confirm()

    assert "cannot be written" in fallback.error
    assert path.stat().st_mtime == 1000


def test_a_directory_in_its_place_costs_no_descriptor(path: Path) -> None:
    path.mkdir()
    lowest = os.open(os.devnull, os.O_RDONLY)
    os.close(lowest)

    with pytest.raises(Malformed, match="it is no file"):
        Fallback(str(path), "shop").load()

    after = os.open(os.devnull, os.O_RDONLY)
    os.close(after)
    assert after == lowest
