"""The page of docs/reference that tells what there is to import: names, arguments and docstrings of the code."""

from __future__ import annotations

import inspect
from functools import cached_property
from typing import TYPE_CHECKING, Any

import confbus
import confbus_publisher
from confbus import flags, health, testing

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

_OFFERED: dict[ModuleType, tuple[str, ...]] = {
    confbus: ("connect", "aconnect", "Subscriber", "Snapshot", "Change", "View", "Status", "env", "thaw"),
    flags: ("Flags", "validate"),
    health: ("health",),
    testing: ("Bus", "override", "static", "Proxy"),
    confbus_publisher: tuple(confbus_publisher.__all__),
}
_INSIDE = {
    *("follow", "measure", "start_when_read", "fast_reads", "filled", "overlaid_by"),
    *("hindrance", "report", "build", "is_like", "show", "taken"),
}
"""What parts of confbus say to each other."""


def offered() -> Iterator[str]:
    """The lines of the page, but for its head."""
    for module, things in _OFFERED.items():
        yield from (f"## {module.__name__}", "")
        for name in things:
            thing = getattr(module, name)
            yield from (f"### {name}", "", *_call(name, thing), told(thing), "")
            for member, value in _members(thing) if inspect.isclass(thing) else ():
                yield from (*_call(f"{name}.{member}", value), told(value), "")


def told(thing: object) -> str:
    """What its docstring tells."""
    return inspect.cleandoc(thing.__doc__ or "")


def _members(cls: type) -> Iterator[tuple[str, Any]]:
    """The methods and properties of a class that were written here and are told of."""
    for member in dir(cls):
        home = next(each for each in (*cls.__mro__, object) if member in vars(each) or each is object)
        found: Any = inspect.getattr_static(cls, member)
        value: Any = getattr(found, "__func__", found)
        is_ours = home.__module__.startswith("confbus") and not member.startswith("_") and member not in _INSIDE
        if is_ours and value.__doc__ and (inspect.isfunction(value) or isinstance(value, property | cached_property)):
            yield member, value


def _call(name: str, thing: Any) -> Iterator[str]:
    """How it is written, where that can be told."""
    if inspect.isfunction(thing):
        awaited = "await " if inspect.iscoroutinefunction(thing) else ""
        yield from ("```", f"{awaited}{name}({', '.join(_arguments(thing))})", "```", "")
    elif not inspect.isclass(thing):
        yield from ("```", name, "```", "")


def _arguments(function: Any) -> Iterator[str]:
    is_starred = False
    for each in inspect.signature(function).parameters.values():
        if each.name in {"self", "cls"}:
            continue
        if each.kind is each.KEYWORD_ONLY and not is_starred:
            is_starred = True
            yield "*"
        mark = "**" if each.kind is each.VAR_KEYWORD else "*" if each.kind is each.VAR_POSITIONAL else ""
        yield f"{mark}{each.name}{'' if each.default is each.empty else f'={_spelled(each.default)}'}"


def _spelled(default: object) -> str:
    return "…" if repr(default).startswith("<") else repr(default)
