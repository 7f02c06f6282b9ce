"""The shape of the house: how long a file may be, what it may be called, and who may do what."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from confbus import errors
from confbus.client import keys_of, make_client
from confbus.errors import publishing
from confbus.testing import Proxy
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from support.places import encoded
from support.syntax import nodes

if TYPE_CHECKING:
    from support.server import Server

ROOT = Path(__file__).parents[2]
CORE = ROOT / "subscriber" / "confbus"
PUBLISHER = ROOT / "publisher" / "confbus_publisher"
OURS = ("publisher", "subscriber", "tests", "bench", "examples", "lua", "docs", "deploy", ".ci")
PAGES = ("README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md", "Makefile", "pyproject.toml")
MOST_LINES = {"publisher": 300, "subscriber": 300, "bench": 300, "examples": 300, "tests": 400, "lua": 80}
NO_NOUNS = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
LATER = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X)\b")

# What a caller never meets: the package that raises one of these catches it, and raises one of the tree.
SIGNALS = {
    "BlobsDiffer",
    "LogMoved",
    "VersionTaken",
    "Unfit",
    "Misplaced",
    "ErrorReply",
    "Misfit",
    "Unresolved",
    "Awaited",
}


def files(*folders: str, suffixes: tuple[str, ...] = (".py",)) -> list[Path]:
    found = [file for folder in folders for file in sorted((ROOT / folder).rglob("*")) if file.suffix in suffixes]
    return [file for file in found if "__pycache__" not in file.parts]


def shown(file: Path) -> str:
    return str(file.relative_to(ROOT))


def imported(file: Path) -> set[str]:
    """The packages and modules that a file imports, wherever in it."""
    names: set[str] = set()
    for node in nodes(file):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names.add(node.module or "")
    return names


def glued(file: Path) -> list[str]:
    """The texts of a file, apart from docstrings, that hold the brace before or after a namespace in a key."""
    docstrings = {
        id(node.body[0].value)
        for node in nodes(file)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    texts = [node for node in nodes(file) if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    return [str(node.value) for node in texts if id(node) not in docstrings and re.search(r":\{|\}:", str(node.value))]


def called(file: Path) -> set[str]:
    """The names of the methods that a file calls."""
    calls = (node.func for node in nodes(file) if isinstance(node, ast.Call))
    return {function.attr for function in calls if isinstance(function, ast.Attribute)}


def words(file: Path) -> set[str]:
    """The texts of a file that may be a command, in lower case."""
    return {
        node.value.lower() for node in nodes(file) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def raisable(file: Path) -> dict[str, set[str]]:
    """The classes of a file that end like an error's or inherit from one, each with the names of its parents."""
    classes = [node for node in nodes(file) if isinstance(node, ast.ClassDef)]
    parents = {node.name: {ast.unparse(base) for base in node.bases} for node in classes}
    return {name: bases for name, bases in parents.items() if any(re.search(r"(Error|Exception)$", b) for b in bases)}


@pytest.mark.parametrize("folder", MOST_LINES)
def test_a_module_is_one_noun_and_short(folder: str) -> None:
    lengths = {shown(file): len(file.read_text().splitlines()) for file in files(folder, suffixes=(".py", ".lua"))}

    assert lengths
    assert {file: lines for file, lines in lengths.items() if lines > MOST_LINES[folder]} == {}


def test_nothing_is_left_for_later() -> None:
    texts = (".py", ".lua", ".md", ".toml", ".yml", ".yaml", ".sh", "")
    everything = [file for file in files(*OURS, suffixes=texts) if file.is_file()]
    everything += [ROOT / page for page in PAGES]

    assert [shown(file) for file in everything if LATER.search(file.read_text())] == []


def test_no_module_is_called_what_everything_could_be_called() -> None:
    modules = files("publisher", "subscriber", "tests", "bench")

    assert [shown(file) for file in modules if NO_NOUNS & {file.stem, file.parent.name}] == []


def test_test_files_have_names_of_their_own_and_their_folders_are_no_packages() -> None:
    tests = [file.name for file in files("tests") if file.name.startswith("test_")]

    assert sorted(set(tests)) == sorted(tests)
    assert [shown(file) for file in files("tests") if file.name == "__init__.py"] == []


def test_only_wire_keys_glues_names_of_keys() -> None:
    keys = CORE / "wire" / "keys.py"

    assert glued(keys)
    assert {shown(file): glued(file) for file in files("publisher", "subscriber") if file != keys and glued(file)} == {}


def test_only_one_module_calls_scripts() -> None:
    ways = {"eval", "evalsha", "eval_ro", "evalsha_ro", "register_script", "script_load", "fcall", "fcall_ro"}
    callers = {shown(file): ways & (called(file) | words(file)) for file in files("publisher", "subscriber")}

    assert {file: way for file, way in callers.items() if way} == {
        "publisher/confbus_publisher/ledger/scripts.py": {"eval", "evalsha"}
    }


def test_importing_the_core_imports_no_other_library() -> None:
    program = "import sys, confbus; print(sorted({'redis', 'yaml', 'msgpack', 'click'} & sys.modules.keys()))"

    said = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert said == "[]\n"


def test_following_over_a_plain_connection_imports_none_either(server: Server, namespace: str) -> None:
    client = make_client(server.url)
    store = RedisStore(client, keys_of(client, namespace), where=server.url)
    Ledger(store).publish(encoded({"web": {"port": 80}}), Why("ann"))
    store.close()
    program = f"""
import sys, confbus
with confbus.connect(sys.argv[1], namespace={namespace!r}) as config:
    assert config["web.port"] == 80
    print(sorted({{"redis", "asyncio", "logging", "secrets", "ssl", "urllib"}} & sys.modules.keys()))
    print(sorted({{"dataclasses", "typing", "random"}} & sys.modules.keys()))
"""

    with Proxy(server.url) as proxy:
        urls = (server.url, proxy.url)
        said = [subprocess.check_output([sys.executable, "-c", program, url], text=True) for url in urls]

    assert said == ["[]\n[]\n"] * 2


def test_the_core_knows_nothing_of_the_publisher() -> None:
    assert {shown(file) for file in files("subscriber") if "confbus_publisher" in file.read_text()} == set()


def test_the_contract_knows_nothing_but_itself_and_the_errors() -> None:
    beyond = {
        shown(file): others
        for file in files("subscriber/confbus/wire")
        if (others := {name for name in imported(file) if re.match(r"confbus(?!\.wire\b|\.errors\b)", name)})
    }

    assert beyond == {}


def test_every_error_has_the_one_root() -> None:
    modules = (errors, publishing)
    in_tree = [each for module in modules for _, each in inspect.getmembers(module, inspect.isclass)]

    assert errors.ConfBusError in in_tree
    assert errors.LeaseHeld is publishing.LeaseHeld
    assert [each for each in in_tree if not issubclass(each, errors.ConfBusError)] == []


def test_whatever_else_is_raised_is_of_the_tree_or_a_signal_within_a_package() -> None:
    elsewhere = [file for file in files("publisher", "subscriber") if file.parent != CORE / "errors"]
    strangers = {
        name: bases
        for file in elsewhere
        for name, bases in raisable(file).items()
        if "ConfBusError" not in bases and name not in SIGNALS
    }

    assert strangers == {}


@pytest.mark.parametrize("package", [CORE, PUBLISHER], ids=["confbus", "confbus_publisher"])
def test_every_name_that_a_package_offers_is_there(package: Path) -> None:
    for file in package.rglob("__init__.py"):
        module = importlib.import_module(".".join(file.parent.relative_to(package.parent).parts))
        offered: list[str] = getattr(module, "__all__", [])

        assert [name for name in offered if not hasattr(module, name)] == []
        assert offered == sorted(offered)
