"""A persistent embedded server: one for all who name its directory, and nothing lost when it ends."""

from __future__ import annotations

import json
import os
import signal
import stat
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest
import redis

from confbus.errors import EmbeddedFailed
from confbus_publisher import embedded
from confbus_publisher.embedded import process
from confbus_publisher.embedded import server as attaching
from confbus_publisher.embedded.identity import pid_at
from support.eventually import eventually
from support.owner import Owner

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "my project" / ".confbus"


def write(url: str, value: str) -> None:
    with redis.Redis.from_url(url, protocol=2) as client:
        client.set("key", value)


def read(url: str) -> object:
    with redis.Redis.from_url(url, protocol=2, decode_responses=True) as client:
        return client.get("key")


def test_a_second_start_attaches_and_cannot_stop_it(directory: Path) -> None:
    with embedded.attach_or_start(directory) as first:
        with embedded.attach_or_start(directory) as second:
            assert (second.url, second.pid) == (first.url, first.pid)
            assert (first.owned, second.owned) == (True, False)

        assert pid_at(first.url) == first.pid


def test_of_several_that_start_at_once_exactly_one_owns_it(directory: Path) -> None:
    with ExitStack() as running:
        owners = [running.enter_context(Owner(directory)) for _ in range(4)]

        urls = {owner.ready().url for owner in owners}

        assert len(urls) == 1
        assert [owner.owned for owner in owners].count(True) == 1


def test_data_survive_a_restart(directory: Path) -> None:
    with embedded.attach_or_start(directory) as server:
        write(server.url, "kept")

    with embedded.attach_or_start(directory) as again:
        assert again.owned
        assert read(again.url) == "kept"


def test_data_survive_the_death_of_the_owner(directory: Path) -> None:
    with Owner(directory) as owner:
        write(owner.ready().url, "kept")

        owner.signal(signal.SIGKILL)

    eventually(lambda: embedded.running_url(directory) is None)

    with embedded.attach_or_start(directory) as again:
        assert again.owned
        assert read(again.url) == "kept"


def test_data_survive_the_death_of_the_server(directory: Path) -> None:
    with embedded.attach_or_start(directory) as server:
        write(server.url, "kept")

        os.kill(server.pid, signal.SIGKILL)
        eventually(lambda: embedded.running_url(directory) is None)

        with embedded.attach_or_start(directory) as again:
            assert again.owned
            assert read(again.url) == "kept"


@pytest.mark.slow
def test_a_server_that_has_the_data_and_does_not_answer_is_reported(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(attaching, "ATTACH_WITHIN_S", 0.1)
    with embedded.attach_or_start(directory) as server:
        os.kill(server.pid, signal.SIGSTOP)

        with pytest.raises(EmbeddedFailed, match="does not answer"):
            embedded.attach_or_start(directory)

        os.kill(server.pid, signal.SIGCONT)


@pytest.mark.slow
def test_stop_gives_a_server_that_hangs_some_time_and_no_more(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "GRACE_S", 1)
    server = embedded.attach_or_start(directory)
    write(server.url, "kept")

    os.kill(server.pid, signal.SIGSTOP)
    server.stop()

    with embedded.attach_or_start(directory) as again:
        assert read(again.url) == "kept"


def test_a_running_server_is_found_and_a_stopped_one_is_not(directory: Path) -> None:
    assert embedded.running_url(directory) is None
    assert not directory.exists()

    with embedded.attach_or_start(directory, port=0) as server:
        assert server.url.startswith("redis://127.0.0.1:")
        assert embedded.running_url(directory) == server.url

    assert embedded.running_url(directory) is None


def test_another_server_that_listens_at_the_old_address_is_not_taken_for_it(directory: Path, redis_url: str) -> None:
    directory.mkdir(parents=True)
    (directory / "server.json").write_text(json.dumps({"url": redis_url, "pid": os.getpid()}))

    assert embedded.running_url(directory) is None
    with embedded.attach_or_start(directory) as server:
        assert server.owned


@pytest.mark.parametrize("text", ["", "{", "[]", '{"url": 1}', '{"url": "unix:///nowhere", "pid": "x"}', "\0"])
def test_an_announcement_that_makes_no_sense_is_none(directory: Path, text: str) -> None:
    directory.mkdir(parents=True)
    (directory / "server.json").write_text(text)

    assert embedded.running_url(directory) is None


def test_what_it_keeps_is_for_its_user_alone_and_not_for_git(directory: Path) -> None:
    with embedded.attach_or_start(directory):
        kept = [path for path in directory.rglob("*") if path.name not in {".gitignore", "server.log"}]

        assert stat.S_IMODE(directory.stat().st_mode) == 0o700
        assert (directory / ".gitignore").read_text() == "*\n"
        assert {path.name for path in kept} >= {"lock", "server.json"}
        assert all(stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 for path in kept)


def test_a_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    with pytest.raises(EmbeddedFailed, match=r"kept in .*/file/\.confbus: Not a directory"):
        embedded.attach_or_start(tmp_path / "file" / ".confbus")
