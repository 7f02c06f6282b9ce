"""What a service manager hears from a publisher."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from confbus_publisher.service import Service
from confbus_publisher.vitals import LATE_S
from support.clock import Clock
from support.service_manager import ServiceManager
from support.vital import VitalPublisher

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Generator[ServiceManager]:
    manager = ServiceManager(str(tmp_path / "notify") if request.param == "path" else f"@confbus-test-{os.getpid()}")
    try:
        yield manager
    finally:
        manager.close()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def site(clock: Clock) -> VitalPublisher:
    return VitalPublisher(clock)


def test_it_is_ready_once_and_every_new_standing_is_its_status(manager: ServiceManager, site: VitalPublisher) -> None:
    service = Service(site.vitals, {"NOTIFY_SOCKET": manager.name})

    service.look()
    starting = manager.heard()
    site.publisher.turn()
    service.look()
    service.look()
    at_work = manager.heard()
    site.store.is_away = True
    site.publisher.turn()
    service.look()
    away = manager.heard()
    service.leave()

    assert starting == [["STATUS=starting, not active"]]
    assert at_work == [["READY=1", "STATUS=in step, version 1, active"]]
    assert len(away) == 1
    assert away[0][0].startswith("STATUS=unreachable, version 1")
    assert manager.heard() == [["STOPPING=1"]]


def test_the_watchdog_is_fed_twice_in_its_time_while_the_loop_turns(
    manager: ServiceManager, site: VitalPublisher, clock: Clock
) -> None:
    environment = {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "10000000", "WATCHDOG_PID": str(os.getpid())}
    service = Service(site.vitals, environment, clock=clock)
    service.look()
    manager.heard()

    fed: list[int] = []
    for _ in range(int(LATE_S) + 20):
        clock.advance(1.0)
        service.look()
        fed.append(len(manager.heard()))
    site.publisher.turn()
    service.look()

    assert sum(fed[:10]) == 2
    assert sum(fed) == LATE_S // 5
    assert fed[-20:] == [0] * 20
    assert manager.heard()[0][-1] == "WATCHDOG=1"


def test_a_reload_ends_with_ready(manager: ServiceManager, site: VitalPublisher) -> None:
    service = Service(site.vitals, {"NOTIFY_SOCKET": manager.name})
    site.publisher.turn()
    service.look()
    manager.heard()

    service.reload()
    service.look()

    reloading, ready = manager.heard()
    assert reloading[0] == "RELOADING=1"
    assert reloading[1].startswith("MONOTONIC_USEC=")
    assert ready == ["READY=1"]


def test_no_reason_becomes_an_order_to_the_manager(manager: ServiceManager, site: VitalPublisher) -> None:
    service = Service(site.vitals, {"NOTIFY_SOCKET": manager.name})
    site.store.is_away, site.store.reason = True, "away\nMAINPID=1\nREADY=1"
    site.publisher.turn()

    service.look()

    assert [len(each) for each in manager.heard()] == [1]


@pytest.mark.parametrize(
    "environment", [{}, {"NOTIFY_SOCKET": ""}, {"NOTIFY_SOCKET": "vsock:2:1"}, {"WATCHDOG_USEC": "1"}]
)
def test_without_a_socket_nobody_is_told_and_nothing_is_missed(
    environment: dict[str, str], site: VitalPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service(site.vitals, environment)

    service.look()
    service.reload()
    service.leave()

    assert caplog.records == []


@pytest.mark.parametrize(("name", "value"), [("WATCHDOG_PID", "1"), ("WATCHDOG_USEC", "0"), ("WATCHDOG_USEC", "soon")])
def test_a_watchdog_of_another_process_or_of_no_time_is_none(
    name: str, value: str, manager: ServiceManager, site: VitalPublisher
) -> None:
    service = Service(site.vitals, {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": "10000000", name: value})

    service.look()

    assert manager.heard() == [["STATUS=starting, not active"]]


def test_a_manager_that_is_gone_harms_nothing_is_told_of_once_and_is_told_again(
    tmp_path: Path, site: VitalPublisher, caplog: pytest.LogCaptureFixture
) -> None:
    name = str(tmp_path / "notify")
    service = Service(site.vitals, {"NOTIFY_SOCKET": name})
    site.publisher.turn()
    service.look()
    service.look()

    manager = ServiceManager(name)
    service.look()

    assert [record.getMessage() for record in caplog.records if "not told" in record.getMessage()] == [
        "the service manager was not told: [Errno 2] No such file or directory"
    ]
    assert manager.heard()[0][0] == "READY=1"
    manager.close()
