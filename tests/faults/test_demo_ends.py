"""However the demo ends, and whichever of its processes is killed first: nothing of it is left."""

from __future__ import annotations

import os
import pty
from signal import SIGHUP, SIGINT, SIGKILL, SIGTERM, Signals

import pytest

from support.demo import Demo
from support.eventually import eventually
from support.processes import PROC, at_work_in

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="processes are counted in /proc, which is not here")


@pytest.mark.slow
@pytest.mark.parametrize("death", [SIGINT, SIGTERM, SIGHUP])
def test_a_signal_ends_it_with_all_its_processes(death: Signals) -> None:
    with Demo() as demo:
        demo.read_until("worker 4")
        pids = demo.pids()

        code = demo.end(death)

        assert code == 128 + death
        demo.assert_leaves_nothing(of=pids)


def test_its_processes_go_with_it_when_it_is_killed() -> None:
    with Demo() as demo:
        demo.read_until("worker 4")
        pids = demo.pids()

        demo.end(SIGKILL)

        demo.assert_leaves_nothing(of=pids)


@pytest.mark.slow
@pytest.mark.parametrize("line", ["server  ", "publisher  "])
def test_nothing_is_left_of_one_that_is_killed_while_it_starts(line: str) -> None:
    with Demo() as demo:
        demo.read_until(line)
        pids = demo.pids()

        demo.end(SIGKILL)

        demo.assert_leaves_nothing(of=pids)


@pytest.mark.slow
def test_nothing_is_left_of_one_that_is_killed_before_it_says_a_word() -> None:
    with Demo() as demo:
        eventually(lambda: at_work_in(demo.place))

        demo.end(SIGKILL)

        demo.assert_leaves_nothing()


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("server", marks=pytest.mark.slow),
        pytest.param("publisher", marks=pytest.mark.slow),
        "worker 3",
    ],
)
def test_it_says_which_of_its_processes_was_killed_and_gives_up(name: str) -> None:
    with Demo(stay=True) as demo:
        demo.read_until("worker 4")
        pids, victim = demo.pids(), demo.pid(name)

        os.kill(victim, SIGKILL)
        code, errors = demo.finish()

        assert code == 1
        assert f"{name} (pid {victim})" in errors.lower()
        demo.assert_leaves_nothing(of=pids)


@pytest.mark.slow
@pytest.mark.parametrize("which", range(3))
def test_it_clears_up_as_well_without_one_of_the_servers_supervisors(which: int) -> None:
    with Demo(stay=True) as demo:
        demo.read_until("worker 4")
        pids, supervisors = demo.pids(), sorted(demo.supervisors())
        assert len(supervisors) == 3

        os.kill(supervisors[which], SIGKILL)
        demo.end(SIGKILL)

        demo.assert_leaves_nothing(of=pids)


@pytest.mark.slow
def test_ctrl_c_in_its_terminal_ends_it() -> None:
    mine, its = pty.openpty()
    with Demo(terminal=its) as demo:
        os.close(its)
        _read_until(mine, b"worker 4")

        os.write(mine, b"\x03")

        assert demo.finish()[0] == 128 + SIGINT
        demo.assert_leaves_nothing()
    os.close(mine)


@pytest.mark.slow
def test_it_ends_when_its_terminal_hangs_up() -> None:
    mine, its = pty.openpty()
    with Demo(terminal=its) as demo:
        os.close(its)
        _read_until(mine, b"worker 4")

        os.close(mine)

        assert demo.finish()[0] == 128 + SIGHUP
        demo.assert_leaves_nothing()


def _read_until(terminal: int, text: bytes) -> None:
    said = b""
    while text not in said:
        said += os.read(terminal, 4096)
