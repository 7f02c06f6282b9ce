"""What the commands have in common on the command line: how one is declared, and the options that all share."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.cli.offers import files
from confbus_publisher.opening import SETTINGS_FILE, Named

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus_publisher.quorum import Quorum

_HELP_COLUMNS = 76
_YEAR_S = 366 * 86_400
_CONFIG = click.option(
    "-c",
    "--config",
    metavar="FILE",
    envvar="CONFBUS_CONFIG",
    help=f"The settings; else {SETTINGS_FILE} here.",
    shell_complete=files,
)
_URL = click.option("--url", envvar="CONFBUS_URL", help="The server; else what the settings say.")
_PASSWORD_FILE = click.option(
    "--password-file",
    metavar="FILE",
    envvar="CONFBUS_PASSWORD_FILE",
    help="What has the password of the URL's user.",
    shell_complete=files,
)
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


def quorum(_ctx: click.Context, _param: click.Parameter, text: str | None) -> Quorum | None:
    """What an option means by 95% or 47."""
    from confbus_publisher.quorum import parse_quorum

    found = parse_quorum(text) if text is not None else None
    if text is not None and found is None:
        raise click.BadParameter("write a share such as 95%, or a number of instances.")
    return found


def author(_ctx: click.Context, _param: click.Parameter, name: str | None) -> str:
    """Who acts, whether that is said or not."""
    from confbus_publisher import opening

    return opening.author(name)


_WAIT = click.option(
    "--wait", "wait_s", callback=seconds, metavar="DURATION", help="Wait until the fleet has applied it."
)
_QUORUM = click.option("--quorum", callback=quorum, metavar="SHARE", help="Enough of the fleet: 95% or 47; else all.")


def _guard_seconds(ctx: click.Context, param: click.Parameter, text: str | None) -> float | None:
    return 0.0 if text == "off" else seconds(ctx, param, text)


with_guard = click.option(
    "--guard",
    "guard_s",
    callback=_guard_seconds,
    metavar="DURATION",
    help="Watch what goes out for so long, and undo it when it does harm; or off.",
)
with_output = click.option(
    "--output", type=click.Choice(["text", "json"]), default="text", help="For people (default), or for programs."
)
with_author = click.option(
    "--author", callback=author, metavar="NAME", help="Who, for the log; else CONFBUS_AUTHOR, else user@host."
)
with_message = click.option("-m", "--message", default="", metavar="TEXT", help="Why, for the history.")


def subcommand(name: str, *, example: str, keys: str = "") -> Callable[[Callable[..., int]], click.Command]:
    """Declare a command. `keys` says which keys its JSON has."""
    epilog = f"Example: {example}"
    if len(epilog) <= _HELP_COLUMNS:
        epilog = f"\b\n{epilog}"  # \b keeps its line whole, to be copied.
    if keys:
        epilog = f"JSON: {keys}\n\n{epilog}"
    return click.command(name, epilog=epilog)


def with_place(run: Callable[..., int]) -> Callable[..., int]:
    """Let a command be told where to look; `run` gets it as a `Named`, first."""

    @functools.wraps(run)
    def placed(
        config: str | None, url: str | None, namespace: str | None, password_file: str | None, **options: Any
    ) -> int:
        _warn_of_password(url)
        return run(Named(config=config, url=url, namespace=namespace, password_file=password_file), **options)

    return _CONFIG(_URL(_PASSWORD_FILE(_NAMESPACE(placed))))


def with_wait(run: Callable[..., int]) -> Callable[..., int]:
    """Let a command be told to wait for the fleet; `run` gets it as a `Wait`, by the name `wait`."""

    @functools.wraps(run)
    def awaited(*place: Any, wait_s: float | None, quorum: Quorum | None, **options: Any) -> int:
        from confbus_publisher.cli.wait import Wait

        if quorum is not None and wait_s is None:
            raise click.UsageError("--quorum says whom to --wait for.", click.get_current_context())
        return run(*place, wait=Wait(wait_s, quorum), **options)

    return _WAIT(_QUORUM(awaited))


def with_settings(run: Callable[..., int]) -> Callable[..., int]:
    """Let a command be told which settings to read, and nothing else."""

    @functools.wraps(run)
    def placed(config: str | None, **options: Any) -> int:
        return run(Named(config=config), **options)

    return _CONFIG(placed)


def _warn_of_password(url: str | None) -> None:
    """What stands on the command line, every user of the machine can read in the list of processes."""
    from confbus.address import redacted
    from confbus_publisher.cli.output import say

    is_typed = click.get_current_context().get_parameter_source("url") is click.core.ParameterSource.COMMANDLINE
    if url and is_typed and redacted(url) != url:
        say("Whoever lists the processes of this machine reads the password in --url; --password-file has none there.")
