"""How a process starts when Redis is there, away, empty, or offers what the process refuses."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.errors import ConfigRefused, ConnectFailed, InvalidSettings
from support.bus import TIMING, document
from support.eventually import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from confbus.testing import Proxy
    from support.bus import Bus


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "good"


@pytest.fixture
def nowhere() -> str:
    """A URL where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as closed:
        return f"redis://127.0.0.1:{closed.getsockname()[1]}/0"


def connect(bus: Bus, url: str = "", **options: Any) -> confbus.Subscriber:
    return confbus.connect(url or bus.url, namespace=bus.namespace, timing=TIMING, **options)


def kept(bus: Bus, path: Path) -> None:
    """Leave what is published in the file at `path`, as a process that followed once does."""
    connect(bus, fallback=path).close()
    assert path.exists()


def refuses(*numbers: int) -> Any:
    def check(snapshot: confbus.Snapshot) -> None:
        if snapshot["number"] in numbers:
            raise ValueError(f"number {snapshot['number']} is not for me")

    return check


def test_a_start_without_redis_runs_the_last_known_good_and_then_follows(bus: Bus, proxy: Proxy, path: Path) -> None:
    bus.publish(1)
    kept(bus, path)
    proxy.stall()

    config = connect(bus, proxy.url, fallback=path, timeout_s=0.1)

    assert config.snapshot == document(1)
    assert config.status().state == "cached"
    assert config.status().running == config.status().seen
    bus.publish(2)
    proxy.flow()
    eventually(lambda: config["number"] == 2)
    eventually(lambda: config.status().state == "live")
    config.close()


def test_a_cached_start_reads_from_disk_at_once_and_follows_by_itself(bus: Bus, path: Path) -> None:
    bus.publish(1)
    kept(bus, path)
    bus.publish(2)

    with connect(bus, fallback=path, start="cached") as config:
        assert config["number"] in {1, 2}
        eventually(lambda: config["number"] == 2)
        eventually(lambda: config.status().state == "live")


def test_a_cached_start_with_nothing_on_disk_waits_for_redis(bus: Bus, path: Path) -> None:
    bus.publish(1)

    with connect(bus, fallback=path, start="cached") as config:
        assert config["number"] == 1


def test_an_older_redis_does_not_take_back_what_came_from_disk(bus: Bus, path: Path) -> None:
    bus.publish(1)
    older = bus.client.hgetall(bus.keys.head)
    bus.publish(2)
    kept(bus, path)
    bus.client.hset(bus.keys.head, mapping=older)

    with connect(bus, fallback=path, start="cached") as config:
        eventually(lambda: config.status().state == "regressed")
        assert config["number"] == 2


def test_an_empty_redis_does_not_take_back_what_came_from_disk(bus: Bus, path: Path) -> None:
    bus.publish(1)
    kept(bus, path)
    bus.client.delete(bus.keys.head)

    with connect(bus, fallback=path, timeout_s=0.1) as config:
        eventually(lambda: config.status().state == "lost")
        assert config["number"] == 1


def test_a_damaged_last_known_good_is_told_and_not_read(
    bus: Bus, nowhere: str, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bus.publish(1)
    kept(bus, path)
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(ConnectFailed, match="refused"):
        connect(bus, nowhere, fallback=path, start="cached", timeout_s=0.2)

    assert "it is damaged" in caplog.text


def test_a_start_that_shall_fail_gives_up_at_the_first_setback(bus: Bus, nowhere: str, path: Path) -> None:
    bus.publish(1)
    kept(bus, path)

    with pytest.raises(ConnectFailed, match="refused"):
        connect(bus, nowhere, fallback=path, start="fail")
    with pytest.raises(ConnectFailed, match="nothing is published"):
        confbus.connect(bus.url, namespace=f"{bus.namespace}-none", start="fail")
    with connect(bus, start="fail") as config:
        assert config["number"] == 1


def test_a_way_to_start_that_there_is_not_is_refused(bus: Bus) -> None:
    with pytest.raises(InvalidSettings, match="'soon' is no way to start"):
        connect(bus, start="soon")


def test_a_refused_first_release_gives_way_to_the_last_known_good(bus: Bus, path: Path) -> None:
    bus.publish(1)
    kept(bus, path)
    bus.publish(2)

    with connect(bus, fallback=path, validators=[refuses(2)]) as config:
        assert config["number"] == 1
        assert config.status().state == "vetoing"
        assert "number 2 is not for me" in config.status().error
        bus.publish(3)
        eventually(lambda: config["number"] == 3)
        eventually(lambda: config.status().state == "live")


def test_a_refused_first_release_gives_way_to_the_newest_earlier_one_that_is_accepted(bus: Bus, path: Path) -> None:
    for number in (1, 2, 3, 4):
        bus.publish(number)

    with connect(bus, fallback=path, validators=[refuses(4, 3)]) as config:
        assert config["number"] == 2
        assert config.snapshot.version == 2
        assert config.status().state == "vetoing"
        seen, running = config.status().seen, config.status().running
        assert seen is not None
        assert running is not None
        assert (seen.version, running.version) == (4, 2)
        bus.publish(5)
        eventually(lambda: config["number"] == 5)


def test_an_earlier_release_that_is_damaged_or_gone_is_passed_over(bus: Bus) -> None:
    for number in (1, 2, 3, 4, 5):
        bus.publish(number)
    damaged = bus.ledger.release(4).manifest.sections["db"]
    bus.client.hdel(bus.keys.blobs, damaged)
    bus.client.delete(bus.keys.release(3))

    with connect(bus, validators=[refuses(5)]) as config:
        assert config["number"] == 2


def test_a_validator_that_asks_for_what_it_judges_is_told_so_at_once(bus: Bus) -> None:
    bus.publish(1)
    config = confbus.Subscriber(bus.url, namespace=bus.namespace, validators=[lambda _: config["number"]])

    with config, pytest.raises(ConfigRefused, match="asks for what it is judging"):
        config.start(timeout_s=60)


def test_a_content_that_was_rolled_back_is_not_run_in_place_of_a_refused_one(bus: Bus) -> None:
    for number in (1, 2, 3):
        bus.publish(number)
    bus.rollback(to=1)

    # 1 runs again as version 4, and is refused; 3 and 2 were before it, and 3 and 2 are held or refused.
    with pytest.raises(ConfigRefused, match="number 1 is not for me"):
        connect(bus, validators=[refuses(1, 2)])


def test_a_process_that_refuses_everything_does_not_start_and_says_why_at_once(bus: Bus, path: Path) -> None:
    bus.publish(1)
    kept(bus, path)
    bus.publish(2)

    with pytest.raises(ConfigRefused, match=r"Version 2 was refused by this process: .*number 2 is not for me"):
        connect(bus, fallback=path, validators=[refuses(1, 2)], timeout_s=60)


def test_a_typed_view_has_its_say_about_what_comes_from_disk(bus: Bus, path: Path, nowhere: str) -> None:
    bus.publish(1)
    kept(bus, path)

    def small(number: Any) -> int:
        if number > 0:
            raise ValueError("too large")
        return int(number)

    with pytest.raises(ConnectFailed):
        connect(bus, nowhere, fallback=path, views={"number": small}, start="cached", timeout_s=0.1)


def test_a_worker_keeps_the_newest_on_disk_and_says_when_it_cannot(bus: Bus, path: Path, tmp_path: Path) -> None:
    publisher = bus.publisher(1)
    with connect(bus, fallback=path), connect(bus, fallback=tmp_path / "no" / "such") as other:
        for number in range(2, 12):
            bus.edit(publisher, number)
            eventually(lambda number=number: other["number"] == number)  # type: ignore[misc]
        eventually(lambda: "cannot be written" in other.status().error)

    with connect(bus, "redis://127.0.0.1:1/0", fallback=path, start="cached") as later:
        assert later["number"] == 11
