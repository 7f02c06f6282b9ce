"""The command line. One module for each command; this one only makes sure that there is something to run."""

from __future__ import annotations

import importlib.util
import os
import sys


def main() -> None:
    """Run what `sys.argv` says, and leave with its exit code."""
    _open_what_is_closed()
    if importlib.util.find_spec("click") is None:
        sys.exit("confbus: the command line is not installed. Run: pip install 'confbus[publisher]'")
    from confbus_publisher.cli.program import program

    program.main(prog_name="confbus")


def _open_what_is_closed() -> None:
    """Lead the streams that whoever started this process closed to nowhere, before a connection gets their numbers."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            nowhere = os.open(os.devnull, os.O_RDWR)  # the lowest number that is free: that of the stream
            setattr(sys, name, os.fdopen(nowhere, mode, errors="replace"))
