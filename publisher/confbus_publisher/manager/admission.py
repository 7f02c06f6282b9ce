"""The door between the sources of a manager and its inputs: new values come in only when they are valid."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from confbus.errors import SourceFailed
from confbus.wire.frozen import Frozen, thaw
from confbus_publisher.layer import Layer
from confbus_publisher.manager.native import NativeConfigSource
from confbus_publisher.origin import Origin
from confbus_publisher.sources.config_source import ConfigSource, title
from confbus_publisher.sources.errand import Errand
from confbus_publisher.sources.own import OwnSource, refuse, refuse_invalid
from confbus_publisher.sources.validation import problems_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confbus.wire.path import Path as KeyPath
    from confbus_publisher.sources.source import AnySource

_REMEMBERED = 2
"""One layer, and the one by all that is known."""


class Admission:
    """A native source whose new layers are validated before they are taken. One thread owns it.

    Raises `SourceFailed`, caused by `ChecksFailed`, for a layer that was refused: the last good one stays.
    """

    def __init__(self, source: NativeConfigSource) -> None:
        self.name = title(source)
        self.priority = source.priority
        self._source = source
        self._is_due = False
        self._admitted: tuple[Layer, ...] = ()
        self._refused: tuple[Layer, SourceFailed] | None = None
        self._errand: Errand[None] = Errand(self.name, deadline_s=source.timeout_s)

    def __repr__(self) -> str:
        return f"Admission({self._source!r})"

    @property
    def watched(self) -> tuple[Path, ...]:
        return self._source.inner.watched

    def expire(self) -> None:
        """Let a source that is not asked with each load be asked with the next."""
        self._is_due = True

    def load(self) -> Layer:
        layer = self._source.layer(is_due=self._is_due)
        self._is_due = False
        self._admit(layer)
        self._source.in_use = layer
        return layer

    def _admit(self, layer: Layer) -> None:
        """Nothing is judged twice."""
        if any(layer is known for known in self._admitted):
            return
        if self._refused and self._refused[0] is layer:
            raise self._refused[1]
        try:
            self._validate(layer)
        except SourceFailed as refusal:
            self._refused = (layer, refusal)
            raise
        self._admitted = (*self._admitted, layer)[-_REMEMBERED:]

    def _validate(self, layer: Layer) -> None:
        source, origin = self._source, _place(layer)
        if type(source).validate_config is ConfigSource.validate_config:
            problems = problems_of(layer.tree, source=self.name, kind=layer.kind, origins=layer.origins)
            refuse(problems, self.name, origin=origin)
            return
        work = partial(refuse_invalid, source, thaw(layer.tree), origin=origin)
        answer = self._errand.ask(work, patience_s=self._errand.deadline_s)
        if not answer.done():
            raise self._unjudged(f"gave no answer within {self._errand.deadline_s:g} s")
        try:
            answer.result()
        except SourceFailed:
            raise
        except BaseException as error:  # The edge to other people's code: whatever it raises, only it fails.
            raise self._unjudged(f"failed: {type(error).__name__}") from error

    def _unjudged(self, what: str) -> SourceFailed:
        return SourceFailed(self.name, self.name, f"validate_config {what}", advice="Its last good values stay.")


class BoundAdmission(Admission):
    """One whose layer also depends on what the other sources say."""

    def how(self, path: KeyPath) -> str:
        """By which rules the value at `path` was placed and typed; see the source."""
        inner: Any = self._source.inner
        return str(inner.how(path))

    def bind(self, context: Any) -> Layer:
        """The layer by all that is known in `context`; see the source."""
        layer: Layer = self._source.bound(context)
        self._admit(layer)
        self._source.in_use = layer
        return layer


class RemoteAdmission(Admission):
    """One that asks another machine in the background.

    When it `may_be_absent`, it may fail before it ever succeeded: then it says nothing, and `absence` tells why. That
    is for a process of its own, which starts with what the others say. Never for a ledger that outlives the process:
    there its keys would seem to be removed.
    """

    def __init__(self, source: NativeConfigSource, *, may_be_absent: bool) -> None:
        super().__init__(source)
        self.absence: SourceFailed | None = None
        nothing = Layer(self.name, self.priority, Frozen(), {(): Origin(source=self.name)}, source.kind)
        self._nothing = nothing if may_be_absent else None

    @property
    def due_in_s(self) -> float:
        return float(self._inner.due_in_s)

    @property
    def health(self) -> str:
        """How the source stands, in one line for people."""
        return str(self._inner.health)

    @property
    def last_good(self) -> Layer | None:
        """That of an earlier process, if it is valid."""
        layer: Layer | None = self._inner.last_good
        if layer is None:
            return None
        try:
            self._admit(layer)
        except SourceFailed:
            return None
        self._source.in_use = layer
        return layer

    def listen(self, wake: Callable[[], object]) -> None:
        self._inner.listen(wake)

    def begin(self) -> None:
        self._inner.begin()

    def load(self) -> Layer:
        try:
            layer = super().load()
        except SourceFailed as failure:
            if self._nothing is None or self.last_good is not None:
                raise
            self.absence = failure
            return self._nothing
        self.absence = self._nothing = None
        return layer

    @property
    def _inner(self) -> Any:
        return self._source.inner


Admitted = Admission | OwnSource


def admitted(source: ConfigSource, *, may_be_absent: bool) -> Admitted:
    """`source` as one for `Inputs`. A remote one that `may_be_absent` starts with nothing when it is away."""
    if not isinstance(source, NativeConfigSource):
        return OwnSource(source)
    if type(source).load_config is not NativeConfigSource.load_config:
        return OwnSource(source, watched=source.inner.watched)
    if hasattr(source.inner, "bind"):
        return BoundAdmission(source)
    if hasattr(source.inner, "begin"):
        return RemoteAdmission(source, may_be_absent=may_be_absent)
    return Admission(source)


def absences(sources: tuple[Any, ...]) -> dict[str, SourceFailed]:
    """By name, why sources that were never there are not."""
    remote = (source for source in sources if isinstance(source, RemoteAdmission))
    return {source.name: source.absence for source in remote if source.absence}


def expire(sources: tuple[AnySource, ...], name: str | None) -> None:
    """Let the source called `name`, or each, be asked anew with the next load."""
    for source in sources:
        if isinstance(source, Admitted) and name in {None, source.name}:
            source.expire()


def _place(layer: Layer) -> str:
    return str(layer.origins.get((), layer.source))
