"""Environment variables as a source.

After the prefix, a name with `__` is split there and only there: `APP_DATABASE__MAX_SIZE` is `database.max_size`, and
`APP__LOG_LEVEL` is `log_level`. A name without is split at each `_`: `APP_DATABASE_HOST` is `database.host`. Keys are
lower-case.
"""

from __future__ import annotations

import contextlib
import os
import re
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings, SourceFailed
from confbus.wire.frozen import Frozen, freeze
from confbus_publisher.layer import Layer
from confbus_publisher.origin import Origin
from confbus_publisher.sources.json import read_json
from confbus_publisher.sources.limits import DEPTH, Unfit, fit_text, read_int
from confbus_publisher.sources.tree import paths

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path as FilePath

    from confbus.wire.path import Path

_WORDS = {"true": True, "false": False, "null": None}
_INT = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?[0-9]+\.[0-9]+")


class EnvSource:
    """Every variable that begins with `prefix`, from `environ` or from the process itself at each load.

    A value is JSON when it begins with `{` or `[`; `true`, `false`, `null` and numbers spelled the canonical way are
    what they look like (`5432`, `-1`, `0.5`); all else is a string, so `1.10`, `01234`, `1e5` and `True` stay as
    they are. Not for use by several threads at once.
    """

    watched: tuple[FilePath, ...] = ()

    def __init__(
        self, prefix: str, *, priority: int = 0, name: str = "", environ: Mapping[str, str] | None = None
    ) -> None:
        if not prefix:
            reason = "an empty prefix would take the whole environment"
            raise InvalidSettings(name or "env", reason, advice="Choose one, such as APP_.")
        self.name = name or f"env:{prefix}"
        self.priority = priority
        self._prefix = prefix
        self._environ = os.environ if environ is None else environ
        self._variables: dict[str, str] = {}
        self._layer: Layer | None = None

    def __repr__(self) -> str:
        return f"EnvSource({self._prefix!r}, priority={self.priority})"

    def load(self) -> Layer:
        """The variables' layer, and the very same one while they are the same.

        Raises `SourceFailed` naming the variable when it is no UTF-8 or no JSON though it begins like it, and
        naming both when one would be a value and the other something inside it.
        """
        variables = {name: self._environ[name] for name in sorted(self._environ) if name.startswith(self._prefix)}
        if self._layer is None or variables != self._variables:
            self._layer, self._variables = self._built(variables), variables
        return self._layer

    def _built(self, variables: Mapping[str, str]) -> Layer:
        taken: dict[Path, str] = {}
        for variable in variables:
            path = self._path(variable)
            if path in taken:
                raise self._clash(taken[path], variable)
            taken[path] = variable
        tree: dict[str, Any] = {}
        origins: dict[Path, Origin] = {(): Origin(source=self.name)}
        for path, variable in taken.items():
            inner = tree
            for depth, key in enumerate(path[:-1], start=1):
                if path[:depth] in taken:
                    raise self._clash(taken[path[:depth]], variable)
                origins.setdefault(path[:depth], Origin(variable=variable))
                inner = inner.setdefault(str(key), {})
            value = inner[str(path[-1])] = self._value(variable, variables[variable])
            below = paths(value, path) if isinstance(value, Frozen) else (path,)
            origins.update(dict.fromkeys(below, Origin(variable=variable)))
        return Layer(self.name, self.priority, freeze(tree), origins, "env")

    def _path(self, variable: str) -> Path:
        rest = variable.removeprefix(self._prefix)
        if rest.startswith("_") and self._prefix.endswith("_"):
            keys = rest[1:].split("__")
        else:
            keys = rest.split("__" if "__" in rest else "_")
        if not all(keys) or len(keys) > DEPTH:
            reason = "a key in its name is empty" if len(keys) <= DEPTH else "its name has too many levels"
            advice = f"Write {self._prefix}SECTION_KEY, or end the prefix with _."
            raise self._refused(variable, Unfit(reason, advice))
        return tuple(key.lower() for key in keys)

    def _value(self, variable: str, text: str) -> Any:
        try:
            fit_text(variable + text)
        except Unfit:
            raise self._refused(variable, Unfit("it is no UTF-8", "Set it again.")) from None
        if not text.startswith(("{", "[")):
            return _plain(text)
        try:
            return read_json(text, origin_name=f"${variable}")
        except SourceFailed as failure:
            advice = "A value that begins with { or [ must be JSON; another string of that kind can stand in a file."
            raise SourceFailed(self.name, failure.origin, failure.reason, advice=advice) from None

    def _clash(self, one: str, other: str) -> SourceFailed:
        reason = f"it sets a value where ${_shown(other)} sets the same, or one inside it"
        example = f"{self._prefix}_SOME_KEY is some_key."
        advice = f"Unset one, or write __ between levels so that _ can stand in a key: {example}"
        return self._refused(one, Unfit(reason, advice))

    def _refused(self, variable: str, unfit: Unfit) -> SourceFailed:
        return SourceFailed(self.name, f"${_shown(variable)}", unfit.reason, advice=unfit.advice)


def _shown(variable: str) -> str:
    """The name of a variable, in which bytes that are no text may be."""
    return variable.encode("ascii", "backslashreplace").decode()


def _plain(text: str) -> str | int | float | bool | None:
    if text in _WORDS:
        return _WORDS[text]
    with contextlib.suppress(Unfit):  # An id of 30 digits stays a string.
        if _INT.fullmatch(text) and text != "-0":
            return read_int(text)
        if _FLOAT.fullmatch(text) and repr(float(text)) == text:
            return float(text)
    return text
