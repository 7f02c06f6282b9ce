"""The directory of one running server, which is there as long as that runs: its socket and its configuration."""

from __future__ import annotations

import os
import secrets
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from confbus.errors import EmbeddedFailed

if TYPE_CHECKING:
    from collections.abc import Mapping

SOCKET = "redis.sock"
LONGEST_SOCKET_PATH = 100  # bytes; the kernels' own limits are 104 to 108


def new_home() -> Path:
    """A place for one, not made yet, whose path is so short that a socket fits into it."""
    name = f"confbus-{secrets.token_hex(4)}"
    bases = (os.environ.get("XDG_RUNTIME_DIR"), tempfile.gettempdir(), "/tmp")  # noqa: S108  # it is made with 0700
    for home in (Path(base).absolute() / name for base in bases if base):
        is_short = len(os.fsencode(home / SOCKET)) <= LONGEST_SOCKET_PATH
        if is_short and os.access(home.parent, os.W_OK | os.X_OK):
            return home
    raise EmbeddedFailed(
        "no directory for its socket can be written",
        advice="Set TMPDIR to a writable directory with a path of at most 70 bytes.",
    )


def configuration(home: Path, settings: Mapping[str, str]) -> str:
    """The lines of a server's configuration: what every embedded server has, then `settings`, which win."""
    lines = {
        "daemonize": "no",
        "bind": "127.0.0.1",
        "port": "0",
        "unixsocket": quoted(home / SOCKET),
        "unixsocketperm": "700",
        "dir": quoted(home),
        "save": '""',
        "appendonly": "no",
    } | dict(settings)
    return "".join(f"{name} {value}\n" for name, value in lines.items())


def quoted(path: Path) -> str:
    """The path as one word of a server's configuration."""
    return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'
