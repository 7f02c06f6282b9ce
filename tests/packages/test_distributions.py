"""What is handed out: the sdist, the wheel, and what somebody has who installs it. These need the package index."""

from __future__ import annotations

import os
import tarfile
import zipfile
from typing import TYPE_CHECKING

import pytest

from confbus.version import VERSION
from support.environment import ROOT, Environment, distributions
from support.releases import Releases

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(600),
    pytest.mark.skipif(os.environ.get("SCALE") != "full", reason="takes the package index: make soak, make release"),
]

HEAVY = ["redis", "asyncio", "yaml", "click", "cryptography", "prometheus_client", "dataclasses", "typing", "ssl"]
READS = f"""
import sys
import confbus
with confbus.connect(sys.argv[1], namespace=sys.argv[2]) as config:
    print(config["web.number"], [name for name in {HEAVY} if name in sys.modules])
"""
LACKING = {
    "confbus[publisher]": [
        "from confbus_publisher import ConfigManager",
        "import confbus; confbus.connect('file:confbus.yaml', namespace='shop')",
    ],
    "confbus[metrics]": ["import confbus.metrics; confbus.metrics.observe(None)"],
}
CONSUMER = """
from dataclasses import dataclass

import confbus
from confbus_publisher import ConfigManager


@dataclass(frozen=True)
class Pool:
    min: int
    max: int


def size(url: str) -> int:
    with confbus.connect(url, namespace="shop", views={"database.pool": Pool}) as config:
        pool = config.bind("database.pool", Pool)
        reveal_type(pool.current)
        return pool.current.max


async def version(manager: ConfigManager) -> None:
    await manager.reload()
    confbus.connect(1, namespace="shop")
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The sdist and the wheel, built once for all processes that test."""
    return distributions(tmp_path_factory.getbasetemp().parent / "distributions")


def test_the_wheel_has_every_module_and_script_of_the_tree_and_nothing_else(built: tuple[Path, Path]) -> None:
    with zipfile.ZipFile(built[1]) as wheel:
        names = {name for name in wheel.namelist() if ".dist-info/" not in name}
        metadata = wheel.read(f"confbus-{VERSION}.dist-info/METADATA").decode()

    sources = (ROOT / "publisher", ROOT / "subscriber")
    files = {
        str(file.relative_to(source))
        for source in sources
        for file in source.rglob("*")
        if file.is_file() and file.suffix not in {".pyc", ""}
    }
    assert names == files | {f"confbus_publisher/lua/{file.name}" for file in (ROOT / "lua").iterdir()}
    assert f"\nVersion: {VERSION}\n" in metadata


def test_the_sdist_can_be_tested(built: tuple[Path, Path]) -> None:
    with tarfile.open(built[0]) as sdist:
        names = {name.partition("/")[2] for name in sdist.getnames()}

    assert {"Makefile", "pyproject.toml", "README.md", "LICENSE", "tests/conftest.py", "lua/publish.lua"} <= names
    assert not [name for name in names if name.startswith((".venv", "dist/", ".git/"))]


def test_a_light_install_follows_with_two_packages_and_names_what_it_lacks(
    built: tuple[Path, Path], tmp_path: Path, redis_url: str, namespace: str
) -> None:
    there = Environment(tmp_path / "light")
    there.install(str(built[1]))

    with Releases(redis_url, namespace) as releases:
        releases.publish(web={"number": 1})
        reading = there.run("python", "-c", READS, redis_url, namespace)
    command = there.run("confbus", "status")

    assert reading.stdout == "1 []\n", reading.stderr
    assert command.stderr == "confbus: the command line is not installed. Run: pip install 'confbus[publisher]'\n"
    for extra, programs in LACKING.items():
        for program in programs:
            told = there.run("python", "-c", program).stderr.splitlines()[-1]
            assert f"pip install '{extra}'" in told, told


def test_a_project_that_installs_it_is_checked_against_its_types(built: tuple[Path, Path], tmp_path: Path) -> None:
    there = Environment(tmp_path / "typed")
    there.install(str(built[1]), "mypy")
    project = tmp_path / "project"
    project.mkdir()
    (project / "consumer.py").write_text(CONSUMER)

    told = there.run("python", "-m", "mypy", "--strict", "consumer.py", cwd=project).stdout

    assert 'Revealed type is "consumer.Pool"' in told
    assert 'error: Argument 1 to "connect" has incompatible type "int"; expected "str"' in told
    assert "Found 1 error in 1 file" in told, told


def test_a_publisher_installs_what_its_commands_need(built: tuple[Path, Path], tmp_path: Path) -> None:
    there = Environment(tmp_path / "publisher")
    there.install(f"{built[1]}[publisher]")
    shop = tmp_path / "shop"
    shop.mkdir()

    answers = [there.run("confbus", *words, cwd=shop) for words in (["--version"], ["init"], ["check"])]

    assert [answer.returncode for answer in answers] == [0, 0, 0], answers
    assert answers[0].stdout == f"confbus {VERSION}\n"
