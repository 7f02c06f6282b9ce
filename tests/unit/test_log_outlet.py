"""What becomes of the lines of a log that nobody reads."""

from __future__ import annotations

import io
import logging
import os
from typing import TYPE_CHECKING, TextIO

import pytest

from confbus_publisher.log_outlet import Outlet

if TYPE_CHECKING:
    from collections.abc import Generator


class Pipe:
    """A pipe as a process has it that is started by another one, which may read it or not."""

    def __init__(self) -> None:
        self._reader, writer = os.pipe()
        os.set_blocking(self._reader, False)
        self.stream: TextIO = os.fdopen(writer, "w")
        self._outlet = Outlet(self.stream, patience_s=0.0)

    def log(self, text: str) -> None:
        self._outlet.emit(record(text))

    def read(self) -> list[str]:
        taken = b""
        while True:
            try:
                taken += os.read(self._reader, 1 << 16)
            except BlockingIOError:
                return taken.decode().splitlines()

    def close(self) -> None:
        os.close(self._reader)
        self.stream.close()


def record(text: str) -> logging.LogRecord:
    return logging.LogRecord("confbus.publisher", logging.WARNING, __file__, 1, text, (), None)


@pytest.fixture
def pipe() -> Generator[Pipe]:
    pipe = Pipe()
    yield pipe
    pipe.close()


def test_who_logs_goes_on_though_nobody_reads(pipe: Pipe) -> None:
    for number in range(1000):
        pipe.log(f"line {number} {'x' * 500}")

    lines = pipe.read()
    assert 50 < len(lines) < 200
    assert lines[0].startswith("line 0 ")


def test_whoever_reads_again_is_told_how_much_is_lost(pipe: Pipe) -> None:
    for number in range(1000):
        pipe.log(f"line {number} {'x' * 500}")
    before = [line for line in pipe.read() if line.endswith("x" * 500)]

    pipe.log("and on")

    told, line = pipe.read()[-2:]
    assert (told, line) == (f"{1000 - len(before)} lines of the log are lost: nobody read them", "and on")


def test_a_line_that_was_torn_spoils_no_other(pipe: Pipe) -> None:
    pipe.log("x" * 200_000)
    pipe.read()

    pipe.log("whole")

    assert pipe.read()[-1] == "whole"


def test_a_stream_in_memory_gets_every_line() -> None:
    stream = io.StringIO()

    Outlet(stream).emit(record("x" * 5000))

    assert stream.getvalue() == "x" * 5000 + "\n"
