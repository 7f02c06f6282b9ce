"""confbus in a Celery worker: a task reads one version, the next one the newest."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest
from celery import Celery
from celery.contrib.testing import worker as workers
from celery.signals import worker_process_shutdown

import confbus
from confbus.contrib.celery import pin_tasks
from confbus_publisher.opening import Site
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Generator

    from support.releases import Releases


@pytest.fixture
def config(releases: Releases) -> Generator[confbus.Subscriber]:
    with confbus.connect(releases.url, namespace=releases.namespace) as subscriber:
        yield subscriber


@pytest.fixture(autouse=True)
def logging_as_before() -> Generator[None]:
    """A worker of Celery's sets the level of the root logger, and leaves it so."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers.copy()
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


def worker(app: Celery) -> Any:
    """A worker in a thread of this process, as a context manager."""
    untyped: Any = workers
    return untyped.start_worker(app, pool="solo", perform_ping_check=False)


@pytest.fixture
def pool() -> Generator[Celery]:
    """An application with a broker in memory, and a worker for it in a thread."""
    app = Celery("shop", broker="memory://", backend="cache+memory://", set_as_current=False)
    app.conf.update(worker_hijack_root_logger=False, broker_transport_options={"polling_interval": 0.01})
    yield app
    app.close()


def reading(app: Celery, config: confbus.Subscriber, releases: Releases) -> Any:
    """A task in the middle of which a release arrives."""

    def read(*, fails: bool) -> list[int]:
        before: int = config["web.number"]
        config.wait_for(version=releases.publish(web={"number": before + 1}))
        if fails:
            raise ValueError("on purpose")
        return [before, config["web.number"], config.snapshot.version]

    untyped: Any = app
    return untyped.task(name=f"read-{config.namespace}")(read)


@pytest.mark.slow
def test_a_task_reads_one_version_while_a_release_passes(
    pool: Celery, releases: Releases, config: confbus.Subscriber
) -> None:
    task = reading(pool, config, releases)

    stop = pin_tasks(config)
    with worker(pool):
        first = task.delay(fails=False).get(timeout=20, interval=0.01)
        with pytest.raises(ValueError, match="on purpose"):
            task.delay(fails=True).get(timeout=20, interval=0.01)
        third = task.delay(fails=False).get(timeout=20, interval=0.01)
        stop()
        unpinned = task.delay(fails=False).get(timeout=20, interval=0.01)

    assert (first, third, unpinned) == ([1, 1, 1], [3, 3, 3], [4, 5, 5])


def test_a_process_of_the_pool_leaves_the_fleet_before_it_ends(config: confbus.Subscriber, releases: Releases) -> None:
    signal: Any = worker_process_shutdown
    stop = pin_tasks(config)

    with Site(releases.url, releases.namespace).ledger() as ledger:
        eventually(ledger.store.fleet)
        signal.send(sender=None, pid=1, exitcode=0)

        assert not ledger.store.fleet()
    stop()
    assert config["web.number"] == 1
