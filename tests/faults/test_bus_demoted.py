"""A server that becomes a replica while everybody is connected to it, as managed ones do at a failover."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from support.eventually import eventually

if TYPE_CHECKING:
    from support.bus import Bus
    from support.server import Server


def test_a_master_that_is_demoted_is_left_and_found_again(own_bus: Bus, own_server: Server) -> None:
    # given
    publisher = own_bus.publisher(1)
    worker = own_bus.worker()
    admin: Any = own_server.client()

    # when
    admin.replicaof("127.0.0.1", "1")
    own_bus.edit(publisher, 2)
    eventually(lambda: publisher.state == "unreachable")
    assert "it is not the master" in publisher.why
    assert worker.number == 1
    admin.replicaof("NO", "ONE")

    # then
    own_bus.agree(2)
