"""A part of the configuration as an object of a type, always of the newest accepted release.

`current` is a plain slot: reading it costs what an attribute costs. Whoever swaps snapshots builds every view first,
and shows all of them, or none.
"""

from __future__ import annotations

import typing
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from confbus.errors import InvalidSettings, SealedError, UnknownPath, ViewFailed
from confbus.local import ABSENT
from confbus.views.conversion import Conversions, called
from confbus.views.misfit import Misfit
from confbus.wire import path as paths

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.views.scalars import Conversion
    from confbus.wire.snapshot import Snapshot

    T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
_NOTHING_YET, _LOCKED = object(), object()
MAX_KEPT = 4
"""Of how many pinned versions a view keeps what it built."""


class Adapter(Protocol[T_co]):
    """A `TypeAdapter` of pydantic's, which stands for a type that needs no class."""

    def validate_python(self, object: Any, /) -> T_co: ...  # noqa: A002 — the name is pydantic's


if TYPE_CHECKING:
    Kind = type[T] | Callable[[Any], T] | Adapter[T]


class Built:
    """What a view will show once the release that it was built of is read, and the value it was made from."""

    __slots__ = ("source", "value", "view")

    def __init__(self, view: View[Any], source: Any, value: Any) -> None:
        self.view = view
        self.source = source
        self.value = value

    def show(self) -> None:
        self.view.show(self)


class View(Generic[T_co]):
    """The value at a path, made into what `kind` says. `config.bind` makes one.

    `current` is the same object as long as the part of the configuration under the path is the same. Threads share it,
    so let it be immutable: frozen dataclasses, frozen models.
    """

    __slots__ = (
        "_convert",
        "_current",
        "_default",
        "_extra",
        "_find_pinned",
        "_kept",
        "_kind",
        "_path",
        "_shown",
        "_wait",
    )

    if TYPE_CHECKING:

        @property
        def current(self) -> T_co:
            """Of the newest accepted release. Raises `ConnectFailed` before the first one, and `SealedError` while the
            section is locked."""
            ...

    def __init__(
        self,
        path: str | paths.Path,
        kind: Any,
        *,
        default: Any,
        extra: str,
        wait: Callable[[], object],
        find_pinned: Callable[[], Snapshot | None],
    ) -> None:
        self._path = paths.parse(path) if isinstance(path, str) else tuple(path)
        self._kind = kind
        self._default = default
        self._extra = extra
        self._convert = _conversion(kind, extra)
        self._wait = wait
        self._find_pinned = find_pinned
        self._shown = Built(self, _NOTHING_YET, None)
        self._kept: tuple[Built, ...] = ()
        self.__class__ = _UNSHOWN

    @property
    def path(self) -> str:
        """Where in the configuration it looks."""
        return paths.render(self._path)

    def is_like(self, other: View[Any]) -> bool:
        """True when both show the same, whatever comes."""
        mine, theirs = ((each._path, each._kind, each._extra) for each in (self, other))
        return mine == theirs and self._default is other._default

    def build(self, snapshot: Snapshot) -> Built:
        """What it shows when `snapshot` is read; of a locked section that it is locked. Raises `ViewFailed`, and
        `UnknownPath` where there is nothing."""
        try:
            source = self._source_in(snapshot)
        except SealedError as error:
            return Built(self, _LOCKED, error)
        shown = self._shown
        return shown if source is shown.source else self._made(source, snapshot.version)

    def show(self, built: Built) -> None:
        """Let `built` be what is read from now on."""
        self._current = built.value
        self._shown = built
        self.__class__ = _SHOWN if built.source is not _LOCKED else _CLOSED

    @property
    def pinned(self) -> T_co:
        """Of the version that is pinned where this is read (`with config.pin()`); without a pin, as `current`.

        Raises as `bind` does when that version does not fit; it may be older than the view.
        """
        snapshot = self._find_pinned()
        if snapshot is None:
            return self.current
        source = self._source_in(snapshot)
        known = (self._shown, *self._kept)
        built = next((each for each in known if each.source is source), None) or self._made(source, snapshot.version)
        if built not in self._kept:
            self._kept = (built, *self._kept[: MAX_KEPT - 1])
        value: T_co = built.value
        return value

    def _source_in(self, snapshot: Snapshot) -> Any:
        try:
            return snapshot[self._path]
        except UnknownPath:
            if self._default is ABSENT:
                raise
            return ABSENT

    def _made(self, source: Any, version: int) -> Built:
        if source is ABSENT:
            return Built(self, source, self._default)
        try:
            return Built(self, source, self._convert(source, self._path))
        except Misfit as misfit:
            failed = ViewFailed(misfit.place, misfit.reason, version=version)
        raise failed

    def __repr__(self) -> str:
        return f"View({self.path!r}, {getattr(self._kind, '__qualname__', self._kind)})"


class _Unshown(View[Any]):
    """A view before the first release."""

    # A `__getattr__` of View would do as well, but the interpreter does not specialise reads of a class that has one.
    __slots__ = ()

    @property
    def current(self) -> Any:
        self._wait()  # which raises, or there is a release now
        return self._current


class _Closed(View[Any]):
    """A view of a section whose key is not here."""

    __slots__ = ()

    @property
    def current(self) -> Any:
        raise SealedError(self._shown.value.section, self._shown.value.key)


_SHOWN: Any = View
_UNSHOWN: Any = _Unshown
_CLOSED: Any = _Closed
View.current = View.__dict__["_current"]  # type: ignore[method-assign]  # the slot's own descriptor: no Python frame


def _conversion(kind: Any, extra: str) -> Conversion:
    if extra not in {"refuse", "ignore"}:
        raise InvalidSettings("extra", f"{extra!r} is no way to treat keys", advice="Say 'refuse' or 'ignore'.")
    conversion = Conversions(is_open=extra == "ignore").find(kind)
    if conversion is not None:
        return conversion
    is_hint = typing.get_origin(kind) is not None or type(kind).__module__ == "typing"
    if is_hint or not callable(kind):
        what = "a hint that says too little" if is_hint else "neither a type nor a function"
        raise InvalidSettings(
            "a view", f"{kind!r} is {what}", advice="Bind a type, or a function that makes something."
        )
    return called(kind)
