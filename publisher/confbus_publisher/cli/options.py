"""What the commands have in common on the command line: how one is declared, and the options that all share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.opening import SETTINGS_FILE, Named

if TYPE_CHECKING:
    from collections.abc import Callable

_YEAR_S = 366 * 86_400
_CONFIG = click.option(
    "-c", "--config", metavar="FILE", envvar="CONFBUS_CONFIG", help=f"The settings; else {SETTINGS_FILE} here."
)
_URL = click.option("--url", envvar="CONFBUS_URL", help="The server; else what the settings say.")
_NAMESPACE = click.option(
    "-n", "--namespace", metavar="NAME", envvar="CONFBUS_NAMESPACE", help="The namespace; else what the settings say."
)


def seconds(_ctx: click.Context, _param: click.Parameter, text: str | None) -> float | None:
    """What an option means by 90s or 30m; at most a year."""
    from confbus_publisher.quantity import parse_seconds

    found = parse_seconds(text) if text else None
    if text is not None and (found is None or not 0.001 <= found <= _YEAR_S):
        raise click.BadParameter("write a duration such as 500ms, 90s or 30m, of at most a year.")
    return found


with_wait = click.option(
    "--wait",
    "wait_s",
    callback=seconds,
    default="2s",
    show_default=True,
    metavar="DURATION",
    help="How long to wait for the version.",
)
with_output = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", help="For people (default), or for programs."
)
with_message = click.option("-m", "--message", default="", metavar="TEXT", help="Why, for the history.")


def subcommand(name: str, *, example: str, keys: str = "") -> Callable[[Callable[..., int]], click.Command]:
    """Declare a command. `keys` says which keys its JSON has."""
    epilog = f"Example: {example}"
    if keys:
        epilog = f"JSON: {keys}\n\n{epilog}"
    return click.command(name, epilog=epilog)


def with_place(run: Callable[..., int]) -> Callable[..., int]:
    """Let a command be told where to look; `run` gets it as a `Named`, first."""

    @functools.wraps(run)
    def placed(config: str | None, url: str | None, namespace: str | None, **options: Any) -> int:
        return run(Named(config=config, url=url, namespace=namespace), **options)

    return _CONFIG(_URL(_NAMESPACE(placed)))


def with_settings(run: Callable[..., int]) -> Callable[..., int]:
    """Let a command be told which settings to read, and nothing else."""

    @functools.wraps(run)
    def placed(config: str | None, **options: Any) -> int:
        return run(Named(config=config), **options)

    return _CONFIG(placed)
