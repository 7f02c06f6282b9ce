"""Children that Python's own libraries make: of multiprocessing, and the many that only become another program."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from support.eventually import eventually
from support.scale import scaled

if TYPE_CHECKING:
    from pathlib import Path

    from support.bus import Bus
    from support.family import Family

MODULE = """
import multiprocessing, os, sys
from pathlib import Path
import confbus

def told(changes):
    new = Path(os.environ["BUS_PLACE"], f"{os.getpid()}.new")
    new.write_text(str(config["number"]))
    new.rename(new.with_suffix(""))

config = confbus.Subscriber(
    os.environ["BUS_URL"], namespace=os.environ["BUS_NAMESPACE"], timing=confbus.Timing(poll_s=0.3, report_s=1.0)
)
config.subscribe(told)
config.start()

def work():
    sys.stdin = os.fdopen(0)
    sys.stdin.read()

if __name__ == "__main__":
    context = multiprocessing.get_context(sys.argv[1])
    for _ in range(2):
        context.Process(target=work, daemon=True).start()
    sys.stdin.read()
"""

STORM = """
import asyncio
try:
    import uvloop
    run = uvloop.run
except ImportError:
    run = asyncio.run

config = connect()

async def storm():
    for _ in range({rounds}):
        ends = [await asyncio.create_subprocess_exec("true") for _ in range(10)]
        assert await asyncio.gather(*(end.wait() for end in ends)) == [0] * 10

run(storm())
print("over", flush=True)
rest()
"""


@pytest.mark.slow
@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_multiprocessing_follow(bus: Bus, family: Family, tmp_path: Path, method: str) -> None:
    module = tmp_path / "following.py"
    module.write_text(MODULE)
    family.start(sys.executable, str(module), method)
    instances = family.agree(3)

    bus.publish(2)

    family.told_all(instances, 2)
    assert family.agree(3) == instances
    assert family.errors == ""


@pytest.mark.slow
def test_a_storm_of_subprocesses_connects_nothing_and_disturbs_nobody(bus: Bus, family: Family) -> None:
    pytest.importorskip("uvloop", reason="uvloop is not installed: it has no wheel for this platform")
    process = family.run(STORM.format(rounds=scaled(test=5, soak=20)))
    instances = family.agree(1)
    assert process.stdout
    before = family.connections()

    for number in range(2, 12):
        bus.publish(number)
        assert family.connections() == before
        family.told_all(instances, number)
    assert process.stdout.readline() == "over\n"
    bus.publish(12)

    family.told_all(instances, 12)
    assert family.agree(1) == instances
    eventually(lambda: family.connections() == before, describe=family.connections)
    assert family.errors == ""
