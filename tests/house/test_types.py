"""Static types reach whoever uses the package: each checker takes the lines of `tests/types` for what they say."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[1] / "types"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The files in a project of somebody else, which finds the package as it is installed."""
    shutil.copytree(FOLDER, tmp_path, dirs_exist_ok=True)
    return tmp_path


def expected() -> set[tuple[str, int]]:
    """Where something must be refused: file and line."""
    return {
        (file.name, number)
        for file in FOLDER.glob("*.py")
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if line.endswith("# refused")
    }


def checked(project: Path, *command: str) -> str:
    program = [sys.executable, "-m", *command]
    return subprocess.run(program, check=False, cwd=project, capture_output=True, text=True).stdout


@pytest.mark.slow
def test_mypy_takes_each_line_for_what_it_says(project: Path, pytestconfig: pytest.Config) -> None:
    kept = str(pytestconfig.cache.mkdir("mypy")) if pytestconfig.cache else ".cache"

    said = checked(project, "mypy", "--strict", "--no-error-summary", "--cache-dir", kept, ".")

    refused = {(name, int(line)) for name, line in re.findall(r"^(\S+?):(\d+): error:", said, re.MULTILINE)}
    assert refused == expected(), said


@pytest.mark.slow
def test_pyright_takes_each_line_for_what_it_says(project: Path) -> None:
    settings = {"typeCheckingMode": "standard", "pythonVersion": "3.11", "include": ["."]}
    (project / "pyrightconfig.json").write_text(json.dumps(settings))

    said = checked(project, "pyright", "--pythonpath", sys.executable, "--outputjson")

    problems = json.loads(said)["generalDiagnostics"]
    refused = {(Path(each["file"]).name, each["range"]["start"]["line"] + 1) for each in problems}
    assert refused == expected(), said
