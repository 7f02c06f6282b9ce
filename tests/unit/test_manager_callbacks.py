"""Who hears of the changes of a configuration manager."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

import confbus_publisher
from confbus.errors import NotStarted
from confbus_publisher import (
    ConfigManager,
)
from support.managed import managed, until
from support.said import Said


def test_callbacks_hear_of_changes_below_their_path_until_they_are_unsubscribed() -> None:
    async def main() -> None:
        heard: list[str] = []
        said = Said({"a": {"b": 1}, "c": 1})
        async with managed(said) as manager:
            subscription = manager.subscribe(lambda changes: heard.extend(change.path for change in changes), "a")
            assert isinstance(subscription, weakref.ref)
            said.tree = {"a": {"b": 2}, "c": 2}
            await manager.reload()
            await until(lambda: heard)
            manager.unsubscribe(subscription)
            said.tree = {"a": {"b": 3}, "c": 3}
            await manager.reload()

        assert heard == ["a.b"]

    asyncio.run(main())


def test_one_that_subscribed_before_the_start_hears_of_the_first_version() -> None:
    async def main() -> None:
        heard: list[str] = []
        manager = ConfigManager(watch_files=False)
        manager.subscribe(
            lambda changes: heard.extend(f"{change.change_type.value} {change.path}" for change in changes)
        )
        await manager.add_source(Said({"a": 1}))
        await manager.start()
        await until(lambda: heard == ["added a"])
        await manager.stop()

    asyncio.run(main())


def test_a_coroutine_function_is_called_on_the_loop_that_subscribed_it() -> None:
    async def main() -> None:
        heard: list[tuple[str, bool]] = []
        loop = asyncio.get_running_loop()

        async def callback(changes: list[confbus_publisher.ConfigChange]) -> None:
            await asyncio.sleep(0)
            heard.extend((change.path, asyncio.get_running_loop() is loop) for change in changes)

        said = Said({"a": 1})
        async with managed(said) as manager:
            manager.subscribe(callback)
            said.tree = {"a": 2}
            await manager.reload()
            await until(lambda: heard == [("a", True)])

    asyncio.run(main())


def test_a_coroutine_function_needs_a_loop() -> None:
    async def callback(changes: list[confbus_publisher.ConfigChange]) -> None: ...

    with pytest.raises(NotStarted, match="inside a coroutine"):
        ConfigManager().subscribe(callback)


def test_a_bound_method_does_not_keep_its_object() -> None:
    class Listener:
        async def hear(self, changes: list[confbus_publisher.ConfigChange]) -> None: ...

        def listen(self, changes: list[confbus_publisher.ConfigChange]) -> None: ...

    async def main() -> None:
        async with managed(Said({"a": 1})) as manager:
            listener = Listener()
            manager.subscribe(listener.hear)
            manager.subscribe(listener.listen)
            reference = weakref.ref(listener)

            del listener
            gc.collect()

            assert reference() is None

    asyncio.run(main())
