"""The command line. One module for each command; this one only makes sure that there is something to run."""

from __future__ import annotations

import importlib.util
import sys


def main() -> None:
    """Run what `sys.argv` says, and leave with its exit code."""
    if importlib.util.find_spec("click") is None:
        sys.exit("confbus: the command line is not installed. Run: pip install 'confbus[publisher]'")
    from confbus_publisher.cli.program import program

    program.main(prog_name="confbus")
