"""`confbus export`: a namespace into a file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from confbus.errors import ConfBusError
from confbus_publisher.cli import outcome
from confbus_publisher.cli.offers import files
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import counted, present, say, sentence
from confbus_publisher.cli.renewed import RenewedLine

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus_publisher.backup.export import Export
    from confbus_publisher.ledger import Store
    from confbus_publisher.opening import Named

_ADVICE = "Name a file in a directory that is there and may be written."


@subcommand(
    "export",
    example="confbus export checkout.jsonl",
    keys="file, namespace, version, releases, blobs, entries, sha256, left_out [version]",
)
@with_place
@click.argument("file", shell_complete=files)
@with_output
def command(named: Named, output: str, file: str) -> int:
    """Write all that is kept of a namespace into FILE.

    With - for FILE it goes to stdout. The head, releases with their content, the log, what is held, overrides and
    approvals, all of one moment. FILE is there whole or not at all, and is readable for you alone: it has the
    configuration in plain text, but for what is sealed. `confbus import` reads it.
    """
    from confbus_publisher.opening import site_of

    site = site_of(named)
    with site.ledger() as ledger, RenewedLine() as line:
        try:
            export = _exported(ledger.store, site.namespace, file, lambda blobs: line.show(f"{blobs:,} blobs"))
        except OSError as error:
            raise ConfBusError(f"{file} was not written: {error.strerror or error}.", advice=_ADVICE) from error
    text = f"Exported version {export.version} with {_counts(export)}."
    if file == "-":
        say(text)
    else:
        present(output, _facts(export, file, site.namespace), sentence(text))
    if export.left_out:
        say(f"Left out, for their content is gone: {', '.join(map(str, export.left_out))}.")
    return outcome.DONE


def _exported(store: Store, namespace: str, file: str, tell: Callable[[int], None]) -> Export:
    from confbus_publisher.backup.export import whole, write

    if file != "-":
        with whole(Path(file)) as there:
            return write(store, namespace, there, tell=tell)
    spool: IO[bytes]
    with tempfile.TemporaryFile() as spool:
        export = write(store, namespace, spool, tell=tell)
        spool.seek(0)
        shutil.copyfileobj(spool, sys.stdout.buffer)
        sys.stdout.buffer.flush()
    return export


def _counts(export: Export) -> str:
    kept = (counted(export.releases, "release"), counted(export.blobs, "blob"), f"{export.entries:,} in the log")
    return f"{kept[0]}, {kept[1]} and {kept[2]}"


def _facts(export: Export, file: str, namespace: str) -> dict[str, Any]:
    return {
        "file": file,
        "namespace": namespace,
        "version": export.version,
        "releases": export.releases,
        "blobs": export.blobs,
        "entries": export.entries,
        "sha256": export.checksum,
        "left_out": list(export.left_out),
    }
