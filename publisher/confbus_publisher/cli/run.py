"""`confbus run`: keep the fleet in step, until stopped."""

from __future__ import annotations

import logging
import os
from typing import TYPE_CHECKING

import click

from confbus.errors import ConfBusError
from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_author, with_guard, with_place

if TYPE_CHECKING:
    from confbus_publisher.opening import Named
    from confbus_publisher.serving.listen import Listen

_log = logging.getLogger("confbus.publisher")


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
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    envvar="CONFBUS_LOG_FORMAT",
    help="Lines for people (default), or an object of JSON a line.",
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    envvar="CONFBUS_LOG_LEVEL",
    help="What is told (info); debug tells why each reload happened, and what took how long.",
)
def command(
    named: Named,
    author: str,
    guard_s: float | None,
    listen: Listen | None,
    log_format: str,
    log_level: str | None,
) -> int:
    """Keep the fleet in step with the sources, until stopped.

    SIGHUP reads confbus.yaml and all sources again. SIGTERM and Ctrl-C finish the publish at hand and give the lease
    up. Without `redis:` in confbus.yaml and without --url it starts a server of its own, or finds the one that
    another `confbus run` has in .confbus/ beside confbus.yaml.

    Without -c and without a confbus.yaml here, CONFIG_DIR names the directory with the configuration,
    APP_CONFIG_SOURCES says which of file, env and remote are on (the later ones on top), APP_CONFIG_URL names the
    remote document, and APP_CONFIG_WATCH=false reads them once.
    """
    from confbus_publisher import logs
    from confbus_publisher.daemon import Daemon

    lines = logs.begin(log_format, log_level or _usual_level())
    try:
        daemon = Daemon(named, author=author, guard_s=guard_s, listen=listen)
        if lines is not None:
            lines.namespace = daemon.namespace
        daemon.run()
    except Exception as error:
        if lines is None:
            raise
        # Whoever collects the lines reads nothing else.
        is_ours = isinstance(error, ConfBusError)
        _log.critical("%s", error if is_ours else f"confbus itself failed: {error}", exc_info=not is_ours)
        return outcome.code(error)
    return outcome.DONE


def _usual_level() -> str:
    return "debug" if os.environ.get("CONFBUS_DEBUG") == "1" else "info"
