"""A configuration manager over Redis: publisher and reader of a fleet in one process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry

import confbus
from confbus.client import keys_of, make_client
from confbus.errors import InvalidNamespace, NotStarted
from confbus_publisher import ConfigManager, ReloadStatus
from confbus_publisher.guard.guard import Terms
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.overrides import amending
from support.bus import TIMING
from support.managed import managed, threads, told, until
from support.places import encoded
from support.said import Said

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractAsyncContextManager
    from pathlib import Path

    from confbus import Snapshot, Subscriber
    from confbus_publisher import ConfigSource
    from support.server import Server

GOOD: dict[str, Any] = {"pool": {"min": 1, "max": 5}, "other": {"n": 1}}
BAD: dict[str, Any] = {"pool": {"min": 9, "max": 5}, "other": {"n": 1}}
MENDED: dict[str, Any] = {"pool": {"min": 3, "max": 5}, "other": {"n": 1}}


class Site:
    """One namespace on one server."""

    def __init__(self, url: str, namespace: str) -> None:
        self.url = url
        self.namespace = namespace
        self.client = make_client(url)
        self.ledger = Ledger(RedisStore(self.client, keys_of(self.client, namespace), where=url))

    def managed(self, *sources: ConfigSource, **options: Any) -> AbstractAsyncContextManager[ConfigManager]:
        return managed(*sources, **{"redis": self.url, "namespace": self.namespace, **options})

    def worker(self) -> Subscriber:
        return confbus.connect(self.url, namespace=self.namespace, timing=TIMING)

    def log(self) -> list[tuple[str, str]]:
        """What was done, and by whom, the oldest first."""
        entries = (entry.fields for entry in reversed(self.ledger.store.log(100)))
        return [(fields["action"], fields["author"]) for fields in entries]


@pytest.fixture
def site(server: Server, namespace: str) -> Iterator[Site]:
    site = Site(server.url, namespace)
    yield site
    site.client.close()


def test_what_a_manager_publishes_is_read_by_a_worker_and_by_itself(site: Site) -> None:
    labels = {"namespace": site.namespace}

    async def main() -> None:
        said, registry = Said(GOOD), CollectorRegistry()
        async with site.managed(said, author="ann", metrics=registry) as manager:
            assert manager.snapshot == GOOD
            with site.worker() as worker:
                assert worker.snapshot == GOOD
                said.tree = MENDED

                result = await manager.reload()

                assert told(result) == ("success", ["pool.min"])
                assert manager.snapshot == MENDED
                assert worker.wait_for(version=2) == MENDED
                shown = [registry.get_sample_value(f"confbus_{name}version", labels) for name in ("", "subscriber_")]
                assert shown == [2, 2]
        assert site.log() == [("publish", "ann"), ("publish", "ann"), ("guarded", "ann")]

    asyncio.run(main())


def test_a_restart_with_the_same_sources_publishes_nothing(site: Site) -> None:
    async def main() -> None:
        async with site.managed(Said(GOOD)):
            pass
        async with site.managed(Said(GOOD)) as manager:
            assert manager.snapshot.version == 1
            assert told(await manager.reload()) == ("no change", [])

    asyncio.run(main())


def test_a_restart_with_other_sources_waits_unless_it_knows_its_past(site: Site, tmp_path: Path) -> None:
    async def main() -> None:
        async with site.managed(Said(GOOD), state=tmp_path / "state"):
            pass
        async with site.managed(Said(MENDED)) as stranger:
            held = await stranger.reload()
            assert held.status is ReloadStatus.HELD
            assert "differ from the head" in held.errors[0]
            assert stranger.snapshot == GOOD
        async with site.managed(Said(MENDED), state=tmp_path / "state") as known:
            assert (known.snapshot, known.snapshot.version) == (MENDED, 2)

    asyncio.run(main())


def test_publishing_puts_out_what_differs_from_the_head(site: Site) -> None:
    async def main() -> None:
        async with site.managed(Said(GOOD)):
            pass
        async with site.managed(Said(MENDED)) as manager:
            assert told(await manager.publish("a new start")) == ("success", ["pool.min"])
            assert manager.get_version_history()[0].message == "a new start"
            assert told(await manager.reload()) == ("no change", [])

    asyncio.run(main())


def test_what_people_put_on_top_goes_out_with_what_a_manager_publishes(site: Site) -> None:
    async def main() -> None:
        async with site.managed(Said(GOOD)):
            amending.put(site.ledger.store, ("pool", "max"), 50, by="ann")
        async with site.managed(Said(MENDED)) as manager:
            await manager.publish("a new start")

            assert manager.snapshot == {**MENDED, "pool": {"min": 3, "max": 50}}
            assert told(await manager.reload()) == ("no change", [])

    asyncio.run(main())


def test_one_manager_is_active_and_another_follows_it_and_takes_over(site: Site) -> None:
    async def main() -> None:
        mine, theirs = Said(GOOD), Said(GOOD)
        async with site.managed(theirs) as active, site.managed(mine) as follower:
            mine.tree = theirs.tree = MENDED
            assert told(await follower.reload()) == ("no change", [])
            assert "is the active publisher" in (await follower.publish()).errors[0]

            assert told(await active.reload()) == ("success", ["pool.min"])
            await until(lambda: follower.snapshot == MENDED)
            assert told(await follower.reload()) == ("no change", [])  # and sees that its own merge is out

            await active.stop()
            mine.tree = GOOD
            assert told(await follower.reload()) == ("success", ["pool.min"])

    asyncio.run(main())


def test_a_rollback_is_that_of_the_command_line(site: Site) -> None:
    async def main() -> None:
        said = Said(GOOD)
        async with site.managed(said, author="ann") as manager:
            said.tree = BAD
            await manager.reload()

            result = await manager.rollback(message="too many")

            assert told(result) == ("rolled back", ["pool.min"])
            assert manager.snapshot == GOOD
            state = site.ledger.refresh()
            assert state is not None
            assert (state.head.version, state.release.of) == (3, 1)
            assert [pair.split()[0] for pair in state.quarantine] == ["pool"]
            assert site.log()[-1] == ("rollback", "ann")
            assert (await manager.reload()).status is ReloadStatus.HELD

    asyncio.run(main())


def test_what_its_own_validator_refuses_is_rolled_back_for_the_fleet(site: Site) -> None:
    def min_below_max(snapshot: Snapshot) -> None:
        if snapshot["pool.min"] > snapshot["pool.max"]:
            raise ValueError("min is above max")

    async def main() -> None:
        said = Said(GOOD)
        async with site.managed(said, validators=[min_below_max]) as manager:
            with site.worker() as worker:
                said.tree = BAD

                result = await manager.reload()

                assert told(result) == ("rolled back", [])
                assert "min is above max" in result.errors[0]
                assert worker.wait_for(version=3) == GOOD
                assert manager.snapshot.version == 3
                said.tree = MENDED
                assert told(await manager.reload()) == ("success", ["pool.min"])

    asyncio.run(main())


def test_what_is_refused_at_a_restart_is_rolled_back_too(site: Site, tmp_path: Path) -> None:
    def min_below_max(snapshot: Snapshot) -> None:
        if snapshot["pool.min"] > snapshot["pool.max"]:
            raise ValueError("min is above max")

    async def main() -> None:
        async with site.managed(Said(GOOD), state=tmp_path / "state"):
            pass
        async with site.managed(Said(BAD), state=tmp_path / "state", validators=[min_below_max]) as manager:
            assert (manager.snapshot, manager.snapshot.version) == (GOOD, 3)
            assert site.log()[-1][0] == "rollback"

    asyncio.run(main())


def test_a_release_of_somebody_else_is_followed_and_listed(site: Site) -> None:
    async def main() -> None:
        heard: list[str] = []
        async with site.managed(Said(GOOD)) as manager:
            manager.subscribe(lambda changes: heard.extend(change.path for change in changes))
            site.ledger.refresh()
            site.ledger.publish(encoded(MENDED), Why("operator"))

            await until(lambda: manager.snapshot == MENDED)
            await until(lambda: [each.author for each in manager.get_version_history()][:1] == ["operator"])
            await until(lambda: heard == ["pool.min"])

    asyncio.run(main())


def test_without_a_server_the_start_tells_so_and_leaves_nothing(namespace: str) -> None:
    async def main() -> None:
        with pytest.raises(NotStarted, match="unreachable"):
            async with managed(Said(GOOD), redis="redis://127.0.0.1:1", namespace=namespace, start_timeout_s=0.1):
                pass
        await until(lambda: not threads())

    asyncio.run(main())


def test_a_server_that_goes_away_leaves_the_values_and_is_found_again(own_server: Server, namespace: str) -> None:
    site = Site(own_server.url, namespace)
    site.ledger.publish(encoded(GOOD), Why("ann"))  # a manager holds back on a server that began just now, empty

    async def main() -> None:
        said = Said(GOOD)
        async with site.managed(said, watch_files=True, check_interval_s=0.1) as manager:
            own_server.kill()
            said.tree = MENDED

            result = await manager.reload()

            assert result.status is ReloadStatus.FAILED
            assert "unreachable" in result.errors[0]
            assert manager.snapshot == GOOD
            own_server.restart()
            await until(lambda: manager.snapshot == MENDED, within_s=20)

    asyncio.run(main())
    site.client.close()


def test_a_bad_namespace_is_refused_at_once(redis_url: str) -> None:
    with pytest.raises(InvalidNamespace):
        ConfigManager(redis=redis_url, namespace="a{b}")


def test_what_a_manager_put_out_and_did_not_come_to_judge_its_heir_undoes(site: Site) -> None:
    """The first one dies between the release and its gates: the guard is all that it left."""
    site.ledger.publish(encoded(GOOD), Why("ann"), terms=Terms(0.0))
    site.ledger.publish(encoded(BAD), Why("ann"), terms=Terms(0.0))

    def min_below_max(snapshot: Snapshot) -> bool:
        return bool(snapshot["pool.min"] <= snapshot["pool.max"])

    async def main() -> None:
        async with site.managed(Said(BAD), gates=[min_below_max], author="bob") as manager:
            assert manager.snapshot == GOOD

    asyncio.run(main())

    assert site.log() == [("publish", "ann"), ("publish", "ann"), ("rollback", "bob")]
    assert site.ledger.store.guard() is None
