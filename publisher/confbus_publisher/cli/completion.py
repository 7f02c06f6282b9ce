"""`confbus completion`: what a shell has to read so that TAB completes."""

from __future__ import annotations

import click

from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_output
from confbus_publisher.cli.output import present

SHELLS = ("bash", "zsh", "fish")


@subcommand("completion", example="confbus completion bash", keys="shell, script")
@click.argument("shell", type=click.Choice(SHELLS))
@with_output
def command(output: str, shell: str) -> int:
    """Print what makes TAB complete in SHELL: bash, zsh or fish.

    Commands, options and files; and what the namespace has: paths, sections, versions, overrides. That is asked of the
    server, for a second at most.

    In ~/.bashrc: eval "$(confbus completion bash)"

    In ~/.zshrc, below compinit: eval "$(confbus completion zsh)"

    In ~/.config/fish/config.fish: confbus completion fish | source
    """
    from click.shell_completion import get_completion_class

    from confbus_publisher.cli.program import COMPLETE_VARIABLE, program

    known = get_completion_class(shell)
    if known is None:
        raise click.UsageError(f"click does not know how {shell} completes.")
    script = known(program, {}, "confbus", COMPLETE_VARIABLE).source()
    present(output, {"shell": shell, "script": script}, [script.rstrip("\n")])
    return outcome.DONE
