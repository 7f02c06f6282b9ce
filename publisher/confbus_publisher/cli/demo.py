"""`confbus demo`: watch it work."""

from __future__ import annotations

import click

from confbus_publisher.cli.options import subcommand


@subcommand("demo", example="confbus demo --stay")
@click.option("--stay", is_flag=True, help="Keep it running at the end, to play with.")
def command(stay: bool) -> int:  # noqa: FBT001  # click passes it by name
    """Watch a small fleet follow, refuse and undo changes."""
    from confbus_publisher.demo import run

    return run(stay=stay)
