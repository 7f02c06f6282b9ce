"""`confbus run`: from an edit to the fleet, and what it does when it is told something."""

from __future__ import annotations

import os
import pty
import signal
from typing import TYPE_CHECKING

import pytest

import confbus
from confbus.client import keys_of
from support.eventually import eventually

if TYPE_CHECKING:
    from support.server import Server
    from support.shop import Shop

TIMING = confbus.Timing(poll_s=0.2, report_s=0.5, max_backoff_s=0.5)


def number(shop: Shop) -> str:
    return shop.confbus("get", "number").out.strip()


def versions(shop: Shop) -> list[int]:
    return [each["version"] for each in shop.confbus("history", "--output", "json").data["releases"]]


def test_an_edit_reaches_the_fleet(shop: Shop) -> None:
    with shop.start("run") as daemon:
        daemon.says("in step")
        assert shop.url
        with confbus.connect(shop.url, namespace=shop.namespace, timing=TIMING) as worker:
            shop.write("number: 2\n")
            eventually(lambda: worker["number"] == 2, describe=worker.status)


def test_a_wrong_edit_is_told_with_its_line_and_the_fleet_is_left_alone(shop: Shop) -> None:
    with shop.start("run") as daemon:
        daemon.says("in step")
        shop.write("number: 2\nnumber: 3\n")
        daemon.says("config/app.yaml:2:1")

        eventually(lambda: "config/app.yaml:2:1" in shop.confbus("status").out)
        assert versions(shop) == [1]
        shop.write("number: 4\n")
        eventually(lambda: number(shop) == "4")


def test_a_wrong_source_at_the_start_is_waited_out(shop: Shop) -> None:
    shop.write("number: [\n")

    with shop.start("run") as daemon:
        daemon.says("refused", "config/app.yaml:2:1")
        shop.write("number: 2\n")
        daemon.says("in step")

    assert number(shop) == "2"


def test_whoever_writes_to_redis_drives_no_terminal_and_adds_no_line_to_the_log(shop: Shop, server: Server) -> None:
    holds = keys_of(server.client(), shop.namespace).holds

    with shop.start("run") as daemon:
        daemon.says("in step")
        server.client().hset(holds, "*", "wait\x1b[2J\n2030-01-01 00:00:00 INFO    in step")
        shop.write("number: 2\n")
        daemon.says("held", "wait?[2J")
        lines = daemon.err.splitlines()

    assert "\x1b" not in daemon.err
    assert [line for line in lines if line.startswith("2030")] == []
    assert [line for line in lines if line.startswith("  2030-01-01 00:00:00 INFO    in step")]


def test_wrong_settings_at_the_start_end_it(shop: Shop) -> None:
    shop.settle("nonsense: 1")

    run = shop.process("run")

    assert run.returncode == 64
    assert "confbus.yaml:7:1" in run.stderr


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT])
def test_it_leaves_with_0_and_without_its_lease(shop: Shop, server: Server, end: signal.Signals) -> None:
    client = server.client()
    keys = keys_of(client, shop.namespace)

    with shop.start("run") as daemon:
        daemon.says("in step")
        assert client.get(keys.lease)
        code = daemon.end(end)

    assert code == 0
    assert client.get(keys.lease) is None
    assert client.hlen(keys.fleet) == 0
    assert "Traceback" not in daemon.err


def test_started_again_with_the_same_sources_it_publishes_nothing(shop: Shop) -> None:
    for _ in range(2):
        with shop.start("run") as daemon:
            daemon.says("in step")
            daemon.end(signal.SIGTERM)

    assert versions(shop) == [1]


def test_the_status_tells_who_publishes_and_what_is_in_the_way(shop: Shop) -> None:
    with shop.start("run") as daemon:
        daemon.says("in step")
        shop.write("number: 2\n")
        eventually(lambda: versions(shop) == [2, 1])
        shop.confbus("rollback")
        daemon.says("held")

        eventually(lambda: shop.confbus("status", "--output", "json").data["active"]["state"] == "held")
        assert shop.confbus("publish").code == 1
        shop.confbus("resume")
        eventually(lambda: number(shop) == "2")


def test_hang_up_reads_the_settings_and_the_sources_again(shop: Shop) -> None:
    (shop.directory / "config" / "other.yaml").write_text("number: 7\n")

    with shop.start("run") as daemon:
        daemon.says("in step")
        shop.settle(source="config/other.yaml")
        daemon.signal(signal.SIGHUP)
        daemon.says("reloaded", "1 source")

        eventually(lambda: number(shop) == "7")


def test_after_a_reload_the_new_source_is_watched(shop: Shop) -> None:
    (shop.directory / "more").mkdir()
    other = shop.directory / "more" / "other.yaml"
    other.write_text("number: 7\n")

    with shop.start("run") as daemon:
        daemon.says("in step")
        shop.settle(source="more/other.yaml")
        daemon.signal(signal.SIGHUP)
        daemon.says("reloaded")
        eventually(lambda: number(shop) == "7")
        other.write_text("number: 8\n")

        eventually(lambda: number(shop) == "8")


def test_wrong_settings_at_a_hang_up_change_nothing_and_are_told_once(shop: Shop) -> None:
    with shop.start("run") as daemon:
        daemon.says("in step")
        shop.settle("nonsense: 1")
        daemon.signal(signal.SIGHUP)
        line = daemon.says("not reloaded", "confbus.yaml:7:1")
        shop.settle()
        shop.write("number: 2\n")
        eventually(lambda: number(shop) == "2")

    assert daemon.err.count("confbus.yaml:7:1") == 1
    assert "what was read before stays" in line


@pytest.mark.slow
def test_what_needs_a_restart_is_named_at_a_hang_up(shop: Shop) -> None:
    with shop.start("run") as daemon:
        daemon.says("in step")
        settings = shop.directory / "confbus.yaml"
        settings.write_text(settings.read_text().replace(shop.namespace, f"{shop.namespace}-2") + "history: 99\n")
        daemon.signal(signal.SIGHUP)

        daemon.says("namespace, state, history changed", "needs a restart")
        shop.settle()
        shop.write("number: 2\n")
        eventually(lambda: number(shop) == "2")


@pytest.mark.slow
def test_the_end_of_its_terminal_is_the_end_of_it(shop: Shop) -> None:
    ours, theirs = pty.openpty()
    with shop.start("run", stderr=theirs) as daemon:
        eventually(lambda: versions(shop) == [1])
        os.close(theirs)
        os.close(ours)

        assert daemon.end(signal.SIGHUP) == 0


@pytest.mark.slow
def test_a_server_that_comes_late_is_waited_for_and_told_of_once(shop: Shop, own_server: Server) -> None:
    shop.url = own_server.url
    shop.settle()
    own_server.kill()

    with shop.start("run") as daemon:
        daemon.says("unreachable")
        own_server.restart()
        daemon.says("in step")

    assert daemon.err.count("WARNING unreachable") == 1


@pytest.mark.parametrize(("policy", "warnings"), [("allkeys-lru", 1), ("noeviction", 0)])
def test_a_server_that_may_throw_keys_away_is_warned_of_once(
    shop: Shop, own_server: Server, policy: str, warnings: int
) -> None:
    client = own_server.client()
    client.config_set("maxmemory", "100mb")
    client.config_set("maxmemory-policy", policy)
    shop.url = own_server.url
    shop.settle()

    with shop.start("run") as daemon:
        daemon.says("maxmemory-policy is allkeys-lru" if warnings else "in step")
        shop.write("number: 2\n")
        daemon.says("published version 2")

    assert daemon.err.count("maxmemory-policy") == warnings


@pytest.mark.slow
def test_a_server_that_tells_nothing_of_itself_is_no_obstacle(shop: Shop, own_server: Server) -> None:
    client = own_server.client()
    client.execute_command("ACL", "SETUSER", "default", "-info", "-config")
    shop.url = own_server.url
    shop.settle()

    with shop.start("run") as daemon:
        daemon.says("in step")
        shop.write("number: 2\n")
        daemon.says("published version 2")
