"""The `confbus` command: finds the module of each subcommand when it is asked for, and owns the exit code."""

from __future__ import annotations

import importlib
import keyword
import sys
from typing import TYPE_CHECKING, Any, NoReturn

import click

from confbus.version import VERSION
from confbus_publisher.cli import outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from click.shell_completion import CompletionItem

COMMANDS = {
    "Begin": {
        "init": "Write a first confbus.yaml.",
        "demo": "Watch a small fleet follow, refuse and undo changes.",
        "completion": "Print what makes TAB complete in SHELL: bash, zsh or fish.",
    },
    "Publish": {
        "run": "Keep the fleet in step with the sources, until stopped.",
        "check": "Find all that is wrong with the sources, without a server.",
        "plan": "Show what a publish would change, leaf by leaf.",
        "publish": "Publish what the sources and the overrides say, once.",
    },
    "Look": {
        "status": "Show the head, publishers, holds, overrides, and the fleet.",
        "get": "Print the value at a path, as the fleet reads it.",
        "explain": "Tell where a value comes from, and which of its layers wins.",
        "watch": "Print each leaf that changes, as it changes, until Ctrl-C.",
        "history": "List releases, newest first.",
        "diff": "Show what changed between two versions, leaf by leaf.",
        "log": "Show the audit trail, newest first.",
        "fleet": "List the instances of the fleet, and where each stands.",
        "doctor": "Look for all that is wrong here, from sources to fleet.",
    },
    "Override": {
        "set": "Override the value at a path, above all sources.",
        "unset": "End the override of a path now.",
        "approve": "Let the document with this digest past a gate, once.",
    },
    "Undo": {
        "rollback": "Make a new version with the content of an earlier one.",
        "hold": "Let no publisher change SECTIONs, or anything, by itself.",
        "resume": "Let go out again what was rolled back, or is held.",
        "adopt-head": "Make the fleet follow the head, although it runs a newer one.",
    },
    "Secure": {
        "acl": "Print the ACL rules of publishers, subscribers and operators.",
        "keys": "Make, rotate and list the keys that seal sections.",
    },
    "Back up": {
        "export": "Write all that is kept of a namespace into FILE.",
        "import": "Make a namespace of what `confbus export` wrote into FILE.",
    },
}
"""Every command by its group, with the first sentence of its help: told here, the list of all imports none of them."""

COMPLETE_VARIABLE = "_CONFBUS_COMPLETE"
_TOLD = {name: told for names in COMMANDS.values() for name, told in names.items()}
_WIDEST = max(map(len, _TOLD))
_EPILOG = """\b
Exit codes: 0 done, 1 failed, 2 plan or diff found differences,
3 refused by checks, 4 the fleet did not follow in time, 64 usage.

\b
CONFBUS_CONFIG, CONFBUS_URL, CONFBUS_PASSWORD_FILE and CONFBUS_NAMESPACE stand
for -c, --url, --password-file and -n.
CONFBUS_DEBUG=1 adds a traceback to errors.

Example: confbus status --url redis://localhost:6379 -n checkout
"""


class Program(click.Group):
    """A group whose commands are modules, imported one at a time."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002  # click's signature
        return list(_TOLD)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        if cmd_name not in _TOLD:
            return None
        name = cmd_name.replace("-", "_") + ("_" if keyword.iskeyword(cmd_name) else "")
        module = importlib.import_module(f"confbus_publisher.cli.{name}")
        command: click.Command = module.command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in _TOLD and not args[0].startswith("-") and not ctx.resilient_parsing:
            import difflib

            close = difflib.get_close_matches(args[0], _TOLD, n=1)
            hint = f" Did you mean {close[0]!r}?" if close else ""
            raise click.UsageError(f"There is no command {args[0]!r}.{hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002  # as above
        for title, names in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name.ljust(_WIDEST), told) for name, told in names.items()])

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        names = [CompletionItem(name, help=told) for name, told in _TOLD.items() if name.startswith(incomplete)]
        return names + click.Command.shell_complete(self, ctx, incomplete)  # a Group's imports every command

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,  # noqa: ARG002, FBT001, FBT002  # click's signature
        **extra: Any,
    ) -> NoReturn:
        """Run it and leave. What a command returns is the exit code; what it raises is told on stderr."""
        try:
            code: int | None = super().main(args, prog_name, complete_var, standalone_mode=False, **extra)
        except Exception as error:  # noqa: BLE001  # the outermost edge: nobody else can tell it
            code = outcome.report(error)
        sys.exit(code or outcome.DONE)


def _show_version(ctx: click.Context, _option: click.Parameter, is_wanted: bool) -> None:  # noqa: FBT001  # click's
    if is_wanted:
        click.echo(f"confbus {VERSION}")
        ctx.exit()


@click.group(
    cls=Program,
    epilog=_EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    options_metavar="",
    subcommand_metavar="COMMAND [OPTIONS]...",
)
@click.option(
    "--version",
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version and exit.",
)
@click.pass_context
def program(ctx: click.Context) -> None:
    """One configuration, in step across a fleet of processes."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())
