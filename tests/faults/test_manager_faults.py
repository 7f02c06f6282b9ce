"""Bad days of a configuration manager: what its sources, its callbacks and its users do to it."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from confbus_publisher import ConfigManager, FileConfigSource, ReloadStatus
from support.eventually import eventually
from support.managed import managed, threads, told, until
from support.said import Said

if TYPE_CHECKING:
    from pathlib import Path

    from confbus import Change, Snapshot

BAD_TEXTS = {
    "half written": b"database: {host: db-2, po",
    "empty": b"",
    "no mapping": b"- 1\n- 2\n",
    "no text": b"\xff\xfe\x00",
    "a duplicate key": b"a: 1\na: 2\n",
    "an alias bomb": b"a: &a [x]\n"
    + b"".join(b"%c: &%c [*%c,*%c]\n" % (98 + n, 98 + n, 97 + n, 97 + n) for n in range(22)),
}
BAD_VALUES: dict[str, Any] = {"a list": [1], "nothing": None, "a set": {"a": {1}}, "a clash": {"other": "no mapping"}}


@pytest.mark.parametrize("case", BAD_TEXTS)
def test_a_bad_file_changes_nothing_and_a_mended_one_is_taken(case: str, tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text("database: {host: db-1}")

    async def main() -> None:
        async with managed(FileConfigSource(file), watch_files=True, check_interval_s=0.02) as manager:
            file.write_bytes(BAD_TEXTS[case])
            await until(lambda: manager.get_metrics().failed_reloads == 1)
            assert manager.snapshot == {"database": {"host": "db-1"}}
            file.write_text("database: {host: db-2}")
            await until(lambda: manager.snapshot == {"database": {"host": "db-2"}})
            assert manager.get_metrics().failing_sources_count == 0

    asyncio.run(main())


@pytest.mark.parametrize("case", BAD_VALUES)
def test_nonsense_of_one_source_changes_nothing_and_stops_no_other(case: str) -> None:
    async def main() -> None:
        said, other = Said({"a": 1}), Said({"other": {"n": 1}}, name="other")
        async with managed(said, other) as manager:
            said.tree = BAD_VALUES[case]

            result = await manager.reload()

            assert result.status in {ReloadStatus.FAILED, ReloadStatus.VALIDATION_FAILED}
            assert len(result.errors) == 1
            assert manager.snapshot == {"a": 1, "other": {"n": 1}}
            said.tree = {"a": 2}
            assert told(await manager.reload()) == ("success", ["a"])

    asyncio.run(main())


@pytest.mark.parametrize("is_blocking", [False, True])
def test_a_source_that_hangs_stops_no_other(is_blocking: bool) -> None:
    answer = threading.Event()

    async def main() -> None:
        said, other = Said({"a": 1}), Said({"b": 1}, name="other")
        said.timeout_s = 0.2
        async with managed(said, other, watch_files=True, check_interval_s=0.01) as manager:
            said.hangs, said.gate = not is_blocking, answer if is_blocking else None
            for number in range(2, 5):
                other.tree = {"b": number}
                await until(lambda: manager.snapshot == {**said.tree, **other.tree})
            await until(lambda: manager.get_metrics().failing_sources_count == 1)

            said.hangs, said.gate, said.tree = False, None, {"a": 2}
            answer.set()
            await until(lambda: manager.snapshot == {"a": 2, "b": 4})

    asyncio.run(main())


def test_event_loops_run_on_while_a_source_is_waited_for() -> None:
    async def main() -> None:
        said = Said({"a": 1})
        async with managed(said) as manager:
            said.gate = threading.Event()
            reload = asyncio.ensure_future(manager.reload())

            await until(lambda: said.loads == 2)

            assert await manager.get_config("a") == 1
            assert not reload.done()
            assert len(manager.get_version_history()) == 1
            said.gate.set()
            assert (await reload).status is ReloadStatus.NO_CHANGE

    asyncio.run(main())


def test_fifty_reloads_at_once_are_few() -> None:
    async def main() -> None:
        said = Said({"a": 1})
        async with managed(said) as manager:
            said.gate = threading.Event()
            first = asyncio.ensure_future(manager.reload())
            await until(lambda: said.loads == 2)
            others = [asyncio.ensure_future(manager.reload()) for _ in range(50)]
            await asyncio.sleep(0)
            said.tree = {"a": 2}
            said.gate.set()

            results = await asyncio.gather(first, *others)

            assert said.loads == 3
            assert {told(result)[0] for result in results} == {"success", "no change"}
            assert manager.snapshot == {"a": 2}

    asyncio.run(main())


def test_reloads_from_many_threads_all_get_an_answer() -> None:
    async def main() -> ConfigManager:
        manager = ConfigManager(watch_files=False)
        await manager.add_source(Said({"a": 1}))
        await manager.start()
        return manager

    manager = asyncio.run(main())

    with ThreadPoolExecutor(8) as pool:
        answers = [pool.submit(lambda: asyncio.run(manager.reload())) for _ in range(50)]
        results = [answer.result() for answer in answers]

    assert {result.status for result in results} == {ReloadStatus.NO_CHANGE}
    asyncio.run(manager.stop())


def test_whoever_stops_waiting_stops_nobody_else() -> None:
    async def main() -> None:
        said = Said({"a": 1})
        async with managed(said) as manager:
            said.tree, said.gate = {"a": 2}, threading.Event()
            impatient, patient = asyncio.ensure_future(manager.reload()), asyncio.ensure_future(manager.reload())
            await until(lambda: said.loads == 2)

            impatient.cancel()
            said.gate.set()

            await patient
            assert manager.snapshot == {"a": 2}
            assert impatient.cancelled()

    asyncio.run(main())


def test_stopping_while_a_reload_runs_finishes_it_and_refuses_those_that_wait() -> None:
    async def main() -> None:
        said = Said({"a": 1})
        async with managed(said) as manager:
            said.tree, said.gate = {"a": 2}, threading.Event()
            running = asyncio.ensure_future(manager.reload())
            await until(lambda: said.loads == 2)
            waiting = asyncio.ensure_future(manager.rollback())
            await asyncio.sleep(0)
            stopping = asyncio.ensure_future(manager.stop())
            await asyncio.sleep(0)

            said.gate.set()
            await stopping

            assert (await running).status is ReloadStatus.SUCCESS
            assert (await waiting).status is ReloadStatus.FAILED
            assert manager.snapshot == {"a": 2}

    asyncio.run(main())
    eventually(lambda: not threads(), describe=threads)


def test_a_callback_that_raises_or_hangs_keeps_nobody_from_hearing() -> None:
    async def main() -> None:
        heard: list[str] = []
        is_over = threading.Event()
        said = Said({"n": 0})

        def raise_always(_changes: list[Change]) -> None:
            raise SystemExit

        async def raise_too(_changes: list[Change]) -> None:
            raise ValueError

        async with managed(said) as manager:
            manager.subscribe(raise_always)
            manager.subscribe(raise_too)
            manager.subscribe(lambda _changes: is_over.wait(30))
            manager.subscribe(lambda changes: heard.extend(change.path for change in changes))
            for number in range(1, 4):
                said.tree = {"n": number}
                assert (await manager.reload()).status is ReloadStatus.SUCCESS
                await until(lambda: len(heard) == said.tree["n"])
            is_over.set()

    asyncio.run(main())


def test_a_callback_on_a_loop_that_is_gone_is_not_called_and_holds_nobody_up() -> None:
    said, heard = Said({"n": 0}), list[int]()

    async def callback(changes: list[Change]) -> None:
        heard.append(len(changes))

    async def begin() -> ConfigManager:
        manager = ConfigManager(watch_files=False)
        await manager.add_source(said)
        await manager.start()
        manager.subscribe(callback)
        return manager

    async def go_on(manager: ConfigManager) -> None:
        others: list[int] = []
        manager.subscribe(lambda changes: others.append(len(changes)))
        said.tree = {"n": 1}
        await manager.reload()
        await until(lambda: others == [1])
        await manager.stop()

    asyncio.run(go_on(asyncio.run(begin())))

    assert heard == []


def test_a_validator_that_ends_the_program_only_refuses() -> None:
    async def main() -> None:
        def leave(_snapshot: Snapshot) -> None:
            raise SystemExit(1)

        said = Said({"n": 0})
        async with managed(said) as manager:
            manager.add_validator(leave)
            said.tree = {"n": 1}

            assert (await manager.reload()).status is ReloadStatus.ROLLED_BACK
            assert manager.snapshot == {"n": 0}

    asyncio.run(main())
