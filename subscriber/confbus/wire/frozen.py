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


class Reference:
    """A secret reference, `scheme:name` such as `env:DB_PASSWORD`: a value that says where a secret is, in its place.

    It travels over the bus as it was written; each worker puts in what it finds there. Nothing that it holds is secret,
    so it may be shown.
    """

    __slots__ = ("text",)

    text: str

    def __init__(self, text: str) -> None:
        object.__setattr__(self, "text", text)

    @property
    def scheme(self) -> str:
        return self.text.partition(":")[0]

    @property
    def name(self) -> str:
        """What comes after the scheme."""
        return self.text.partition(":")[2]

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"A Reference cannot be changed: {name!r}.")

    def __eq__(self, other: object) -> bool:
        return self.text == other.text if isinstance(other, Reference) else NotImplemented

    def __hash__(self) -> int:
        return hash((Reference, self.text))

    def __repr__(self) -> str:
        return f"!secret {self.text}"

    def __reduce__(self) -> tuple[type[Reference], tuple[str]]:
        return (Reference, (self.text,))


class Referring(Frozen):
    """A mapping that holds secret references, at any depth: `references` has each of them by its place in here."""

    __slots__ = ("references",)

    references: dict[tuple[str | int, ...], Reference]

    def __init__(self, values: dict[str, Any], references: dict[tuple[str | int, ...], Reference]) -> None:
        super().__init__(values)
        self.references = references

    def __reduce__(self) -> Any:
        return (Referring, (dict(self), self.references))


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
