"""Where many processes are scraped as one: each shows itself for as long as it lives, however it ends."""

from __future__ import annotations

import math
import os
import signal
import struct
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
from prometheus_client.multiprocess import MultiProcessCollector

from confbus.metrics import child_exit
from support.eventually import eventually
from support.releases import Releases

if TYPE_CHECKING:
    from collections.abc import Generator

    from prometheus_client.metrics_core import Metric

PROGRAM = Path(__file__).parent / "programs" / "metered.py"

ONE_AFTER_THE_OTHER = """
import confbus, gc
from confbus.metrics import observe
from confbus.testing import Bus
from prometheus_client import CollectorRegistry, values

with Bus({"web": {"port": 80}}) as bus:
    for port in (81, 82):
        config = bus.connect()
        observe(config)
        observe(config, CollectorRegistry())
        bus.set("web.port", port)
        config.close()
        print(sum(isinstance(each, values.ValueClass) for each in gc.get_objects()))
"""

MANAGER = """
import asyncio
from confbus_publisher import function_source, initialize_config_manager
from confbus_publisher.metrics import guide_metrics
from prometheus_client import REGISTRY

async def main():
    source = function_source(lambda: {"web": {"port": 80}}, name="said")
    manager = await initialize_config_manager([source], metrics=REGISTRY, check_interval_s=0.05)
    guide_metrics()
    copied = asyncio.Event()
    manager.measure().copies += (lambda loop=asyncio.get_running_loop(): loop.call_soon_threadsafe(copied.set),)
    await copied.wait()

asyncio.run(main())
"""


def scraped(folder: Path, metric: str, *, by: str = "pid") -> dict[str, float]:
    """What the processes show together of one metric, by a label."""
    try:
        families: list[Metric] = list(cast("Any", MultiProcessCollector(None, str(folder))).collect())
    except struct.error as error:  # prometheus-client found a file that it was making in another process just now
        raise AssertionError("a file is empty yet") from error
    samples = (sample for family in families for sample in family.samples)
    named = (sample for sample in samples if sample.name in {metric, f"confbus_subscriber_{metric}"})
    return {sample.labels.get(by, ""): sample.value for sample in named}


@contextmanager
def master(releases: Releases, folder: Path, *, workers: int) -> Generator[list[str]]:
    """The numbers of a master and its workers, of which any may be killed."""
    process = subprocess.Popen(
        [sys.executable, str(PROGRAM), releases.url, releases.namespace, str(workers)],
        env={**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout
        yield [str(process.pid), *(process.stdout.readline().strip() for _ in range(workers))]


@pytest.mark.slow
def test_a_worker_that_is_killed_leaves_no_gauge_behind_and_all_that_it_counted(
    redis_url: str, namespace: str, tmp_path: Path
) -> None:
    with Releases(redis_url, namespace) as releases:
        releases.publish(web={"number": 1})
        with master(releases, tmp_path, workers=2) as pids:
            eventually(lambda: scraped(tmp_path, "version") == dict.fromkeys(pids, 1))
            releases.publish(web={"number": 2})
            eventually(lambda: scraped(tmp_path, "version") == dict.fromkeys(pids, 2))
            eventually(lambda: scraped(tmp_path, "applies_total") == {"": 4})

            os.kill(int(pids[1]), signal.SIGKILL)
            eventually(lambda: pids[1] not in scraped(tmp_path, "version"))
            releases.publish(web={"number": 3})

            left = [pids[0], pids[2]]
            eventually(lambda: scraped(tmp_path, "version") == dict.fromkeys(left, 3))
            eventually(lambda: scraped(tmp_path, "connected") == dict.fromkeys(left, 1))
            eventually(lambda: scraped(tmp_path, "applies_total") == {"": 6})
            eventually(lambda: scraped(tmp_path, "apply_duration_seconds_count") == {"": 5})


def test_a_closed_subscriber_shows_nothing_to_other_processes_and_the_next_one_counts_on(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    command = [sys.executable, "-c", ONE_AFTER_THE_OTHER]
    run = subprocess.run(command, env=environment, timeout=60, check=True, capture_output=True, text=True)

    first, second = run.stdout.splitlines()
    assert first == second, "what is closed is kept"
    assert [math.isnan(value) for value in scraped(tmp_path, "version").values()] == [True]
    assert all(math.isnan(value) for value in scraped(tmp_path, "state", by="state").values())
    assert scraped(tmp_path, "applies_total") == {"": 4}
    assert scraped(tmp_path, "apply_duration_seconds_count") == {"": 2}


def test_a_manager_shows_itself_to_other_processes_by_its_own_names_and_by_those_of_the_guide(tmp_path: Path) -> None:
    environment = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    subprocess.run([sys.executable, "-c", MANAGER], env=environment, timeout=60, check=True)

    assert list(scraped(tmp_path, "confbus_version").values()) == [1]
    assert scraped(tmp_path, "confbus_publishes_total", by="outcome")["published"] == 1
    assert scraped(tmp_path, "config_reloads_total", by="status")["success"] == 1
    assert scraped(tmp_path, "config_reload_duration_seconds_count") == {"": 1}
    assert list(scraped(tmp_path, "config_sources_healthy").values()) == [1]


def test_gunicorn_may_say_that_a_worker_is_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for name in ("gauge_liveall_17.db", "gauge_liveall_18.db", "counter_17.db"):
        (tmp_path / name).touch()

    child_exit(None, SimpleNamespace(pid=17))

    assert {file.name for file in tmp_path.iterdir()} == {"gauge_liveall_18.db", "counter_17.db"}
