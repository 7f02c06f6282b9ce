"""From a fresh interpreter to an answer of the command line, beside the import of click alone."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from bench.cold_start import starter
from bench.rounds import Row, interleave, rows

if TYPE_CHECKING:
    from collections.abc import Iterator

_RUN = "from confbus_publisher.cli import main; main()"


def run() -> Iterator[Row]:
    """Milliseconds of the process's whole life; the modules are compiled."""
    with tempfile.TemporaryDirectory() as folder:
        version = "confbus --version"
        contestants = {
            "import click": starter("import click", compiled=folder),
            version: starter(_RUN, "--version", compiled=folder),
            "confbus --help": starter(_RUN, "--help", compiled=folder),
            "confbus status --help": starter(_RUN, "status", "--help", compiled=folder),
        }
        yield from rows(interleave(contestants, 21), unit="ms", targets={version: "aim: 1.5"})
