"""Going back: because somebody says so, because a validator refuses, because a health gate fails."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import ConfigRefused
from confbus_publisher import ConfigManager, ReloadStatus
from support.managed import managed, threads, told, until
from support.said import Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus import Snapshot

GOOD: dict[str, Any] = {"pool": {"min": 1, "max": 5}, "other": {"n": 1}}
BAD: dict[str, Any] = {"pool": {"min": 9, "max": 5}, "other": {"n": 1}}
MENDED: dict[str, Any] = {"pool": {"min": 3, "max": 5}, "other": {"n": 1}}


def min_below_max(snapshot: Snapshot) -> None:
    if snapshot["pool.min"] > snapshot["pool.max"]:
        raise ValueError("min is above max")


def history(manager: ConfigManager) -> list[tuple[int, int]]:
    """Each version, and the version whose content it has, the oldest first."""
    return [(each.version, each.of) for each in reversed(manager.get_version_history())]


def test_a_rollback_makes_a_new_version_of_the_old_content() -> None:
    async def main() -> None:
        said = Said(GOOD)
        async with managed(said, author="ann") as manager:
            said.tree = BAD
            await manager.reload()

            result = await manager.rollback(message="too many connections")

            assert told(result) == ("rolled back", ["pool.min"])
            assert (result.version, result.errors, manager.snapshot) == (3, (), GOOD)
            assert history(manager) == [(1, 1), (2, 2), (3, 1)]
            assert manager.get_version_history()[0].message == "too many connections"
            assert manager.get_metrics().rollbacks == 1

    asyncio.run(main())


def test_what_was_rolled_back_does_not_come_back_with_a_reload() -> None:
    async def main() -> None:
        said = Said(GOOD)
        async with managed(said) as manager:
            said.tree = BAD
            await manager.reload()
            await manager.rollback()

            for _ in range(2):
                held = await manager.reload()
                assert held.status is ReloadStatus.HELD
                assert "pool" in held.errors[0]
            said.tree = {**BAD, "other": {"n": 2}}  # what else changes brings the bad section not back either
            assert (await manager.reload()).status is ReloadStatus.HELD
            assert manager.snapshot == GOOD

            said.tree = MENDED
            assert told(await manager.reload()) == ("success", ["pool.min"])

    asyncio.run(main())


def test_publishing_by_force_ends_the_hold() -> None:
    async def main() -> None:
        said = Said(GOOD)
        async with managed(said) as manager:
            said.tree = BAD
            await manager.reload()
            await manager.rollback()

            refused = await manager.publish()
            forced = await manager.publish("it was right", force=True)

            assert refused.status is ReloadStatus.FAILED
            assert "rolled back" in refused.errors[0]
            assert told(forced) == ("success", ["pool.min"])
            assert (await manager.reload()).status is ReloadStatus.NO_CHANGE
            assert (await manager.publish()).status is ReloadStatus.NO_CHANGE

    asyncio.run(main())


def test_a_second_rollback_goes_further_back_and_the_last_one_nowhere() -> None:
    async def main() -> None:
        said = Said({"n": 1})
        async with managed(said) as manager:
            for number in (2, 3):
                said.tree = {"n": number}
                await manager.reload()

            results = [await manager.rollback() for _ in range(3)]

            assert [told(result)[0] for result in results] == ["rolled back", "rolled back", "failed"]
            assert "no earlier accepted release" in results[-1].errors[0]
            assert history(manager) == [(1, 1), (2, 2), (3, 3), (4, 2), (5, 1)]

    asyncio.run(main())


@pytest.mark.parametrize(("steps", "number"), [(1, 2), (2, 1), (3, 3), (0, 3), (-1, 3)])
def test_steps_count_accepted_contents_and_too_many_change_nothing(steps: int, number: int) -> None:
    async def main() -> None:
        said = Said({"n": 1})
        async with managed(said) as manager:
            for each in (2, 3):
                said.tree = {"n": each}
                await manager.reload()

            result = await manager.rollback(steps=steps)

            assert manager.snapshot == {"n": number}
            assert result.status is (ReloadStatus.FAILED if number == 3 else ReloadStatus.ROLLED_BACK)

    asyncio.run(main())


def test_what_a_validator_refuses_is_never_read_and_rolled_back() -> None:
    async def main() -> None:
        said, read = Said(GOOD), [GOOD]
        async with managed(said, validators=[min_below_max]) as manager:
            manager.subscribe(lambda _changes: read.append(manager.snapshot))
            said.tree = BAD

            result = await manager.reload()

            assert told(result) == ("rolled back", [])
            assert result.errors[0] == "min_below_max: min is above max"
            assert history(manager) == [(1, 1), (2, 2), (3, 1)]
            assert manager.get_version_history()[0].message == "guard: min_below_max: min is above max"
            assert (await manager.reload()).status is ReloadStatus.HELD
            said.tree = MENDED
            assert (await manager.reload()).status is ReloadStatus.SUCCESS
            await until(lambda: read[-1] == MENDED)
            assert BAD not in read

    asyncio.run(main())


def test_a_validator_that_is_added_later_judges_from_the_next_version_on() -> None:
    async def main() -> None:
        said = Said(BAD)
        async with managed(said) as manager:
            manager.add_validator(min_below_max)
            assert (await manager.reload()).status is ReloadStatus.NO_CHANGE
            said.tree = {**BAD, "other": {"n": 2}}
            assert (await manager.reload()).status is ReloadStatus.ROLLED_BACK
            assert manager.snapshot == BAD

    asyncio.run(main())


def test_a_first_version_that_is_refused_is_no_start() -> None:
    async def main() -> None:
        with pytest.raises(ConfigRefused, match="min is above max"):
            async with managed(Said(BAD), validators=[min_below_max]):
                pass

    asyncio.run(main())


def test_what_is_published_by_hand_is_judged_too() -> None:
    async def main() -> None:
        said = Said(GOOD)
        async with managed(said) as manager:
            said.tree = BAD
            await manager.reload()
            await manager.rollback()
            manager.add_validator(min_below_max)

            result = await manager.publish(force=True)

            assert told(result) == ("rolled back", [])
            assert (history(manager)[-1], manager.snapshot) == ((5, 1), GOOD)
            assert (await manager.reload()).status is ReloadStatus.HELD

    asyncio.run(main())


def raising(_snapshot: Snapshot) -> None:
    raise ConnectionError("no answer")


def saying_no(_snapshot: Snapshot) -> bool:
    return False


async def awaiting(_snapshot: Snapshot) -> None:
    await asyncio.sleep(0)
    raise ConnectionError("no answer")


@pytest.mark.parametrize(
    ("gate", "reason"),
    [(raising, "raising: no answer"), (saying_no, "saying_no: it said no"), (awaiting, "awaiting: no answer")],
)
def test_a_version_that_fails_a_gate_is_rolled_back(gate: Callable[[Snapshot], object], reason: str) -> None:
    async def main() -> None:
        said = Said(GOOD)
        async with managed(said) as manager:
            manager.add_gate(gate)
            said.tree = MENDED

            result = await manager.reload()

            assert told(result) == ("rolled back", [])
            assert result.errors == (reason,)
            assert (history(manager), manager.snapshot) == ([(1, 1), (2, 2), (3, 1)], GOOD)

    asyncio.run(main())


def test_a_first_version_that_fails_a_gate_is_no_start_however_often() -> None:
    async def main() -> None:
        answers = [False, False, True]
        manager = ConfigManager(sources=[Said(GOOD)], watch_files=False, gates=[lambda _snapshot: answers.pop(0)])
        for _ in range(2):
            with pytest.raises(ConfigRefused, match="it said no"):
                await manager.start()
        await manager.start()
        await manager.stop()
        assert answers == []

    asyncio.run(main())


def test_a_gate_sees_what_is_in_force() -> None:
    async def main() -> None:
        said, seen = Said(GOOD), list[bool]()
        async with managed(said) as manager:
            manager.add_gate(lambda snapshot: seen.append(manager.snapshot is snapshot))
            said.tree = MENDED

            assert (await manager.reload()).status is ReloadStatus.SUCCESS
            assert seen == [True]

    asyncio.run(main())


def test_a_gate_that_hangs_has_its_version_and_the_next_rolled_back() -> None:
    answer = threading.Event()

    async def main() -> None:
        said = Said(GOOD)
        async with managed(said, gate_timeout_s=0.1) as manager:
            manager.add_gate(lambda _snapshot: answer.wait(30))
            said.tree = MENDED
            first = await manager.reload()
            said.tree = BAD
            second = await manager.reload()

            assert first.errors == ("a health gate gave no answer within 0.1 s",)
            assert second.errors == ("a health gate still hangs since an earlier release",)
            assert manager.snapshot == GOOD

            answer.set()
            await until(lambda: "confbus-errand-gates" not in threads())
            said.tree = {**MENDED, "pool": {"n": 1}}
            assert (await manager.reload()).status is ReloadStatus.SUCCESS

    asyncio.run(main())
