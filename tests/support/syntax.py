"""The syntax of modules, parsed once in a test process."""

from __future__ import annotations

import ast
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


@cache
def nodes(file: Path) -> tuple[ast.AST, ...]:
    """Every node of a module."""
    return tuple(ast.walk(ast.parse(file.read_text())))


def dotted(expression: ast.expr) -> str:
    """`yaml.load` for a name or a chain of attributes of one; what is neither has no name."""
    match expression:
        case ast.Name(name):
            return name
        case ast.Attribute(owner, attribute):
            return f"{dotted(owner)}.{attribute}"
        case _:
            return ""
