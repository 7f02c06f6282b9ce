"""Every name and every signature of the original user guide's API reference is there."""

from __future__ import annotations

import inspect
import re
import weakref
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import pytest

import confbus_publisher
from support.guide import snippet


class Subscriptable:
    """`Optional`, as far as a signature needs it."""

    def __getitem__(self, _kind: object) -> object:
        return Any


OURS = ("ConfigManager", "ConfigMetrics", "ConfigSource", "ConfigVersion", "ReloadResult")
TYPES: dict[str, Any] = {
    "ABC": ABC,
    "abstractmethod": abstractmethod,
    "Any": Any,
    "Callable": Callable,
    "Dict": dict,
    "List": list,
    "Optional": Subscriptable(),
    "Tuple": tuple,
    "weakref": weakref,
    **dict.fromkeys(OURS, Any),
}


def reference(heading: str) -> dict[str, Any]:
    """What a block of the reference declares; its functions get a body."""
    text = re.sub(r"^( *(?:async )?def .*)$", r"\1: ...", snippet(heading), flags=re.MULTILINE)
    scope = dict(TYPES)
    exec(text, scope)
    return {name: thing for name, thing in scope.items() if TYPES.get(name) is not thing and name != "__builtins__"}


def shape(function: Any) -> tuple[bool, list[tuple[str, Any]]]:
    """Whether it is awaited, and its parameters with their defaults but for those by keyword only."""
    parameters = inspect.signature(function).parameters.values()
    open_kinds = (inspect.Parameter.KEYWORD_ONLY, inspect.Parameter.VAR_KEYWORD)
    return (
        inspect.iscoroutinefunction(function),
        [(each.name, each.default) for each in parameters if each.kind not in open_kinds],
    )


def functions(of: type) -> dict[str, Any]:
    declared: dict[str, Any] = dict(vars(of))
    return {name: thing for name, thing in declared.items() if inspect.isfunction(thing)}


@pytest.mark.parametrize("name", ["ConfigManager", "ConfigSource"])
def test_every_method_of_a_class_is_there_as_the_guide_declares_it(name: str) -> None:
    ours = getattr(confbus_publisher, name)
    theirs = functions(reference(name)[name])

    assert len(theirs) >= 3
    for method, declared in theirs.items():
        awaited, parameters = shape(getattr(ours, method))
        wanted_await, wanted = shape(declared)
        assert awaited is wanted_await, method
        assert parameters[: len(wanted)] == wanted, method
        assert all(default is not inspect.Parameter.empty for _, default in parameters[len(wanted) :]), method


def test_every_convenience_function_is_there_as_the_guide_declares_it() -> None:
    declared = reference("Convenience Functions")

    assert len(declared) == 4
    assert {name: shape(getattr(confbus_publisher, name)) for name in declared} == {
        name: shape(function) for name, function in declared.items()
    }


def test_a_source_must_say_how_it_is_loaded_and_whether_it_changed() -> None:
    assert confbus_publisher.ConfigSource.__abstractmethods__ == {"load_config", "is_modified"}
