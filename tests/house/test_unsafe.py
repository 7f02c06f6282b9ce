"""What would turn bytes into code, or a text into a command, is nowhere in the product."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from support.syntax import dotted, nodes

if TYPE_CHECKING:
    from collections.abc import Iterable

ROOT = Path(__file__).parents[2]
PACKAGES = ("publisher", "subscriber")

UNSAFE_MODULES = {"pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "jsonpickle", "code", "codeop"}
UNSAFE_CALLS = {
    "eval",
    "exec",
    "compile",
    "os.system",
    "os.popen",
    "yaml.load",
    "yaml.load_all",
    "yaml.unsafe_load",
    "yaml.full_load",
}
UNSAFE_ATTRIBUTES = {"Loader", "CLoader", "FullLoader", "UnsafeLoader", "CUnsafeLoader", "CFullLoader"}

# Records write a class' methods out of the names of its fields, as the standard library does for its dataclasses.
KNOWN = {("subscriber/confbus/wire/record.py", "exec")}


def unsafe(nodes_of_module: Iterable[ast.AST]) -> set[str]:
    """What in a module is unsafe, by the name under which it is used."""
    found: set[str] = set()
    for node in nodes_of_module:
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name.partition(".")[0] in UNSAFE_MODULES}
        elif isinstance(node, ast.ImportFrom):
            found |= {node.module} if node.module and node.module.partition(".")[0] in UNSAFE_MODULES else set()
        elif isinstance(node, ast.Attribute) and node.attr in UNSAFE_ATTRIBUTES:
            found.add(node.attr)
        elif isinstance(node, ast.Call):
            found |= {dotted(node.func)} & UNSAFE_CALLS
            found |= {"shell=" for each in node.keywords if each.arg == "shell"}
    return found


@pytest.mark.parametrize(
    "text",
    [
        "import pickle",
        "from marshal import loads",
        "import shelve as shelf",
        "eval(text)",
        "exec(text, names)",
        "yaml.load(text)",
        "yaml.load(text, Loader=yaml.SafeLoader)",
        "yaml.Loader(text)",
        "subprocess.run(text, shell=True)",
        "os.system(text)",
    ],
)
def test_what_is_unsafe_is_found(text: str) -> None:
    assert unsafe(ast.walk(ast.parse(text)))


def test_the_product_never_turns_bytes_into_code_or_a_text_into_a_command() -> None:
    modules = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]

    found = {(str(file.relative_to(ROOT)), what) for file in modules for what in unsafe(nodes(file))}

    assert len(modules) > 100
    assert found == KNOWN
