"""Types that a library of their own builds. None is imported here that the type at hand does not come from."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Callable


def by_library(hint: Any) -> Callable[[Any], Any] | None:
    """What makes a value into a `hint` of pydantic or msgspec; None for other types."""
    if _is_of_pydantic(hint):
        from pydantic import TypeAdapter

        adapter: TypeAdapter[Any] = TypeAdapter(hint)
        if not adapter.pydantic_complete:
            raise InvalidSettings(
                hint.__qualname__,
                "its annotations name what is not to be found",
                advice="Import it for good, and define the model at the top of its module.",
            )
        return adapter.validate_python
    if isinstance(hint, type) and hasattr(hint, "__struct_fields__"):
        import msgspec

        return partial(msgspec.convert, type=hint)
    validate: Callable[[Any], Any] | None = getattr(hint, "validate_python", None)  # an adapter of pydantic's
    return None if isinstance(hint, type) else validate


def _is_of_pydantic(hint: Any) -> bool:
    """A model, a dataclass of pydantic's, or a type like SecretStr."""
    # A hook for pydantic alone proves nothing: anybody may offer one.
    return isinstance(hint, type) and (
        hasattr(hint, "__pydantic_validator__") or hint.__module__.partition(".")[0] in {"pydantic", "pydantic_core"}
    )
