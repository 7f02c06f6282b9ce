"""A function of the user that confbus.yaml names, as `module:function` or by an entry point of a package."""

from __future__ import annotations

import importlib
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, cast

from confbus.errors import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def named_function(text: str, *, origin: str, base: Path, group: str) -> Callable[[Any], Any]:
    """What `python:module:function` names, of a module that may lie in `base`, or `entry:name` in `group`.

    Raises `InvalidSettings` at `origin` for what is not there, cannot be imported or is no function.
    """
    how, _, name = text.partition(":")
    try:
        function = _of_package(name, group, origin) if how == "entry" else _of_module(name, base, origin)
    except InvalidSettings:
        raise
    except (Exception, SystemExit) as error:  # importing runs the user's code
        reason = f"{text} cannot be imported: {type(error).__name__}"
        reason += f": {error}" if isinstance(error, ImportError) else ""
        raise InvalidSettings(origin, reason, advice="Install it, or put it beside confbus.yaml.") from error
    if not callable(function):
        raise InvalidSettings(origin, f"{text} is no function", advice="Name one that takes the document.")
    return cast("Callable[[Any], Any]", function)


def _of_module(name: str, base: Path, origin: str) -> Any:
    module_name, _, function_name = name.partition(":")
    if not module_name or not function_name:
        raise InvalidSettings(origin, "a function is written as python:module:function", advice="Write all three.")
    directory = str(base.absolute())
    if directory not in sys.path:
        sys.path.append(directory)  # At the end, where it stands before nothing that is installed.
    importlib.invalidate_caches()
    module = importlib.import_module(module_name)
    function = getattr(module, function_name, None)
    if function is None:
        reason = f"{module_name} has no {function_name}"
        raise InvalidSettings(origin, reason, advice=f"Define it in {module.__file__ or module_name}.")
    return function


def _of_package(name: str, group: str, origin: str) -> Any:
    found = entry_points(group=group, name=name)
    if not found:
        known = ", ".join(sorted(entry_points(group=group).names)) or "none"
        reason = f"no installed package offers the check {name!r}"
        raise InvalidSettings(origin, reason, advice=f"There are: {known}.")
    return next(iter(found)).load()
