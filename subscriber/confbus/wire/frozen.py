"""Mappings and lists that nobody can change: what a snapshot is made of.

They are real `dict` and `list` subclasses, so JSON, pickle, copy, `match`, pydantic and `**` take them as they are,
and they equal the plain value. Mutators raise and name `thaw()`. (`dict.__setitem__(frozen, …)` gets past that;
it is vandalism, not an accident.)
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NoReturn, TypeGuard


def _refuse(self: object, *_args: object, **_kwargs: object) -> NoReturn:
    kind = "mapping" if isinstance(self, dict) else "list"
    raise TypeError(f"This {kind} belongs to a snapshot and cannot be changed. thaw(value) gives a copy that can.")


class Frozen(dict[str, "Any"]):
    """An immutable mapping of a snapshot."""

    __slots__ = ()

    __setitem__ = __delitem__ = __ior__ = _refuse
    clear = pop = popitem = setdefault = update = _refuse

    def __copy__(self) -> Frozen:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> Frozen:
        return self

    def copy(self) -> dict[str, Any]:
        """A plain, shallow, changeable copy."""
        return dict(self)

    def __reduce__(self) -> tuple[type[Frozen], tuple[dict[str, Any]]]:
        return (Frozen, (dict(self),))

    def __hash__(self) -> int:  # type: ignore[override]  # a mapping that cannot change may be a key
        return hash(frozenset(self.items()))


class FrozenList(list["Any"]):
    """An immutable list of a snapshot."""

    __slots__ = ()

    __setitem__ = __delitem__ = __iadd__ = __imul__ = _refuse
    append = extend = insert = remove = pop = clear = sort = reverse = _refuse

    def __copy__(self) -> FrozenList:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> FrozenList:
        return self

    def copy(self) -> list[Any]:
        """A plain, shallow, changeable copy."""
        return list(self)

    def __reduce__(self) -> tuple[type[FrozenList], tuple[list[Any]]]:
        return (FrozenList, (list(self),))

    def __hash__(self) -> int:  # type: ignore[override]  # a list that cannot change may be a key
        return hash(tuple(self))


def is_mapping(value: object) -> TypeGuard[dict[str, Any]]:
    """True for a mapping of a document, frozen or plain."""
    return isinstance(value, dict)


def is_list(value: object) -> TypeGuard[list[Any]]:
    """True for a list of a document, frozen or plain."""
    return isinstance(value, list)


def is_tuple(value: object) -> TypeGuard[tuple[Any, ...]]:
    """True for a tuple, which is taken for a list where a document begins in Python."""
    return isinstance(value, tuple)


def freeze(value: Any) -> Any:
    """An immutable equal of a JSON-like value; parts that are frozen already are kept, not copied."""
    if isinstance(value, Frozen | FrozenList):
        return value
    if is_mapping(value):
        return Frozen({key: freeze(part) for key, part in value.items()})
    if is_list(value) or is_tuple(value):
        return FrozenList(freeze(part) for part in value)
    return value


def thaw(value: Any) -> Any:
    """A plain, deep, changeable copy of a frozen value."""
    if is_mapping(value):
        return {key: thaw(part) for key, part in value.items()}
    if is_list(value):
        return [thaw(part) for part in value]
    return value
