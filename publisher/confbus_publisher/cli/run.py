"""`confbus run`: keep the fleet in step, until stopped."""

from __future__ import annotations

import logging
import os
import sys
from typing import TYPE_CHECKING

import click

from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_author, with_guard, with_place
from confbus_publisher.cli.output import plain

if TYPE_CHECKING:
    from confbus_publisher.opening import Named
    from confbus_publisher.serving.listen import Listen


def _listen(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Listen | None:
    from confbus_publisher.serving.listen import FORM, parse_listen

    found = parse_listen(text) if text else None
    if text and found is None:
        raise click.BadParameter(f"{text!r} is no place to listen. {FORM}")
    return found


@subcommand("run", example="confbus run -c confbus.yaml")
@with_place
@with_author
@with_guard
@click.option(
    "--listen",
    callback=_listen,
    envvar="CONFBUS_LISTEN",
    metavar="HOST:PORT",
    help="Answer there for health and metrics, such as 127.0.0.1:9630.",
)
def command(named: Named, author: str, guard_s: float | None, listen: Listen | None) -> int:
    """Keep the fleet in step with the sources, until stopped.

    SIGHUP reads confbus.yaml and all sources again. SIGTERM and Ctrl-C finish the publish at hand and give the lease
    up. Without `redis:` in confbus.yaml and without --url it starts a server of its own, or finds the one that
    another `confbus run` has in .confbus/ beside confbus.yaml.

    Without -c and without a confbus.yaml here, CONFIG_DIR names the directory with the configuration,
    APP_CONFIG_SOURCES says which of file, env and remote are on (the later ones on top), APP_CONFIG_URL names the
    remote document, and APP_CONFIG_WATCH=false reads them once.
    """
    from confbus_publisher.daemon import Daemon

    _log_to_stderr()
    Daemon(named, author=author, guard_s=guard_s, listen=listen).run()
    return outcome.DONE


def _log_to_stderr() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Plain("%(asctime)s %(levelname)-7s %(message)s", datefmt="%Y-%m-%d %H:%M:%S"))
    log = logging.getLogger("confbus")
    log.handlers = [handler]
    log.setLevel(logging.DEBUG if os.environ.get("CONFBUS_DEBUG") == "1" else logging.INFO)
    log.propagate = False


class _Plain(logging.Formatter):
    """Lines that no worker, and nobody who can write to Redis, makes into a command for the terminal, or into another
    line of the log: what goes on stands further to the right."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 — logging's name
        return "\n  ".join(map(plain, super().formatMessage(record).split("\n")))
