"""TLS: the same promises over it, and what is said when a certificate is not right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.client import single_client
from confbus.errors import ConnectFailed, InvalidSettings
from confbus.testing import Proxy
from support.bus import TIMING, Bus
from support.constellations import free_ports
from support.eventually import eventually
from support.family import Family
from support.secured import Secured, secured_server
from support.server import Server

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FORKS = """
import gc

config = connect()
if os.fork() == 0:
    gc.collect()
elif os.fork() == 0:
    config.close()
    del config
    gc.collect()
rest()
"""


@pytest.fixture(scope="module")
def secured(_runtime: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    with secured_server(tmp_path_factory.mktemp("tls")) as (secured, _):
        yield secured


@pytest.fixture
def secured_bus(secured: Secured, namespace: str, tmp_path: Path) -> Iterator[Bus]:
    with Bus(secured.url(), namespace, tmp_path) as bus:
        yield bus


def test_connections_over_tls_that_are_cut_lose_nothing(secured: Secured, secured_bus: Bus) -> None:
    # given
    bus = secured_bus
    with Proxy(f"redis://127.0.0.1:{secured.port}") as proxy:
        port = int(proxy.url.rpartition(":")[2].removesuffix("/0"))
        publisher = bus.publisher(1)
        worker = bus.worker(url=secured.url(port=port))

        # when
        for number in range(2, 7):
            if number % 2:
                proxy.sever()
            bus.edit(publisher, number, padding=number % 3 * 20_000)
            eventually(lambda number=number: publisher.has_published(number) or number % 3)  # type: ignore[misc]

        # then
        bus.agree(6)
        assert worker.config.status().counts.reconnects
        worker.config.close()


def test_a_forked_child_leaves_the_connections_of_its_parent_alone(secured_bus: Bus, tmp_path: Path) -> None:
    secured_bus.publish(1)
    with Family(secured_bus, tmp_path / "family") as family:
        parent = family.run(FORKS).pid
        instances = family.agree(2)
        of_the_parent = family.connections()[instances[parent]]

        for number in (2, 3):
            secured_bus.publish(number)
            family.told_all(instances, number)

        assert family.agree(2) == instances
        assert family.connections()[instances[parent]] == of_the_parent
        assert family.errors == ""


@pytest.mark.parametrize(
    ("trust", "own", "reason"),
    [
        ("stranger.pem", "worker.pem", r"its certificate is not trusted: .* ssl_ca_certs= says"),
        ("authority.pem", "", "certificate required|EOF|closed|reset|broken pipe"),
    ],
    ids=["the server's", "the worker's"],
)
def test_a_wrong_certificate_is_the_reason_why_nothing_comes(
    secured: Secured, trust: str, own: str, reason: str
) -> None:
    with pytest.raises(ConnectFailed, match=f"(?i){reason}"):
        confbus.connect(secured.url(trust=trust, own=own), namespace="shop", timeout_s=0.3, timing=TIMING)


@pytest.mark.slow
def test_a_cluster_is_followed_over_tls(secured: Secured, namespace: str, tmp_path: Path) -> None:
    # given
    port, bus_port = free_ports(2)
    extra = secured.settings(port) | {"cluster-enabled": "yes", "tls-cluster": "yes", "cluster-port": str(bus_port)}
    node = Server(secured.binary, data=tmp_path / "node", port=0, extra=extra)
    try:
        with single_client(secured.url(port=port)) as client:
            admin: Any = client
            admin.response_callbacks.clear()
            admin.execute_command("CLUSTER", "ADDSLOTSRANGE", 0, 16383)
            eventually(lambda: b"cluster_state:ok" in admin.execute_command("CLUSTER", "INFO"))
        url = secured.url(port=port).replace("rediss:", "rediss+cluster:").replace("/0?", "?")

        # when
        with Bus(url, namespace, tmp_path) as bus:
            publisher = bus.publisher(1)
            bus.worker()
            bus.edit(publisher, 2)

            # then
            bus.agree(2)
    finally:
        node.stop()


def test_a_file_that_is_not_there_is_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=rf"ssl_ca_certs names {tmp_path}/ca\.pem, which is not there"):
        confbus.Subscriber(f"rediss://localhost?ssl_ca_certs={tmp_path}/ca.pem", namespace="shop")
