"""Whether a worker is up: as it says itself, and as `python -m confbus health` sees it from beside."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.__main__ import main
from confbus.health import health
from confbus.wire.keys import Keys
from support.eventually import eventually
from support.peer import Peer
from support.releases import Releases

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.server import Server

NOBODY = "redis://127.0.0.1:1"


@pytest.fixture
def releases(redis_url: str, namespace: str) -> Generator[Releases]:
    with Releases(redis_url, namespace) as there:
        there.publish(web={"number": 1})
        yield there


@pytest.fixture
def worker(releases: Releases) -> Generator[confbus.Subscriber]:
    with confbus.connect(releases.url, namespace=releases.namespace) as config:
        eventually(releases.fleet)
        yield config


def asked(releases: Releases, *options: str) -> int:
    return main(["health", "--url", releases.url, "-n", releases.namespace, *options])


def report(server: Server, namespace: str, text: str, name: str = "") -> None:
    """Let somebody report what he likes."""
    client: Any = server.client()
    client.hset(Keys(namespace).fleet, name or f"{socket.gethostname()}:7:abc", text)


def test_a_worker_that_has_a_configuration_is_healthy(worker: confbus.Subscriber) -> None:
    said = health(worker, max_age_s=60)

    assert 0 <= said.pop("verified_age_s") < 60
    assert abs(datetime.now(UTC).replace(tzinfo=None) - datetime.fromisoformat(said.pop("last_reload"))).seconds < 60
    assert said.pop("metrics") == {
        "total_reloads": 1,
        "success_rate": 1.0,
        "avg_reload_time_ms": 0.0,
        "healthy_sources": "1/1",
    }
    assert said == {
        "status": "healthy",
        "namespace": worker.namespace,
        "instance": worker.instance,
        "state": "live",
        "version": 1,
        "seen_version": 1,
        "error": "",
        "locked": [],
    }


def test_a_worker_is_unhealthy_without_a_configuration_when_closed_and_when_it_is_older_than_asked(
    worker: confbus.Subscriber,
) -> None:
    fresh = confbus.Subscriber(NOBODY, namespace="shop")
    age = health(worker, max_age_s=-1)
    worker.close()

    assert health(fresh)["reason"] == "Redis did not answer yet"
    assert json.loads(json.dumps(health(fresh)))["verified_age_s"] is None
    assert age["reason"] == "the configuration was not confirmed within -1 s"
    assert health(worker)["reason"] == "the subscriber was closed"
    assert health(worker)["version"] == 1


def test_the_command_sees_the_workers_of_this_host(
    releases: Releases, worker: confbus.Subscriber, capsys: pytest.CaptureFixture[str]
) -> None:
    code = asked(releases)

    assert code == 0
    assert capsys.readouterr().out.startswith(f"{worker.instance} subscriber version 1 live, heard ")
    assert asked(releases, "--output", "json") == 0
    assert [each["status"] for each in json.loads(capsys.readouterr().out)] == ["healthy"]
    assert asked(releases, "--instances", "2") == 1
    assert "1 of 2 processes report" in capsys.readouterr().err
    assert asked(releases, "--host", "elsewhere") == 1


def test_a_worker_that_went_silent_or_has_nothing_is_told_as_such(
    server: Server, releases: Releases, capsys: pytest.CaptureFixture[str]
) -> None:
    report(server, releases.namespace, '{"state": "live", "at": 0, "interval_s": 30, "running": {"version": 1}}')
    silent = asked(releases), capsys.readouterr().out
    report(server, releases.namespace, '{"state": "waiting", "at": 99999999999999, "interval_s": 30}')
    empty = asked(releases), capsys.readouterr().out

    assert silent[0] == empty[0] == 1
    assert silent[1].endswith(": silent for more than 90 s\n")
    assert empty[1].endswith("nothing waiting, heard 0 s ago: has no configuration\n")


@pytest.mark.parametrize("interval_s", ["NaN", "Infinity", "1e300", "-1"])
def test_no_report_is_of_a_worker_that_lives_for_ever(server: Server, releases: Releases, interval_s: str) -> None:
    facts = f'{{"state": "live", "at": 0, "interval_s": {interval_s}, "running": {{"version": 1}}}}'
    report(server, releases.namespace, facts)

    assert asked(releases) == 1


def test_a_publisher_runs_no_version_and_says_nothing_of_one(
    server: Server, releases: Releases, capsys: pytest.CaptureFixture[str]
) -> None:
    facts = {"state": "in step", "role": "publisher", "at": 99999999999999, "interval_s": 30}
    report(server, releases.namespace, json.dumps(facts))

    assert asked(releases) == 0
    assert " publisher in step, heard 0 s ago" in capsys.readouterr().out


def test_where_nobody_reports_the_namespace_is_asked_for(
    releases: Releases, capsys: pytest.CaptureFixture[str]
) -> None:
    assert asked(releases) == 1
    assert f"report to {releases.namespace} from" in (told := capsys.readouterr().err)
    assert "Is it the namespace of the workers?" in told


def test_a_report_that_nobody_writes_is_passed_over(server: Server, releases: Releases) -> None:
    for number, text in enumerate(("", "[]", '{"at": "x"}', '{"running": 3, "state": "live", "at": 1}', "\xff")):
        report(server, releases.namespace, text, f"{socket.gethostname()}:{number}:abc")

    assert asked(releases, "--instances", "0") == 0


def test_nobody_is_restarted_because_redis_is_away(capsys: pytest.CaptureFixture[str]) -> None:
    usual = main(["health", "--url", NOBODY, "-n", "shop"])
    strict = main(["health", "--url", NOBODY, "-n", "shop", "--require-redis"])

    assert (usual, strict) == (0, 1)
    assert "unreachable" in capsys.readouterr().err


@pytest.mark.parametrize("said", [b"HTTP/1.1 503 Service Unavailable\r\n\r\n", b"*0\r\n" * 9, b":1\r\n" * 9])
def test_nobody_is_restarted_because_something_else_answers_for_redis(
    said: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    with Peer(said) as peer:
        code = main(["health", "--url", peer.url, "-n", "shop"])

    assert code == 0
    assert "is unreachable: what answers there is no Redis" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [[], ["helth"], ["health"], ["health", "--url", NOBODY], ["health", "--instances", "many"]]
)
def test_a_wrong_call_is_told_with_the_code_of_wrong_calls(words: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CONFBUS_URL", raising=False)
    monkeypatch.delenv("CONFBUS_NAMESPACE", raising=False)

    with pytest.raises(SystemExit) as left:
        main(words)

    assert left.value.code == 64


def test_the_command_needs_the_core_alone(releases: Releases, worker: confbus.Subscriber) -> None:
    environment = {"CONFBUS_URL": releases.url, "CONFBUS_NAMESPACE": releases.namespace}
    program = "import runpy, sys; sys.argv[1:] = ['health']\ntry: runpy.run_module('confbus', run_name='__main__')\n"
    program += "finally: assert not {'redis', 'click', 'asyncio'} & sys.modules.keys()"

    run = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=False)

    assert (run.returncode, run.stderr) == (0, "")
    assert worker.instance in run.stdout
