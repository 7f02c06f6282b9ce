"""Prometheus' own tool, which judges what we show and what we would be woken for."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path


def promtool(*words: str | Path, given: bytes = b"") -> str:
    """What it says of `words`, with `given` on its standard input; fails when it is not content. A test that calls this
    is skipped where it is not installed (in Debian it comes with `prometheus`)."""
    binary = shutil.which("promtool")
    if binary is None:
        pytest.skip("promtool is not on PATH")
    run = subprocess.run([binary, *words], input=given, capture_output=True, timeout=60, check=False)
    said = (run.stdout + run.stderr).decode()
    assert run.returncode == 0, said
    return said
