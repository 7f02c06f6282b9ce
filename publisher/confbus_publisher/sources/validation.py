"""What is wrong with the values of one source, looked at alone and before anything is expanded in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidDocument
from confbus.wire.frozen import Frozen, is_list
from confbus.wire.path import lookup
from confbus_publisher.checks import Candidate
from confbus_publisher.checks.secrets import Mode, SecretCheck
from confbus_publisher.formats.tree import conform
from confbus_publisher.origin import Origin

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.path import Path


def problems_of(
    values: Mapping[str, Any], *, source: str, kind: str, origins: Mapping[Path, Origin] | None = None
) -> list[str]:
    """One line for each problem, naming the path and never the value; none when `values` may be used.

    They are a problem when no document could hold them, and where a secret is written in them. `kind` is the word for
    the source's kind in confbus.yaml: what is a leak in a file is at home in the environment.
    """
    try:
        tree = values if isinstance(values, Frozen) else conform(values, source=source)
    except InvalidDocument as error:
        return [str(error)]
    known, whole = origins or {}, Origin(source=source)
    candidate = Candidate(
        raw=tree,
        tree=tree,
        origin=lambda path: known.get(path, whole),
        kind=lambda _path: kind,
        is_expanded=lambda path: _is_reference(tree, path),
        is_shared=False,
    )
    return [str(problem) for problem in SecretCheck(Mode.BLOCK)(candidate) if problem.is_error]


def _is_reference(tree: Frozen, path: Path) -> bool:
    value = lookup(tree, path)
    return any(isinstance(each, str) and "${" in each for each in (value if is_list(value) else [value]))
