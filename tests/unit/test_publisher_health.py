"""`python -m confbus health --publisher`: for the health check of a publisher's container."""

from __future__ import annotations

import json
import socket
import threading
from typing import TYPE_CHECKING

import pytest
from prometheus_client import CollectorRegistry

from confbus.__main__ import main
from confbus_publisher.serving.application import application
from confbus_publisher.serving.listen import Listen
from confbus_publisher.serving.server import Server
from confbus_publisher.vitals import LATE_S
from support.clock import Clock
from support.vital import VitalPublisher

if TYPE_CHECKING:
    from collections.abc import Generator


@pytest.fixture(scope="module")
def site() -> Generator[tuple[VitalPublisher, Clock, str]]:
    clock = Clock()
    vital = VitalPublisher(clock)
    server = Server(application(vital.vitals, CollectorRegistry()), Listen("127.0.0.1", 0))
    try:
        yield vital, clock, str(server.listen)
    finally:
        server.stop()


def test_it_lives_before_it_is_at_work_and_is_at_work_after_its_first_turn(
    site: tuple[VitalPublisher, Clock, str], capsys: pytest.CaptureFixture[str]
) -> None:
    vital, clock, place = site

    alive, unready = main(["health", "--publisher", place]), main(["health", "--publisher", place, "--ready"])
    vital.publisher.turn()
    ready = main(["health", "--publisher", place, "--ready"])
    clock.advance(2 * LATE_S)
    hanging = main(["health", "--publisher", place, "--output", "json"])

    said = capsys.readouterr().out.splitlines()
    assert (alive, unready, ready, hanging) == (0, 1, 0, 1)
    assert said[:3] == ["healthy", "unready, starting: it took no turn yet", "ready, in step"]
    assert json.loads(said[3])["status"] == "unhealthy"


def test_where_it_is_comes_from_what_tells_the_publisher_to_listen(
    site: tuple[VitalPublisher, Clock, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = site[2]
    monkeypatch.setenv("CONFBUS_LISTEN", place.replace("127.0.0.1", "0.0.0.0"))

    assert main(["health", "--publisher", "--ready"]) == 0


def test_nobody_there_is_a_failure_and_so_is_somebody_else(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        place = f"127.0.0.1:{taken.getsockname()[1]}"
        threading.Thread(target=_answer_oddly, args=(taken,)).start()

        odd = main(["health", "--publisher", place])
    nobody = main(["health", "--publisher", place])

    said = capsys.readouterr().err.splitlines()
    assert (odd, nobody) == (1, 1)
    assert "no publisher says that" in said[0]
    assert said[1].startswith(f"No publisher answers at http://{place}: ")


@pytest.mark.parametrize("place", ["9630", "a:b", ":9630", "127.0.0.1:0", "127.0.0.1:99999", "a b:1", "a\nb:1"])
def test_what_is_no_place_is_a_wrong_call(place: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["health", "--publisher", place]) == 64
    assert "127.0.0.1:9630" in capsys.readouterr().err


def test_a_host_that_cannot_be_is_no_publisher() -> None:
    assert main(["health", "--publisher", "..:80"]) == 1


@pytest.mark.parametrize("seconds", ["nan", "inf", "0", "-1", "soon"])
@pytest.mark.parametrize("option", ["--timeout", "--max-age"])
def test_a_time_that_cannot_be_waited_for_is_a_wrong_call(option: str, seconds: str) -> None:
    with pytest.raises(SystemExit) as left:
        main(["health", "--publisher", "127.0.0.1:1", option, seconds])

    assert left.value.code == 64


def test_ready_without_a_publisher_is_a_wrong_call() -> None:
    with pytest.raises(SystemExit) as left:
        main(["health", "--ready", "--url", "redis://127.0.0.1:1", "-n", "shop"])

    assert left.value.code == 64


def _answer_oddly(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(1000)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n<html/>")
