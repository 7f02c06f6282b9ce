"""Environment variables as a source.

What a name means is told by `readings`, what a text means by `literal`. Both depend on what else is known, so the
layer is complete only when it is bound to its context.
"""

from __future__ import annotations

import os
import posixpath
from pathlib import Path as FilePath
from typing import TYPE_CHECKING, Any, NamedTuple

from confbus.errors import InvalidSettings, SourceFailed
from confbus.wire.diff import same
from confbus.wire.frozen import Frozen, freeze
from confbus.wire.path import lookup, render
from confbus_publisher.expansion import interpolation
from confbus_publisher.formats import literal
from confbus_publisher.formats.limits import Unfit, fit_text
from confbus_publisher.formats.tree import paths
from confbus_publisher.layer import Layer, deletions
from confbus_publisher.origin import Origin
from confbus_publisher.sources.readings import Placed, Readings
from confbus_publisher.sources.value_file import SECRETS, read_value

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from confbus.wire.path import Path
    from confbus_publisher.sources.context import Context

_FILE = "_FILE"


class _Given(NamedTuple):
    """The text that a variable gives to the name that it stands for, and where it came from."""

    name: str
    text: str
    origin: Origin


class _Answer(NamedTuple):
    """A layer, and what it was made of."""

    givens: list[_Given]
    context: Context | None
    layer: Layer


class EnvSource:
    """Every variable that begins with `prefix`, from `environ` or from the process itself at each load.

    A variable that ends in `_FILE` stands for the one without, and its value is the content of the file that it
    names, when it is one of `file_variables` or names a file under `secrets_directory`. `ignored` variables are left
    alone; `delete` are paths that the layer takes out of those below. Raises `InvalidSettings` for an empty prefix,
    `InvalidPath` for what cannot be deleted. Not for use by several threads at once.
    """

    def __init__(
        self,
        prefix: str,
        *,
        priority: int = 0,
        name: str = "",
        interpolate: bool = False,
        delete: Collection[str] = (),
        environ: Mapping[str, str] | None = None,
        file_variables: Collection[str] = (),
        secrets_directory: str = str(SECRETS),
        ignored: Collection[str] = (),
    ) -> None:
        if not prefix:
            reason = "an empty prefix would take the whole environment"
            raise InvalidSettings(name or "env", reason, advice="Choose one, such as APP_.")
        self.name = name or f"env:{prefix}"
        self.priority = priority
        self._prefix = prefix
        self._interpolates = interpolate
        self._deletes = deletions(delete)
        self._environ = os.environ if environ is None else environ
        self._files = frozenset(file_variables)
        self._secrets = secrets_directory
        self._ignored = frozenset(ignored)
        self._answers: dict[bool, _Answer] = {}  # By whether there is a context.
        self._how: dict[Path, str] = {}

    def __repr__(self) -> str:
        return f"EnvSource({self._prefix!r}, priority={self.priority})"

    @property
    def watched(self) -> tuple[FilePath, ...]:
        """The directories of the files that variables name."""
        files = [FilePath(text).absolute() for name, text in self._variables().items() if self._names_file(name, text)]
        return tuple(dict.fromkeys(directory for file in files for directory in (file.parent, _target(file).parent)))

    def load(self) -> Layer:
        """The variables' layer by their names and looks alone, and the very same one while they are the same.

        Raises `SourceFailed` naming the variable when it is no UTF-8, or no JSON though it begins like it, when its
        file cannot be read, and naming both when two variables set the same, or one sets something inside the other.
        """
        return self._layer(None)

    def bind(self, context: Context) -> Layer:
        """The layer by all that is known in `context`; it need not be loaded before.

        The very same one while neither the variables change nor what they mean. Raises `SourceFailed` as `load`,
        also when a name has several readings, and when a text does not fit the type in the schema.
        """
        return self._layer(context)

    def how(self, path: Path) -> str:
        """In words, by which rules the variable at `path`, or above it, was placed and typed by the last load."""
        ends = (path[:end] for end in range(len(path), 0, -1))
        return next((self._how[end] for end in ends if end in self._how), "")

    def _layer(self, context: Context | None) -> Layer:
        givens = [self._given(name, text) for name, text in self._variables().items()]
        last = self._answers.get(context is not None)
        if last is not None and givens == last.givens and _is_same(context, last.context):
            return last.layer
        layer = self._built(givens, context)
        if last is not None and _says_the_same(layer, last.layer):
            layer = last.layer
        self._answers[context is not None] = _Answer(givens, context, layer)
        return layer

    def _variables(self) -> dict[str, str]:
        names = (name for name in sorted(self._environ) if name.startswith(self._prefix))
        return {name: self._environ[name] for name in names if name not in self._ignored}

    def _names_file(self, variable: str, text: str) -> bool:
        if not variable.endswith(_FILE) or len(variable) <= len(self._prefix + _FILE):
            return False
        return variable in self._files or posixpath.normpath(text).startswith(f"{self._secrets}/")

    def _given(self, variable: str, text: str) -> _Given:
        try:
            fit_text(variable + text)
        except Unfit:
            raise self._refused(Origin(variable=variable), Unfit("it is no UTF-8", "Set it again.")) from None
        if not self._names_file(variable, text):
            return _Given(variable, text, Origin(variable=variable))
        origin = Origin(variable=variable, file=text)
        name = variable.removesuffix(_FILE)
        if name in self._environ:
            raise self._refused(origin, Unfit(f"${name} is set too, and both mean the same", "Unset one."))
        try:
            return _Given(name, read_value(FilePath(text)), origin)
        except Unfit as unfit:
            raise self._refused(origin, unfit) from None

    def _built(self, givens: list[_Given], context: Context | None) -> Layer:
        taken = self._placed(givens, context)
        tree: dict[str, Any] = {}
        origins: dict[Path, Origin] = {(): Origin(source=self.name)}
        how: dict[Path, str] = {}
        for path, (given, placed) in taken.items():
            inner = tree
            for depth, key in enumerate(path[:-1], start=1):
                if path[:depth] in taken:
                    raise self._clash(taken[path[:depth]][0], given)
                origins.setdefault(path[:depth], given.origin)
                inner = inner.setdefault(str(key), {})
            value, typing = self._value(given, path, context)
            inner[str(path[-1])] = value
            how[path] = f"{placed.how}; {typing}"
            below = paths(value, path) if isinstance(value, Frozen) else (path,)
            origins.update(dict.fromkeys(below, given.origin))
        self._how = how
        return Layer(self.name, self.priority, freeze(tree), origins, "env", self._deletes, self._interpolates)

    def _placed(self, givens: list[_Given], context: Context | None) -> dict[Path, tuple[_Given, Placed]]:
        readings = Readings(self._prefix, context)
        taken: dict[Path, tuple[_Given, Placed]] = {}
        for given in givens:
            try:
                placed = readings.place(given.name)
            except Unfit as unfit:
                raise self._refused(given.origin, unfit) from None
            if placed.path in taken:
                raise self._clash(taken[placed.path][0], given)
            taken[placed.path] = given, placed
        return taken

    def _value(self, given: _Given, path: Path, context: Context | None) -> tuple[Any, str]:
        """What the text of a variable is at `path`, and by which rule."""
        try:
            return _typed(given.text, path, context)
        except Unfit as unfit:
            reason = f"it sets {render(path)}, but {unfit.reason}"
            raise self._refused(given.origin, Unfit(reason, unfit.advice)) from None

    def _clash(self, one: _Given, other: _Given) -> SourceFailed:
        reason = f"it sets a value where {_shown(other.origin)} sets the same, or one inside it"
        example = f"{self._prefix}_SOME_KEY is some_key."
        advice = f"Unset one, or write __ between levels so that _ can stand in a key: {example}"
        return self._refused(one.origin, Unfit(reason, advice))

    def _refused(self, origin: Origin, unfit: Unfit) -> SourceFailed:
        return SourceFailed(self.name, _shown(origin), unfit.reason, advice=unfit.advice)


def _typed(text: str, path: Path, context: Context | None) -> tuple[Any, str]:
    if context is not None and context.shape is not None and (types := context.shape.types(path)):
        value = literal.fit(text, types, items=context.shape.types((*path, 0)))
        return value, f"typed {literal.type_of(value)} by the schema"
    try:
        below = lookup(context.tree, path) if context is not None else None
    except KeyError:
        below = None
    # What is still a reference says nothing of the type that it will have, and null says nothing of any.
    if below is None or interpolation.is_reference(below):
        value = literal.guess(text)
        return value, f"typed {literal.type_of(value)} by its looks"
    value = literal.like(text, below)
    is_like = type(value) is type(below)
    return value, f"typed {literal.type_of(value)} {'like the value that it replaces' if is_like else 'by its looks'}"


def _target(file: FilePath) -> FilePath:
    try:
        return file.resolve()
    except (OSError, RuntimeError, ValueError):  # Links in a circle: reading the file says so.
        return file


def _is_same(context: Context | None, known: Context | None) -> bool:
    if context is None or known is None:
        return context is known
    return context.shape is known.shape and context.tree is known.tree


def _says_the_same(one: Layer, other: Layer) -> bool:
    return one.origins == other.origins and same(one.tree, other.tree)


def _shown(origin: Origin) -> str:
    """Where a variable stands; its name may hold bytes that are no text."""
    return str(origin).encode("ascii", "backslashreplace").decode()
