"""The product's first minute: `confbus demo`. Real processes and a real server, gone without a trace at the end."""

from __future__ import annotations

import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError, Unreachable

if TYPE_CHECKING:
    from collections.abc import Generator
    from types import FrameType

    from confbus_publisher.demo.processes import Processes

__all__ = ["run"]


def run(*, stay: bool = False) -> int:
    """Tell the story on stdout, and with `stay` keep its fleet for the user to play with. Returns the exit code.

    0: all of it happened. 1: something did not, or not in time, or a process of the demo ended; stderr says what. 128
    and the number of a signal that ended it, but 0 for Ctrl-C after the story. Call it from the main thread.
    """
    from confbus_publisher.demo.processes import Processes

    try:
        with _interrupted_by_signals(), Processes() as processes:
            return _perform(processes, stay=stay)
    except KeyboardInterrupt as interrupt:
        number: int = interrupt.args[0]
        return 128 + number
    except ConfBusError as error:
        print(f"The demo broke off: {error}", file=sys.stderr)
        return 1


def _perform(processes: Processes, *, stay: bool) -> int:
    from confbus_publisher.demo.finale import go_on, say_goodbye
    from confbus_publisher.demo.screen import Screen
    from confbus_publisher.demo.shop import NAMESPACE
    from confbus_publisher.demo.stage import Stage
    from confbus_publisher.demo.story import Story
    from confbus_publisher.opening import Site

    screen = Screen(sys.stdout)
    with Site(processes.server.socket_url, NAMESPACE).ledger(patience_s=1) as ledger:
        stage = Stage(processes, ledger)
        try:
            Story(stage, screen).tell()
        except (Unreachable, FileNotFoundError):
            processes.listen(1)  # raises when that is because the server ended, which takes the shop's files along
            raise
    if not stay:
        say_goodbye(screen)
        return 0
    try:
        go_on(stage, screen)
    except KeyboardInterrupt as interrupt:
        if interrupt.args[0] != signal.SIGINT:
            raise
        return 0


@contextmanager
def _interrupted_by_signals() -> Generator[None]:
    """Whatever asks this process to end does it as Ctrl-C does, once: the clearing up is not interrupted again."""
    asked = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {number: handler for number in asked if (handler := signal.getsignal(number)) is not signal.SIG_IGN}

    def interrupt(number: int, _frame: FrameType | None) -> None:
        for each in before:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt(number)

    for number in before:
        signal.signal(number, interrupt)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
