"""What is wrong with the values of one source, looked at alone and before anything is expanded in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidDocument
from confbus.wire.frozen import Frozen
from confbus_publisher.sources.tree import conform

if TYPE_CHECKING:
    from collections.abc import Mapping


def problems_of(values: Mapping[str, Any], *, source: str, kind: str) -> list[str]:  # noqa: ARG001 — see below
    """One line for each problem, naming the path and never the value; none when `values` may be used.

    `kind` is the word for the source's kind in confbus.yaml: what is a leak in a file is at home in the environment.
    """
    if isinstance(values, Frozen):  # Our own parsers let nothing else through.
        return []
    try:
        conform(values, source=source)
    except InvalidDocument as error:
        return [str(error)]
    return []
