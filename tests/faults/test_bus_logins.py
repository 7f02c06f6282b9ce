"""Logging in: a password that changes while everybody runs, and clients that the caller makes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import redis

import confbus
from confbus.address import with_password_file
from confbus.errors import ConnectFailed, InvalidSettings
from support.bus import TIMING, document
from support.eventually import eventually

if TYPE_CHECKING:
    from pathlib import Path

    from support.bus import Bus
    from support.server import Server


@pytest.mark.parametrize("option", ["", "&socket_timeout=1"], ids=["plain", "borrowed"])
def test_a_password_that_changes_is_read_again(own_bus: Bus, own_server: Server, option: str, tmp_path: Path) -> None:
    # given
    admin: Any = own_server.client()
    file = tmp_path / "password"
    file.write_text("first\n")
    admin.acl_setuser("ann", enabled=True, passwords=["+first"], keys=["*"], channels=["*"], categories=["+@all"])
    place = own_bus.url.removeprefix("unix://")
    url = with_password_file(f"unix://ann@{place}{option}", str(file))
    publisher = own_bus.publisher(1, url=url)
    worker = own_bus.worker(url=url)

    # when
    file.write_text("second\n")
    admin.execute_command("ACL", "SETUSER", "ann", "<first", ">second")
    own_server.cut_connections()
    own_bus.edit(publisher, 2)

    # then
    own_bus.agree(2)
    assert worker.config.status().counts.reconnects


def test_a_file_that_is_missing_is_the_reason_why_nothing_comes(bus: Bus, tmp_path: Path) -> None:
    bus.publish(1)
    file = tmp_path / "password"

    with pytest.raises(ConnectFailed, match=r"the password file .*/password cannot be read: No such file"):
        confbus.connect(bus.url, namespace=bus.namespace, password_file=str(file), timeout_s=0.2, timing=TIMING)


def test_a_client_of_the_callers_is_followed(bus: Bus, server: Server) -> None:
    # given
    place = server.url.removeprefix("unix://").partition("?")[0]
    made: list[redis.Redis] = []

    def client() -> redis.Redis:
        made.append(redis.Redis(unix_socket_path=place, decode_responses=True, protocol=3))
        return made[-1]

    bus.publish(1)

    # when
    with confbus.connect(namespace=bus.namespace, client=client, timing=TIMING) as config:
        assert config.snapshot == document(1)
        bus.publish(2)

        # then
        eventually(lambda: config.snapshot == document(2))
        assert made


def test_other_clients_are_refused_at_once() -> None:
    with pytest.raises(InvalidSettings, match=r"made a redis\.asyncio\.client\.Redis"):
        confbus.Subscriber(namespace="shop", client=redis.asyncio.Redis)  # type: ignore[arg-type]
    with pytest.raises(InvalidSettings, match="beside it"):
        confbus.Subscriber("redis://localhost", namespace="shop", client=redis.Redis)
    with pytest.raises(InvalidSettings, match="the Redis URL"):
        confbus.Subscriber(namespace="shop")
