"""Overrides for tests: who sees them, for how long, and what they may not be."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from confbus import forks
from confbus.errors import ConfigRefused, InvalidDocument, NotStarted, UnknownPath
from confbus.testing import Bus, override, static

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from confbus import Snapshot
    from confbus.subscriber import Subscriber


@dataclass(frozen=True)
class Web:
    host: str
    port: int


@pytest.fixture
def config() -> Subscriber:
    return static({"web": {"host": "a", "port": 80}, "hosts": ["x", "y"]})


def elsewhere(read: Any) -> Any:
    """What `read` gives in another thread."""
    got: list[Any] = []
    thread = threading.Thread(target=lambda: got.append(read()))
    thread.start()
    thread.join()
    return got[0]


def test_a_function_is_no_module_whichever_of_them_is_asked_for_first() -> None:
    first = "from confbus.testing import static; from confbus.testing import override; print(callable(override))"

    said = subprocess.run([sys.executable, "-c", first], check=True, capture_output=True, text=True)

    assert said.stdout == "True\n"


def test_a_static_configuration_is_read_like_any_other_and_takes_no_thread() -> None:
    before = set(threading.enumerate())

    config = static({"web": {"host": "a", "port": 80}}, views={"web": Web})

    assert set(threading.enumerate()) <= before
    assert (config["web.port"], config.get("none", 1), "web.host" in config) == (80, 1, True)
    assert config.bind("web", Web).current == Web("a", 80)
    with pytest.raises(ConfigRefused):
        static({"web": {"host": "a"}}, views={"web": Web})
    with pytest.raises(InvalidDocument):
        static({"web": object()})


def test_where_one_subscriber_is_open_nobody_has_to_name_it() -> None:
    with Bus({"web": {"port": 80}}) as bus:
        config = bus.connect()
        others: list[Any] = [each for each in forks.watched() if issubclass(type(each), type(config))]
        for each in others:
            if each is not config:  # of tests before
                each.close()

        with override({"web.port": 81}):
            assert config["web.port"] == 81
        assert config["web.port"] == 80

        other = static({"web": {"port": 1}})
        with pytest.raises(NotStarted, match="2 subscribers are open"), override({"web.port": 82}):
            pass
        other.close()
    with pytest.raises(NotStarted, match="No subscriber is open"), override({"web.port": 83}):
        pass


def test_an_override_is_seen_here_and_nowhere_else_and_is_gone_afterwards(config: Subscriber) -> None:
    with override(config, {"web.port": 81, "features.new_ui": True}) as snapshot:
        assert (config["web.port"], config.get("features.new_ui"), config["web.host"]) == (81, True, "a")
        assert config.section("web") == {"host": "a", "port": 81}
        assert config.snapshot is snapshot
        assert elsewhere(lambda: config["web.port"]) == 80

    assert config["web.port"] == 80
    assert "features" not in config


def test_overrides_inside_each_other_add_up(config: Subscriber) -> None:
    with override(config, {"web.port": 81}):
        with override(config, {"web.host": "b"}, remove=["hosts"]):
            assert config.snapshot == {"web": {"host": "b", "port": 81}}
        assert (config["web.host"], config["web.port"]) == ("a", 81)

    assert config["web.port"] == 80


def test_one_override_can_be_entered_within_itself_and_again(config: Subscriber) -> None:
    changed = override(config, {"web.port": 81})

    with changed, changed:
        assert config["web.port"] == 81
    with changed:
        assert config["web.port"] == 81

    assert config["web.port"] == 80


def test_an_item_of_a_list_is_replaced_where_there_is_one(config: Subscriber) -> None:
    with override(config, {"hosts[1]": "z"}):
        assert config["hosts"] == ["x", "z"]

    with pytest.raises(UnknownPath), override(config, {"hosts[2]": "z"}):
        pass
    with pytest.raises(InvalidDocument), override(config, {"web.port.number": 1}):
        pass
    with pytest.raises(UnknownPath), override(config, {}, remove=["web.none"]):
        pass


def test_tasks_beside_each_other_see_their_own_override(config: Subscriber) -> None:
    async def reads(port: int, begun: asyncio.Barrier) -> tuple[int, int]:
        with override(config, {"web.port": port}):
            await begun.wait()
            inner = await asyncio.create_task(asyncio.sleep(0, config["web.port"]))
            return inner, config["web.port"]

    async def both() -> Any:
        begun = asyncio.Barrier(3)
        first, second = asyncio.create_task(reads(1, begun)), asyncio.create_task(reads(2, begun))
        await begun.wait()
        return config["web.port"], await first, await second

    assert asyncio.run(both()) == (80, (1, 1), (2, 2))


def test_a_function_and_a_coroutine_function_are_decorated(config: Subscriber) -> None:
    @override(config, {"web.port": 81})
    def port(offset: int) -> int:
        return int(config["web.port"]) + offset

    @override(lambda: config, {"web.port": 82})
    async def port_later() -> int:
        await asyncio.sleep(0)
        return int(config["web.port"])

    async def twice() -> list[int]:
        return list(await asyncio.gather(port_later(), port_later()))

    assert port(1) == 82
    assert asyncio.run(twice()) == [82, 82]
    assert (config["web.port"], port.__name__) == (80, "port")


@pytest.mark.parametrize("everywhere", [False, True])
def test_what_a_view_or_a_validator_refuses_cannot_be_an_override(everywhere: bool) -> None:
    def port_is_open(snapshot: Snapshot) -> None:
        if snapshot["web.port"] > 1000:
            raise ValueError("the port is closed")

    config = static({"web": {"host": "a", "port": 80}}, views={"web": Web}, validators=[port_is_open])

    with pytest.raises(ConfigRefused, match="closed"), override(config, {"web.port": 8080}, everywhere=everywhere):
        pass
    with pytest.raises(ConfigRefused, match=r"web\.port"), override(config, {"web.port": "x"}, everywhere=everywhere):
        pass

    assert config["web.port"] == 80


def test_everywhere_is_seen_by_other_threads_and_by_views() -> None:
    config = static({"web": {"host": "a", "port": 80}})
    web = config.bind("web", Web)

    with override(config, {"web.port": 81}, everywhere=True):
        assert elsewhere(lambda: config["web.port"]) == 81
        assert web.current == Web("a", 81)
        with override(config, {"web.host": "b"}):
            assert (config["web.host"], config["web.port"]) == ("b", 81)

    assert (config["web.port"], web.current) == (80, Web("a", 80))


def test_a_view_shows_an_override_where_it_is_asked_for_what_is_pinned() -> None:
    config = static({"web": {"host": "a", "port": 80}})
    web = config.bind("web", Web)

    with override(config, {"web.port": 81}):
        assert web.pinned == Web("a", 81)
        assert web.current == Web("a", 80)
        assert elsewhere(lambda: web.pinned) == Web("a", 80)

    assert web.pinned == Web("a", 80)


def test_what_goes_on_after_the_call_is_not_decorated(config: Subscriber) -> None:
    def ports() -> Iterator[int]:
        yield config["web.port"]

    async def later_ports() -> AsyncIterator[int]:
        yield config["web.port"]

    decorated: list[Callable[..., object]] = [ports, later_ports, Web]
    for each in decorated:
        with pytest.raises(TypeError, match="inside it"):
            override(config, {"web.port": 81})(each)


def test_a_release_that_comes_meanwhile_is_read_by_others_at_once_and_here_afterwards() -> None:
    with Bus({"web": {"host": "a", "port": 80}}) as bus:
        config = bus.connect()

        with override(config, {"web.port": 81}):
            bus.set("web.port", 82)
            assert config["web.port"] == 81
            assert elsewhere(lambda: config["web.port"]) == 82
        assert config["web.port"] == 82


def test_a_release_that_comes_meanwhile_ends_an_override_of_the_process() -> None:
    with Bus({"web": {"host": "a", "port": 80}}) as bus:
        config = bus.connect()

        with override(config, {"web.port": 81}, everywhere=True):
            bus.set("web.host", "b")
            assert config["web.port"] == 80

        assert config.snapshot == {"web": {"host": "b", "port": 80}}
