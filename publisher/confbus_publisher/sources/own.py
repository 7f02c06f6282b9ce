"""A `ConfigSource` as a source among ours: with a deadline, a frozen layer, and nothing taken on faith."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, TypeGuard, cast

from confbus.errors import ChecksFailed, InvalidDocument, SourceFailed
from confbus.wire.diff import same
from confbus.wire.frozen import thaw
from confbus_publisher.formats.tree import conform, paths
from confbus_publisher.layer import Layer
from confbus_publisher.origin import Origin
from confbus_publisher.secret_patterns import masked
from confbus_publisher.sources.config_source import title
from confbus_publisher.sources.errand import Errand

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path as FilePath

    from confbus.wire.path import Path
    from confbus_publisher.sources.config_source import ConfigSource

GRACE_S = 0.05
_LONGEST_REASON = 200


class OwnSource:
    """`source`, asked in a thread of its own.

    The first load, and the first after `expire`, waits for the source until its deadline. Any other waits 50 ms; what
    is not there by then is taken by a later one, and until the deadline nothing is wrong. After a failure the values
    are loaded again, whatever `is_modified` says. Not for use by several threads at once.
    """

    def __init__(
        self,
        source: ConfigSource,
        *,
        watched: tuple[FilePath, ...] = (),
        interpolates: bool = False,
        deletes: frozenset[Path] = frozenset(),
    ) -> None:
        self.name = title(source)
        self.priority = source.priority
        self.watched = watched
        self._source = source
        self._interpolates = interpolates
        self._deletes = deletes
        self._errand: Errand[Mapping[str, Any] | None] = Errand(self.name, deadline_s=source.timeout_s)
        self._layer: Layer | None = None
        self._failure: SourceFailed | None = None
        self._is_due = True

    def __repr__(self) -> str:
        return f"OwnSource({self.name!r}, priority={self.priority})"

    def expire(self) -> None:
        """Load the values with the next `load`, whether or not they say that they changed."""
        self._is_due = True

    def load(self) -> Layer:
        """The source's layer, and the very same one while its values are equal.

        Raises `SourceFailed` when it does not answer in time, raises, or gives what is no configuration; one whose
        values were refused by `validate_config` is caused by `ChecksFailed`.
        """
        is_patient = self._is_due or self._layer is None
        if is_patient and self._errand.is_out:
            self._errand.ask(self._modified, patience_s=self._errand.deadline_s)  # It began before it was asked for.
        patience_s = self._errand.deadline_s if is_patient else GRACE_S
        must_load = is_patient or self._failure is not None
        answer = self._errand.ask(partial(_load, self._source) if must_load else self._modified, patience_s=patience_s)
        if not answer.done():
            return self._kept()
        self._is_due = False
        try:
            self._take(answer.result())
        except SourceFailed as failure:
            self._failure = failure
            raise
        except BaseException as error:  # The edge to other people's code: whatever it raises, only it fails.
            self._failure = self._failed(error)
            raise self._failure from error
        self._failure = None
        return cast("Layer", self._layer)

    async def _modified(self) -> Mapping[str, Any] | None:
        return await _load(self._source) if await self._source.is_modified() else None

    def _kept(self) -> Layer:
        """What there is while an answer is awaited."""
        if self._errand.age_s >= self._errand.deadline_s or self._layer is None:
            self._failure = self._late()
        if self._failure:
            raise self._failure
        return cast("Layer", self._layer)

    def _take(self, values: Mapping[str, Any] | None) -> None:
        if values is None:
            return
        try:
            tree = conform(values, source=self.name)
        except InvalidDocument as error:
            raise SourceFailed(self.name, self.name, f"{error.path}: {error.reason}", advice=error.advice) from error
        if self._layer is None or not same(tree, self._layer.tree):
            origins = dict.fromkeys(paths(tree), Origin(source=self.name))
            self._layer = Layer(self.name, self.priority, tree, origins, "own", self._deletes, self._interpolates)
        self._source.taken(thaw(tree))

    def _failed(self, error: BaseException) -> SourceFailed:
        if isinstance(error, TimeoutError) and not str(error):
            return self._late()
        reason = f"{type(error).__name__}: {masked(str(error))}" if str(error) else type(error).__name__
        return SourceFailed(self.name, self.name, reason[:_LONGEST_REASON], advice="Its last good values stay.")

    def _late(self) -> SourceFailed:
        reason = f"no answer within {self._errand.deadline_s:g} s"
        return SourceFailed(self.name, self.name, reason, advice="Its last good values stay; or raise its timeout_s.")


async def _load(source: ConfigSource) -> Mapping[str, Any]:
    values = cast("object", await source.load_config())  # Nothing is taken on faith.
    if not isinstance(values, Mapping):
        reason = f"load_config gave {_article(values)}, not a mapping"
        raise SourceFailed(title(source), title(source), reason, advice="Return a dict.")
    config = cast("dict[str, Any]", values)
    await refuse_invalid(source, config, origin=title(source))
    return config


async def refuse_invalid(source: ConfigSource, config: dict[str, Any], *, origin: str) -> None:
    """Ask `source` whether `config` may be used. Raises `SourceFailed`, caused by `ChecksFailed`, when not."""
    verdict = cast("object", await source.validate_config(config))
    if not _is_pair(verdict):
        reason = f"validate_config gave {_article(verdict)}, not (is_valid, errors)"
        raise SourceFailed(title(source), origin, reason, advice="Return a pair.")
    is_valid, errors = verdict
    if not is_valid:
        problems = [str(error) for error in errors] or ["validate_config gave no reason"]
        refuse(problems, title(source), origin=origin)


def refuse(problems: list[str], source: str, *, origin: str) -> None:
    """Raises `SourceFailed`, caused by `ChecksFailed`, when there are `problems`."""
    if problems:
        reason = "; ".join(problems)
        raise SourceFailed(source, origin, f"its values were refused: {reason}") from ChecksFailed(problems)


def _is_pair(verdict: object) -> TypeGuard[tuple[object, Iterable[object]]]:
    return isinstance(verdict, tuple) and len(cast("tuple[object, ...]", verdict)) == 2


def _article(value: object) -> str:
    return f"a value of type {type(value).__name__}"
