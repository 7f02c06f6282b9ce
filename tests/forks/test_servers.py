"""Real servers with several workers, none of which serves anybody: each follows by itself, in a process of its own."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterable

    from support.bus import Bus
    from support.family import Family

PROGRAMS = Path(__file__).parent / "programs"
BIN = Path(sys.executable).parent
GUNICORN = [
    "-m",
    "gunicorn",
    "--workers",
    "2",
    "--bind",
    "unix:server.sock",
    "--no-control-socket",
    "served:application",
]
UWSGI = [
    *("-c", "import pyuwsgi; pyuwsgi.run()", "--die-on-term", "--need-app", "--master", "--processes", "2"),
    *("--http-socket", "127.0.0.1:0", "--module", "served"),
]
CELERY = ["-m", "celery", "--app", "served:tasks", "worker", "--pool", "prefork", "--concurrency", "2"]
UVICORN = ["-m", "uvicorn", "--workers", "2", "--uds", "server.sock", "served:on_asgi"]

# The words of each server, and how many of its processes follow.
SERVERS = {
    "gunicorn": (GUNICORN, 2),
    "gunicorn --preload": ([*GUNICORN, "--preload"], 3),
    "uwsgi": ([*UWSGI, "--enable-threads", "--py-call-uwsgi-fork-hooks"], 3),
    "uwsgi with threads": ([*UWSGI, "--threads", "2", "--py-call-uwsgi-fork-hooks"], 3),
    "uwsgi --lazy-apps": ([*UWSGI, "--enable-threads", "--lazy-apps"], 2),
    "celery": (CELERY, 3),
    "uvicorn": (UVICORN, 2),
}


def some_of(programs: Iterable[str], *most_telling: str) -> list[str]:
    """All of them at full size."""
    return list(programs)[: scaled(test=0, soak=100)] or list(most_telling)


def need(program: str) -> None:
    module = {"uwsgi": "pyuwsgi"}.get(program.split(maxsplit=1)[0], program.split(maxsplit=1)[0])
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed: it has no wheel for this platform")


@pytest.mark.slow
@pytest.mark.parametrize("program", some_of(SERVERS, "gunicorn --preload", "uwsgi"))
def test_every_worker_of_a_server_follows(bus: Bus, family: Family, program: str) -> None:
    need(program)
    command, count = SERVERS[program]
    parent = family.start(sys.executable, *command, env={"PYTHONPATH": str(PROGRAMS)}).pid
    instances = family.agree(count)
    connections = family.connections()

    for number in (2, 3):
        bus.publish(number)
        family.told_all(instances, number)
        assert family.agree(count) == instances

    if parent in instances:
        assert family.connections()[instances[parent]] == connections[instances[parent]]


LAZY = {
    "gunicorn --preload": [*GUNICORN, "--preload"],
    "uwsgi": [*UWSGI, "--enable-threads"],
    "uwsgi with threads": [*UWSGI, "--threads", "2"],
    "uwsgi --py-call-osafterfork": [*UWSGI, "--enable-threads", "--py-call-osafterfork"],
    "celery": CELERY,
}


@pytest.mark.slow
@pytest.mark.parametrize("program", some_of(LAZY, "uwsgi", "celery"))
def test_a_lazy_master_connects_nothing_and_its_workers_do(bus: Bus, family: Family, program: str) -> None:
    need(program)
    parent = family.start(sys.executable, *LAZY[program], env={"PYTHONPATH": str(PROGRAMS), "BUS_LAZY": "1"}).pid
    instances = family.agree(2)

    bus.publish(2)

    family.told_all(instances, 2)
    assert family.agree(2) == instances
    assert parent not in instances
