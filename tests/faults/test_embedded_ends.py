"""Whatever dies first, and however: of an embedded server nothing is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from confbus_publisher import embedded
from confbus_publisher.embedded.identity import pid_at
from support.eventually import eventually
from support.owner import Owner
from support.processes import PROC, group

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.skipif(not PROC.is_dir(), reason="processes are counted in /proc, which is not here")

FORKING_OWNER = """
import os, sys
from confbus_publisher import embedded
from confbus_publisher.embedded.identity import pid_at

with embedded.start() as server:
    if os.fork() == 0:
        sys.exit(0)
    os.wait()
    print("alive" if pid_at(server.url) == server.pid else "gone")
"""


@pytest.fixture
def owner() -> Iterator[Owner]:
    with Owner() as owner:
        yield owner.ready()


def assert_is_gone(number: int) -> None:
    """No process of the group is left; one that has let go of everything may take a moment yet to be seen dead."""
    eventually(lambda: not group(number), describe=lambda: group(number))


def assert_nothing_is_left(of: int, home: Path) -> None:
    assert_is_gone(of)
    assert not home.exists()


def test_the_server_goes_with_an_owner_that_ends_without_a_word(owner: Owner) -> None:
    number, home = owner.group, owner.home

    owner.finish()

    assert_nothing_is_left(number, home)


@pytest.mark.parametrize(
    "death",
    [
        signal.SIGKILL,
        signal.SIGTERM,
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_the_server_goes_with_an_owner_that_is_killed(owner: Owner, death: signal.Signals) -> None:
    number, home = owner.group, owner.home

    owner.signal(death)

    assert_nothing_is_left(number, home)


@pytest.mark.parametrize("which", [pytest.param(0, marks=pytest.mark.slow), 1, 2])
def test_the_server_goes_with_its_owner_when_a_supervisor_was_killed_before(owner: Owner, which: int) -> None:
    number, home = owner.group, owner.home
    supervisors = sorted(group(number) - {owner.server_pid})
    assert len(supervisors) == 3

    os.kill(supervisors[which], signal.SIGKILL)
    eventually(lambda: supervisors[which] not in group(number))
    assert pid_at(owner.url) == owner.server_pid
    owner.signal(signal.SIGKILL)

    assert_nothing_is_left(number, home)


@pytest.mark.parametrize("which", range(3))
def test_stop_ends_everything_when_a_supervisor_was_killed_before(which: int) -> None:
    server = embedded.start()
    number = os.getpgid(server.pid)

    os.kill(sorted(group(number) - {server.pid})[which], signal.SIGKILL)
    server.stop()

    assert_is_gone(number)


def test_nothing_is_left_of_a_server_that_is_killed_while_its_owner_lives(owner: Owner) -> None:
    number, home = owner.group, owner.home

    os.kill(owner.server_pid, signal.SIGKILL)

    assert_nothing_is_left(number, home)


def test_when_stop_returns_nothing_is_left() -> None:
    server = embedded.start()
    number = os.getpgid(server.pid)

    server.stop()

    assert_is_gone(number)
    assert pid_at(server.url) is None
    server.stop()


def test_ctrl_c_is_for_the_owner_and_does_not_reach_the_server() -> None:
    with embedded.start() as server:
        assert os.getsid(server.pid) != os.getsid(0)


def test_a_forked_child_that_ends_leaves_the_server_alone() -> None:
    run = subprocess.run([sys.executable, "-c", FORKING_OWNER], capture_output=True, text=True, check=True)

    assert run.stdout == "alive\n"


def test_stop_ends_a_server_that_hangs() -> None:
    server = embedded.start()
    number = os.getpgid(server.pid)

    os.kill(server.pid, signal.SIGSTOP)
    server.stop()

    assert_is_gone(number)
