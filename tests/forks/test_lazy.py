"""A subscriber that is told to be lazy connects when somebody reads, and in forked children by itself."""

from __future__ import annotations

import pickle
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.errors import ConnectFailed
from support.bus import TIMING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confbus import Subscriber
    from support.bus import Bus
    from support.family import Family
    from support.server import Server

MASTER = """
config = connect(is_lazy=True)
for _ in range(2):
    if os.fork() == 0:
        break
rest()
"""

WITHOUT_THREADS = """
import resource

config = connect(is_lazy=IS_LAZY)
assert config["number"] == 1
resource.setrlimit(resource.RLIMIT_AS, (2**32, resource.RLIM_INFINITY))
threading.stack_size(2**33)
is_child = os.fork() == 0
if is_child:
    while not Path(PLACE, "go").exists():
        time.sleep(0.01)
    assert config["number"] == 1
threading.stack_size(0)
if is_child:
    assert config.get("number") == 1
rest()
"""


@pytest.fixture
def lazy(bus: Bus) -> Iterator[Subscriber]:
    with confbus.connect(bus.url, namespace=bus.namespace, timing=TIMING, lazy=True) as lazy:
        yield lazy


def test_nothing_is_connected_before_somebody_reads(bus: Bus, family: Family, lazy: Subscriber) -> None:
    assert lazy.status().running is None
    assert family.connections() == {}

    assert lazy["number"] == 1

    assert family.connections().keys() == {lazy.instance}


def test_whatever_reads_first_waits_for_the_first_release(bus: Bus) -> None:
    bus.publish(1)
    reads: list[Callable[[Subscriber], Any]] = [
        lambda lazy: lazy.get("number"),
        lambda lazy: lazy.snapshot["number"],
        lambda lazy: lazy.section("web")["number"],
        lambda lazy: lazy.bind("number", int).current,
        lambda lazy: int("number" in lazy),
        lambda lazy: lazy.wait_for(version=1)["number"],
    ]

    for read in reads:
        with confbus.connect(bus.url, namespace=bus.namespace, timing=TIMING, lazy=True) as lazy:
            assert read(lazy) == 1


def test_many_who_read_first_at_once_start_it_once(bus: Bus, family: Family, lazy: Subscriber) -> None:
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(lazy.__getitem__, ["number"] * 8)) == [1] * 8

    assert [len(ids) for ids in family.connections().values()] == [2]


def test_the_first_read_fails_as_a_start_does_and_later_ones_recover(own_server: Server, namespace: str) -> None:
    own_server.kill()
    with confbus.connect(own_server.url, namespace=namespace, timing=TIMING, lazy=True, timeout_s=0.1) as lazy:
        for _ in range(2):
            with pytest.raises(ConnectFailed, match="Is the server up"):
                lazy["number"]
        own_server.restart()


def test_a_child_of_a_lazy_parent_begins_by_itself(bus: Bus, family: Family) -> None:
    parent = family.run(MASTER).pid
    children = family.agree(2)
    assert parent not in children

    bus.publish(2)

    family.told_all(children, 2)
    assert family.agree(2) == children
    assert family.errors == ""


@pytest.mark.parametrize("is_lazy", [False, True])
def test_a_child_that_may_start_no_thread_reads_and_follows_once_it_may(
    bus: Bus, family: Family, is_lazy: bool
) -> None:
    family.run(WITHOUT_THREADS.replace("IS_LAZY", str(is_lazy)))
    parent = family.agree(1)
    bus.publish(2)
    family.told_all(parent, 2)

    (family.place / "go").touch()

    instances = family.agree(2)
    family.told_all(instances, 2)
    assert family.errors == ""


def test_a_subscriber_is_not_sent_to_other_processes(bus: Bus, lazy: Subscriber) -> None:
    bus.publish(1)

    with pytest.raises(TypeError, match="connect in the other one"):
        pickle.dumps(lazy)

    assert pickle.loads(pickle.dumps(lazy.snapshot)) == lazy.snapshot
