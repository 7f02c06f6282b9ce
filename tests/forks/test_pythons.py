"""Every Python that is supported and installed here: a worker follows, forks and ends in it, and warns of nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.scale import scaled

if TYPE_CHECKING:
    from support.bus import Bus
    from support.family import Family

ROOT = Path(__file__).parents[2]
OTHERS = [name for name in ("3.11", "3.12", "3.13", "3.14") if name != f"{sys.version_info[0]}.{sys.version_info[1]}"]

# Python 3.12 warns of each fork of a process with threads, which is what this is about.
STORY = """
import warnings
warnings.filterwarnings("ignore", message=".*multi-threaded.*fork")
config = connect(views={"number": int})
if os.fork() == 0:
    config.wait_for(version=2)
    sys.stdin.read()
    config.close()
    sys.exit(0)
sys.stdin.read()
os.wait()
config.close()
"""


def find(name: str) -> str:
    """An interpreter that runs; a shim on the path may have none behind it."""
    for found in (shutil.which(f"python{name}"), *map(str, Path.home().glob(f".pyenv/versions/{name}.*/bin/python"))):
        if found and subprocess.run([found, "-c", "import venv"], check=False, capture_output=True).returncode == 0:
            return found
    pytest.skip(f"Python {name} is not installed")


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERS)
def test_a_worker_follows_forks_and_ends(bus: Bus, family: Family, tmp_path: Path, name: str) -> None:
    if scaled(test=1, soak=0):
        pytest.skip("an environment for each Python is made at full size alone")
    python = tmp_path / "venv" / "bin" / "python"
    subprocess.run([find(name), "-m", "venv", tmp_path / "venv"], check=True)
    install = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", str(ROOT)]
    installed = subprocess.run(install, check=False, capture_output=True, text=True)
    if installed.returncode:
        pytest.skip(f"nothing can be installed for Python {name}: {installed.stderr.strip().splitlines()[-1]}")
    process = family.run(STORY, python=(str(python), "-W", "error"))
    instances = family.agree(2)

    bus.publish(2)

    family.told_all(instances, 2)
    assert family.agree(2) == instances
    process.communicate(timeout=30)
    assert (process.returncode, family.errors) == (0, "")
    assert family.reports() == {}
