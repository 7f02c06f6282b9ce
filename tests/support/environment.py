"""An environment of its own, with what is installed there and nothing else; and the distributions of this tree."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
_OURS = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")


class Environment:
    """A virtual environment at `directory`, made with uv when it is there, else with venv and pip."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._uv = shutil.which("uv")
        make = [self._uv, "venv", "--quiet"] if self._uv else [sys.executable, "-m", "venv"]
        subprocess.run([*make, *(["--python", sys.executable] if self._uv else []), str(directory)], check=True)

    def install(self, *packages: str) -> None:
        python = str(self._directory / "bin" / "python")
        with_uv = [self._uv, "pip", "install", "--quiet", "--python", python] if self._uv else None
        subprocess.run([*(with_uv or [python, "-m", "pip", "install", "--quiet"]), *packages], check=True)

    def run(self, command: str, *words: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command that is installed there, in a directory that has nothing of this tree."""
        return subprocess.run(
            [self._directory / "bin" / command, *words],
            cwd=cwd or self._directory,
            env={name: value for name, value in os.environ.items() if name not in _OURS},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )


def distributions(directory: Path) -> tuple[Path, Path]:
    """The sdist of this tree, and the wheel that was built from it; whoever comes first builds them in `directory`.

    Those in the directory that DIST names are taken when it is set.
    """
    built = Path(os.environ["DIST"]).absolute() if os.environ.get("DIST") else directory / "dist"
    directory.mkdir(exist_ok=True)
    with (directory / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not built.exists():
            environment = Environment(directory / "build")
            environment.install("build>=1.2")
            answer = environment.run("python", "-m", "build", "--outdir", str(directory / "draft"), str(ROOT))
            assert answer.returncode == 0, answer.stdout + answer.stderr
            (directory / "draft").rename(built)
    (sdist,), (wheel,) = built.glob("*.tar.gz"), built.glob("*.whl")
    return sdist, wheel
