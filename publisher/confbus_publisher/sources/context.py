"""What a source may need to know of everything else before its layer is complete."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confbus.wire.frozen import Frozen

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus_publisher.shape import Shape


@dataclass(frozen=True, slots=True)
class Context:
    """The schema's shape, when there is a schema, and the frozen tree that the other sources give together.

    The tree is the merge of their last good layers, as it is before `${…}` is expanded; before their first load, the
    document of the release that is out.
    """

    shape: Shape | None = None
    tree: Mapping[str, Any] = field(default_factory=Frozen, repr=False)
