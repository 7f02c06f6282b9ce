"""Processes that end while they write the last known good, or write it together: what is there is always whole."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from support.scale import scaled

if TYPE_CHECKING:
    from pathlib import Path

COMMON = """
import os, signal, sys
from confbus.fallback import Fallback, LastGood
from confbus.wire import head as heads
from confbus.wire.record import replace
from support.places import encoded

PATH, ROUNDS = sys.argv[1], int(sys.argv[2])
CONTENT = encoded({"a": {"text": "x" * 100_000}})
FIRST = heads.first(version=1, digest=CONTENT.manifest.digest, merged="")

def write(fallback, revision):
    fallback.keep(LastGood(replace(FIRST, revision=revision), CONTENT.manifest, CONTENT.blobs, 0))
    fallback.flush()
    assert not fallback.error, fallback.error
"""

KILLED = (
    COMMON
    + """
write(Fallback(PATH, "shop"), 1)
step, before, status = 0, 1, signal.SIGKILL
while status == signal.SIGKILL:
    step += 1
    child = os.fork()
    if child == 0:
        left = step
        def die_in_time(frame, event, what):
            global left
            if event == "c_call":
                left -= 1
                if not left:
                    os.kill(os.getpid(), signal.SIGKILL)
        fallback = Fallback(PATH, "shop")
        fallback._thread.acquire()  # it is written here, and not in a thread that nobody looks into
        sys.setprofile(die_in_time)
        write(fallback, 1 + step)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    after = Fallback(PATH, "shop").load().head.revision
    assert after in {before, 1 + step}, (before, after, step)
    before = after
    for name in os.listdir(os.path.dirname(PATH)):
        if name.endswith(".new"):  # or each writer would have more to do than the last
            os.unlink(os.path.join(os.path.dirname(PATH), name))
print("whole" if status == 0 and step > ROUNDS else (status, step))
"""
)

TOGETHER = (
    COMMON
    + """
write(Fallback(PATH, "shop"), 1)
children = []
for first in (2, 3):
    child = os.fork()
    if child == 0:
        fallback = Fallback(PATH, "shop")
        for revision in range(first, first + 2 * ROUNDS, 2):
            write(fallback, revision)
        os._exit(0)
    children.append(child)
while children:
    assert Fallback(PATH, "shop").load().head.revision >= 1
    ended, status = os.waitpid(children[0], os.WNOHANG)
    if ended:
        assert status == 0
        children.pop(0)
print("whole")
"""
)


def run(program: str, path: Path, rounds: int) -> str:
    done = subprocess.run(
        [sys.executable, "-c", program, str(path), str(rounds)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return done.stdout + done.stderr


@pytest.mark.slow
def test_what_is_on_disk_is_whole_and_not_older_wherever_its_writer_is_killed(tmp_path: Path) -> None:
    """Before each call into C, one after the other, till a writer comes to its end."""
    path = tmp_path / "good"

    assert run(KILLED, path, 20) == "whole\n"


def test_what_killed_writers_left_is_removed_by_a_later_one(tmp_path: Path) -> None:
    path = tmp_path / "good"
    left = tmp_path / ".good.0123abcd.new"
    left.write_bytes(b"half")
    os.utime(left, (time.time() - 7200, time.time() - 7200))
    fresh = tmp_path / ".good.4567abcd.new"
    fresh.write_bytes(b"another process is writing this one")

    assert run(TOGETHER, path, 1) == "whole\n"

    assert not left.exists()
    assert fresh.exists()


def test_processes_that_write_one_file_together_leave_it_whole_at_every_moment(tmp_path: Path) -> None:
    path = tmp_path / "good"

    assert run(TOGETHER, path, scaled(test=30, soak=1000)) == "whole\n"

    assert [each.name for each in tmp_path.iterdir()] == ["good"]
