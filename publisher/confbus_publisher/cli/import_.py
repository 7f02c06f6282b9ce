"""`confbus import`: a namespace out of a file."""

from __future__ import annotations

import shutil
import sys
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import click

from confbus.errors import ConfBusError
from confbus_publisher.cli import outcome
from confbus_publisher.cli.offers import files
from confbus_publisher.cli.options import subcommand, with_author, with_message, with_output, with_place
from confbus_publisher.cli.output import counted, present, say, sections_text, sentence
from confbus_publisher.cli.renewed import RenewedLine

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from confbus.wire.release import Release
    from confbus_publisher.backup.backup import Backup
    from confbus_publisher.ledger import Ledger, Why
    from confbus_publisher.opening import Named

_ADVICE = "Name a file that `confbus export` wrote."


@subcommand(
    "import",
    example="confbus import checkout.jsonl -n checkout-copy",
    keys="namespace, version, of, digest, releases, blobs, is_adopted, sealed [section]",
)
@with_place
@click.argument("file", shell_complete=files)
@click.option("--adopt", is_flag=True, help="Its head's content as the next version of a namespace that is in use.")
@with_message
@with_author
@with_output
def command(named: Named, output: str, file: str, message: str, author: str, **how: bool) -> int:
    """Make a namespace of what `confbus export` wrote into FILE.

    With - for FILE that is stdin. FILE is looked through before anything is written. The namespace must be empty, and
    no publisher active in it; then it has the very head, releases, log and holds of the export. With --adopt, a
    namespace that is in use gets the content of the export's head as a new version, above all that its instances know:
    they follow.
    """
    from confbus_publisher.backup.backup import Backup
    from confbus_publisher.cli import keyring
    from confbus_publisher.ledger import Why
    from confbus_publisher.opening import site_of
    from confbus_publisher.refusals import recorded

    site, why = site_of(named), Why(author, message, "import")
    with _opened(file) as there:
        backup = Backup(there, name="the export" if file == "-" else file)
        with site.ledger() as ledger:
            with recorded(ledger, why):
                release = _adopted(ledger, backup, why) if how["adopt"] else _installed(ledger, backup, why)
            if backup.namespace == site.namespace:
                keyring.tell_lacking(ledger)
    facts = _facts(backup, release, site.namespace, is_adopted=how["adopt"])
    present(output, facts, sentence(_text(facts)))
    if backup.sealed and backup.namespace != site.namespace:
        where = f"sealed for {backup.namespace}"
        say(f"{sections_text(backup.sealed)}: {where}; no key opens that in {site.namespace}, seal it there anew.")
    return outcome.DONE


@contextmanager
def _opened(file: str) -> Generator[IO[bytes]]:
    try:
        if file != "-":
            with Path(file).open("rb") as there:
                yield there
            return
        with tempfile.TemporaryFile() as spool:
            shutil.copyfileobj(sys.stdin.buffer, spool)
            yield spool
    except OSError as error:
        raise ConfBusError(f"{file} cannot be read: {error.strerror or error}.", advice=_ADVICE) from error


def _installed(ledger: Ledger, backup: Backup, why: Why) -> Release:
    from confbus_publisher.ledger.installation import install

    with RenewedLine() as line:
        install(ledger.store, backup.image, _counted(backup, line), why)
    return backup.image.release


def _counted(backup: Backup, line: RenewedLine) -> Iterator[dict[str, bytes]]:
    """The blobs; the line tells how many of them are in Redis."""
    done = 0
    for batch in backup.batches():
        yield batch
        done += len(batch)
        line.show(f"{done:,} of {len(backup.image.blobs):,} blobs")


def _adopted(ledger: Ledger, backup: Backup, why: Why) -> Release:
    from confbus_publisher.ledger.installation import adopt

    return adopt(ledger, backup.image, backup.blobs_of(backup.image.release), why)


def _facts(backup: Backup, release: Release, namespace: str, *, is_adopted: bool) -> dict[str, Any]:
    return {
        "namespace": namespace,
        "version": release.version,
        "of": release.of,
        "digest": release.digest,
        "releases": 1 if is_adopted else len(backup.image.releases),
        "blobs": len(backup.image.blobs),
        "is_adopted": is_adopted,
        "sealed": backup.sealed,
    }


def _text(facts: dict[str, Any]) -> str:
    if facts["is_adopted"]:
        return f"Version {facts['version']} of {facts['namespace']} has the content of the export's head."
    kept = f"{counted(facts['releases'], 'release')} and {counted(facts['blobs'], 'blob')}"
    return f"{facts['namespace']} is at version {facts['version']} now, with {kept}."
