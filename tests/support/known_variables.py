"""Every environment variable that confbus looks at: of options their help tells, of the others it is told here."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click

from confbus_publisher.cli.program import program

if TYPE_CHECKING:
    from collections.abc import Iterator

_TOLD = {
    "CONFBUS_AUTHOR": "Who acts, for the log: `--author`.",
    "CONFBUS_DEBUG": "`1` adds a traceback to the errors of commands.",
    "CONFBUS_KEYS": "The keyring of a publisher, where confbus.yaml names none: `keys:`.",
    "CONFBUS_OPEN_KEYS": "The keys of a worker, `id:base64` with blanks or commas between: `open_keys=`.",
    "CONFBUS_OPEN_KEYS_FILE": "The file with the keys of a worker.",
    "CONFIG_DIR": "Without a confbus.yaml: the directory with the configuration.",
    "APP_CONFIG_SOURCES": "Without a confbus.yaml: which sources there are, of `file`, `env` and `remote`.",
    "APP_CONFIG_URL": "Without a confbus.yaml: where the remote document is.",
    "APP_CONFIG_WATCH": "Without a confbus.yaml: `false` reads the sources once.",
    "APP_CONFIG_SEAL": "Without a confbus.yaml: the sections that are sealed, with commas between.",
    "NO_COLOR": "Anything: no colours.",
    "NOTIFY_SOCKET": "Set by systemd: whom `confbus run` tells that it is ready.",
    "WATCHDOG_USEC": "Set by systemd: how often `confbus run` has to say that it lives.",
    "VAULT_TOKEN": "The token of a `vault` source that names none.",
}
_SOURCES = Path(__file__).parents[2]
_NAME = re.compile(r"(CONFBUS|CONFIG|APP_CONFIG)(_[A-Z]+)+")


def variables() -> dict[str, str]:
    """What each variable says, by its name. Fails for one that the code names and nobody told, or the reverse."""
    files = (file for package in ("publisher", "subscriber") for file in (_SOURCES / package).rglob("*.py"))
    named = {word for file in files for word in re.findall(r'"([A-Z][A-Z_]+)"', file.read_text())}
    told = {**dict(_of_options()), **_TOLD}
    untold = {name for name in named if _NAME.fullmatch(name)} - told.keys()
    gone = _TOLD.keys() - named
    assert not untold, f"variables that tests/support/known_variables.py does not tell of: {untold}"
    assert not gone, f"variables that the code does not name any more: {gone}"
    return told


def _of_options() -> Iterator[tuple[str, str]]:
    """The variables that stand for an option of a command."""
    context = click.Context(program)
    for name in program.list_commands(context):
        command = program.get_command(context, name)
        for option in command.params if command else ():
            if isinstance(option, click.Option) and isinstance(option.envvar, str):
                yield option.envvar, f"{option.help} As `{option.opts[-1]}`."
