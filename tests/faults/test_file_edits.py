"""Files that are edited badly while a publisher follows them: what goes out meanwhile, and that it recovers."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING, Any, Self

import pytest

from confbus.wire.sections import join
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.publisher import Publisher
from confbus_publisher.sources import DirectorySource, FileSource
from confbus_publisher.watch import Watcher
from support.eventually import eventually
from support.kubelet import Volume

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

    from confbus_publisher.sources import AnySource

NAMESPACE = "edits"


class Desk:
    """A publisher of `sources` without a server, its watcher, and all that it published."""

    def __init__(self, directory: Path, *sources: AnySource) -> None:
        self._ledger = Ledger(MemoryStore())
        inputs = Inputs(sources, limit_bytes=1_000_000)
        memory_file = MemoryFile(directory / "memory" / "state", NAMESPACE)
        self.publisher = Publisher(inputs, self._ledger, memory_file, identity="desk", author="desk")
        self._watcher = Watcher(lambda: inputs.watched, self.publisher.look)
        self._thread = threading.Thread(target=self.publisher.run)

    def __enter__(self) -> Self:
        self._watcher.start()
        self._thread.start()
        eventually(self.documents, within_s=20)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._watcher.stop()
        self.publisher.stop()
        self._thread.join()

    def documents(self) -> list[Any]:
        """What each version held, the first one first."""
        reader = Ledger(self._ledger.store)
        return [
            join(reader.blobs(release.manifest), release.manifest).document for release in reversed(reader.history())
        ]

    def says(self, document: Any) -> bool:
        return eventually(
            lambda: bool(self.documents()[-1] == document),
            within_s=20,
            describe=lambda: (self.documents()[-3:], self.publisher.standing),
        )

    def reports(self, reason: str) -> bool:
        """Whether the standing names a source that keeps its last good values for this reason."""
        return eventually(
            lambda: any(reason in failure for failure in self.publisher.standing.failures.values()),
            within_s=20,
            describe=lambda: self.publisher.standing,
        )


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "config" / "app.yaml"
    path.parent.mkdir()
    path.write_text("a: 1\nb: 1\n")
    return path


def replaced(file: Path, text: str) -> None:
    draft = file.with_name(".app.yaml.new")
    draft.write_text(text)
    draft.replace(file)


def half_written(file: Path) -> None:
    file.write_text("a: 2\nb: [")


def emptied(file: Path) -> None:
    file.write_text("")


def removed(file: Path) -> None:
    file.unlink()


def a_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


def a_circle(file: Path) -> None:
    file.unlink()
    file.symlink_to(file)


def a_pipe(file: Path) -> None:
    file.unlink()
    os.mkfifo(file)


def unreadable(file: Path) -> None:
    file.unlink()
    file.symlink_to("/proc/self/mem")  # Nobody can read its first page, not even root.


def in_utf16(file: Path) -> None:
    file.write_text("a: 2\nb: 2\n", encoding="utf-16")


BAD_DAYS: dict[Callable[[Path], None], str] = {
    half_written: ":3:1",
    emptied: "it is empty, and was not",
    removed: "no such file",
    a_directory: "it is a directory",
    a_circle: "unreadable",
    a_pipe: "no regular file",
    unreadable: "unreadable",
    in_utf16: "UTF-16",
}


@pytest.mark.parametrize("spoil", BAD_DAYS)
def test_a_spoiled_file_is_reported_and_its_values_stay_until_it_is_mended(
    file: Path, tmp_path: Path, spoil: Callable[[Path], None]
) -> None:
    with Desk(tmp_path, FileSource(file)) as desk:
        spoil(file)
        assert desk.reports(BAD_DAYS[spoil])
        if file.is_dir():
            file.rmdir()
        replaced(file, "a: 3\nb: 3\n")
        assert desk.says({"a": 3, "b": 3})
        eventually(lambda: desk.publisher.standing.failures == {}, within_s=20)

    assert desk.documents() == [{"a": 1, "b": 1}, {"a": 3, "b": 3}]


def test_of_many_edits_at_once_the_last_one_goes_out_and_none_in_part(file: Path, tmp_path: Path) -> None:
    with Desk(tmp_path, FileSource(file)) as desk:
        for number in range(2, 12):
            replaced(file, f"a: {number}\nb: {number}\n")
        assert desk.says({"a": 11, "b": 11})

    assert [document for document in desk.documents() if document["a"] != document["b"]] == []


def test_an_edit_that_changes_nothing_publishes_nothing(file: Path, tmp_path: Path) -> None:
    with Desk(tmp_path, FileSource(file)) as desk:
        replaced(file, "b:   1 # the same\na: 1\n")
        replaced(file, "a: 1\nb: 1\n")
        replaced(file, "a: 2\nb: 2\n")
        assert desk.says({"a": 2, "b": 2})

    assert desk.documents() == [{"a": 1, "b": 1}, {"a": 2, "b": 2}]


def test_every_update_of_a_volume_goes_out_whole_also_after_it_was_mounted_anew(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "config")
    volume.write({"a.yaml": "a: 1", "b.yaml": "b: 1", "level": "1"})

    with Desk(tmp_path, DirectorySource(volume.directory)) as desk:
        for number in (2, 3):
            volume.write({"a.yaml": f"a: {number}", "b.yaml": f"b: {number}", "level": f"{number}"})
            assert desk.says({"a": number, "b": number, "level": f"{number}"})
        volume.remove()
        assert desk.reports("no file is there")
        for number in (4, 5):
            volume.write({"a.yaml": f"a: {number}", "b.yaml": f"b: {number}", "level": f"{number}"})
            assert desk.says({"a": number, "b": number, "level": f"{number}"})

    assert desk.documents() == [{"a": n, "b": n, "level": f"{n}"} for n in range(1, 6)]


def test_a_file_that_is_dropped_into_a_directory_goes_out(file: Path, tmp_path: Path) -> None:
    with Desk(tmp_path, DirectorySource(file.parent)) as desk:
        (file.parent / "more.toml").write_text("c = 1")
        assert desk.says({"a": 1, "b": 1, "c": 1})
        (file.parent / "more.toml").unlink()
        assert desk.says({"a": 1, "b": 1})
