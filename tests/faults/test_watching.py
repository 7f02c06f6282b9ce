"""Watching directories that are edited, replaced, removed and mounted anew. The slow re-scan is put off for ever."""

from __future__ import annotations

import shutil
import threading
from typing import TYPE_CHECKING, Self

import pytest

from confbus_publisher.watch import Watcher
from support.eventually import eventually
from support.kubelet import Volume

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

NEVER_S = 3600.0


class Onlooker:
    """Reads `file` whenever its watcher says that something may have changed; has read it once when it is entered."""

    def __init__(self, file: Path, *directories: Path, rescan_s: float = NEVER_S) -> None:
        self.seen: list[str] = []
        self._file = file
        self._watcher = Watcher(lambda: directories or (file.parent,), self._look, rescan_s=rescan_s)

    def __enter__(self) -> Self:
        self._watcher.start()
        eventually(lambda: self.seen, within_s=20)
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._watcher.stop()

    def sees(self, text: str) -> bool:
        return eventually(lambda: self.seen[-1] == text, within_s=20, describe=lambda: self.seen[-5:])

    def _look(self) -> None:
        try:
            self.seen.append(self._file.read_text())
        except OSError as error:
            self.seen.append(type(error).__name__)


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    directory = tmp_path / "a" / "conf.d"
    directory.mkdir(parents=True)
    (directory / "app.yaml").write_text("1")
    return directory


def replaced(file: Path, text: str) -> None:
    draft = file.with_name("draft")
    draft.write_text(text)
    draft.replace(file)


def test_edits_in_place_and_by_renaming_are_told(directory: Path) -> None:
    file = directory / "app.yaml"

    with Onlooker(file) as onlooker:
        file.write_text("2")
        assert onlooker.sees("2")
        replaced(file, "3")
        assert onlooker.sees("3")
        file.unlink()
        assert onlooker.sees("FileNotFoundError")
        file.write_text("4")
        assert onlooker.sees("4")


def test_a_directory_that_is_removed_and_made_anew_is_watched_again(directory: Path) -> None:
    with Onlooker(directory / "app.yaml") as onlooker:
        for turn in ("2", "3"):
            shutil.rmtree(directory)
            directory.mkdir()
            (directory / "app.yaml").write_text(turn)
            assert onlooker.sees(turn)
            replaced(directory / "app.yaml", f"{turn} again")
            assert onlooker.sees(f"{turn} again")


def test_a_directory_whose_parents_are_removed_too_is_found_again(directory: Path) -> None:
    with Onlooker(directory / "app.yaml") as onlooker:
        shutil.rmtree(directory.parent)
        assert onlooker.sees("FileNotFoundError")
        directory.mkdir(parents=True)
        (directory / "app.yaml").write_text("2")
        assert onlooker.sees("2")
        replaced(directory / "app.yaml", "3")
        assert onlooker.sees("3")


def test_a_directory_that_comes_up_later_is_found(directory: Path) -> None:
    file = directory / "deeper" / "still" / "app.yaml"

    with Onlooker(file) as onlooker:
        file.parent.mkdir(parents=True)
        file.write_text("1")
        assert onlooker.sees("1")
        replaced(file, "2")
        assert onlooker.sees("2")


def test_a_link_to_a_directory_that_is_swapped_is_followed(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "v2").mkdir()
    (tmp_path / "v2" / "app.yaml").write_text("2")
    (tmp_path / "releases").mkdir()
    (tmp_path / "releases" / "current").symlink_to(directory)

    with Onlooker(tmp_path / "releases" / "current" / "app.yaml") as onlooker:
        (tmp_path / "releases" / "next").symlink_to(tmp_path / "v2")
        (tmp_path / "releases" / "next").replace(tmp_path / "releases" / "current")
        assert onlooker.sees("2")
        replaced(tmp_path / "v2" / "app.yaml", "3")
        assert onlooker.sees("3")


def test_every_swap_of_a_volume_is_told_also_after_it_was_mounted_anew(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "config")
    volume.write({"app.yaml": "0"})

    with Onlooker(volume.directory / "app.yaml") as onlooker:
        for turn in ("1", "2", "3"):
            volume.write({"app.yaml": turn})
            assert onlooker.sees(turn)
        volume.remove()
        volume.write({"app.yaml": "4"})
        assert onlooker.sees("4")
        volume.write({"app.yaml": "5"})
        assert onlooker.sees("5")


def test_without_any_event_the_slow_scan_tells(directory: Path, tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()

    with Onlooker(directory / "app.yaml", tmp_path / "b", rescan_s=0.1) as onlooker:
        (directory / "app.yaml").write_text("2")
        assert onlooker.sees("2")


def test_nothing_to_watch_is_scanned_slowly() -> None:
    told = threading.Event()
    watcher = Watcher(lambda: (), told.set, rescan_s=0.01)

    watcher.start()

    assert told.wait(20)
    watcher.stop()


def test_a_source_that_cannot_tell_its_directories_does_not_end_the_watch(directory: Path) -> None:
    turns = iter([OSError("gone"), OSError("gone")])

    def directories() -> list[Path]:
        for error in turns:
            raise error
        return [directory]

    told = threading.Semaphore(0)
    watcher = Watcher(directories, told.release, rescan_s=0.01)

    watcher.start()

    assert all(told.acquire(timeout=20) for _ in range(3))
    watcher.stop()
