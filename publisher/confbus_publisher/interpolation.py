"""`${VARIABLE}` in a text, the way people know it from a shell and from compose files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from confbus_publisher.sources.limits import Unfit

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"\$\$\{|\$\{(?P<body>[^{}]*)\}|\$\{")
_BODY = re.compile(r"(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?:(?P<how>:-|:\?|:)(?P<rest>.*))?", re.DOTALL)


def interpolate(text: str, variables: Mapping[str, str]) -> str:
    """`text` with every reference replaced once: what a variable holds is not looked into again.

    `${A}` must be set. `${A:b}` is b when A is not set, `${A:-b}` also when A is empty; `${A:?why}` must not be
    empty. `$${` stands for `${`; any other `$` for itself. Raises `Unfit` naming the variable.
    """
    return _REFERENCE.sub(lambda found: _replacement(found, variables), text) if "${" in text else text


def _replacement(found: re.Match[str], variables: Mapping[str, str]) -> str:
    if found[0] == "$${":
        return "${"
    body = _BODY.fullmatch(found["body"] or "")
    if body is None:
        raise Unfit("a ${ begins no reference", "Write ${NAME} or ${NAME:default}, and $${ for a plain ${.")
    name, how, rest = body["name"], body["how"], body["rest"]
    value = variables.get(name)
    if value is None or (not value and how in {":-", ":?"}):
        if how in {":", ":-"}:
            return rest
        raise _unset(name, rest or "")
    return value


def _unset(name: str, why: str) -> Unfit:
    return Unfit(f"the variable {name} is not set{': ' if why else ''}{why}", f"Set it, or write ${{{name}:default}}.")
