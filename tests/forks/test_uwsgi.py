"""uWSGI, which forks without Python's hooks and has ideas of its own about threads."""

from __future__ import annotations

import re
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.request import urlopen

import pytest

from support.eventually import eventually

if TYPE_CHECKING:
    from support.bus import Bus
    from support.family import Family

ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parent / "programs"), "BUS_LAZY": "1"}


def start(family: Family, module: str, *options: str) -> None:
    if find_spec("pyuwsgi") is None:
        pytest.skip("pyuwsgi is not installed: it has no wheel for this platform")
    words = ("--die-on-term", "--need-app", "--master", "--processes", "2", "--http-socket", "127.0.0.1:0")
    program = ("-c", "import pyuwsgi; pyuwsgi.run()", *words, "--module", module, *options)
    family.start(sys.executable, *program, env=ENVIRONMENT)


@pytest.mark.slow
def test_functions_of_others_are_called_in_each_worker_as_before(bus: Bus, family: Family) -> None:
    start(family, "decorated", "--enable-threads")
    workers = family.agree(2)

    bus.publish(2)

    family.told_all(workers, 2)
    assert {file.name for file in family.place.glob("*.marked-*")} == {f"{pid}.marked-{pid}" for pid in workers}
    assert "enable-threads" not in family.errors


@pytest.mark.slow
def test_without_threads_it_is_said_once_and_requests_see_what_is_new(bus: Bus, family: Family) -> None:
    start(family, "served")
    addresses: list[str] = eventually(lambda: re.findall(r"bound to TCP address (\S+)", family.errors))
    eventually(lambda: "spawned uWSGI worker 2" in family.errors)
    assert _get(addresses[0]) == 1

    bus.publish(2)

    eventually(lambda: _get(addresses[0]) == 2)
    assert family.errors.count("start it with --enable-threads") == 1


def _get(address: str) -> int:
    with urlopen(f"http://{address}/", timeout=30) as answer:
        return int(answer.read().split()[1])
