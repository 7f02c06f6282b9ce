"""What the references of one document stand for outside of it: variables and files, as they were when looked at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from confbus_publisher.expansion.interpolation import resolve
from confbus_publisher.formats.limits import Unfit, fit_text

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confbus_publisher.expansion.file_roots import FileRoots
    from confbus_publisher.expansion.interpolation import Reference


class _Look(NamedTuple):
    """What a file held, or why it could not be read."""

    text: str
    reason: str = ""
    advice: str = ""


class Substitutes:
    """Remembers every variable and file that was asked for, so that a change can be told; each file is read once."""

    def __init__(self, files: FileRoots | None, variables: Mapping[str, str] | None) -> None:
        self._files = files
        self._given = variables
        self._variables: dict[str, str | None] = {}
        self._looks: dict[str, _Look] = {}

    def __repr__(self) -> str:
        return f"Substitutes(variables={sorted(self._variables)}, files={sorted(self._looks)})"

    @property
    def watched(self) -> tuple[Path, ...]:
        """The directories in which a file changes when its content does; they may not exist."""
        places = [place for name in tuple(self._looks) if self._files for place in self._files.directories(name)]
        return tuple(dict.fromkeys(places))

    def text(self, reference: Reference) -> tuple[str, str]:
        """The text that a reference to a variable or a file stands for, and in words what it was taken from.

        Raises `Unfit`, naming the variable or the file.
        """
        if reference.kind == "file":
            return resolve(reference, {}, self._read if self._files else None), f"file {reference.name}"
        value = self._now().get(reference.name)
        self._variables[reference.name] = value
        text = resolve(reference, {} if value is None else {reference.name: value}, None)
        is_default = value is None or (not value and reference.how == ":-")
        try:
            return fit_text(text), f"{'default of' if is_default else 'variable'} {reference.name}"
        except Unfit:
            raise Unfit(f"the variable {reference.name} is no UTF-8", "Set it again.") from None

    def are_current(self) -> bool:
        """True while each variable and each file would be found as it was."""
        now = self._now()
        has_variables = all(now.get(name) == value for name, value in self._variables.items())
        return has_variables and all(self._look(name) == look for name, look in self._looks.items())

    def renewed(self) -> Substitutes:
        """The same, with nothing looked at yet."""
        return Substitutes(self._files, self._given)

    def _now(self) -> Mapping[str, str]:
        return os.environ if self._given is None else self._given

    def _read(self, name: str) -> str:
        look = self._looks[name] = self._looks.get(name) or self._look(name)
        if look.reason:
            raise Unfit(look.reason, look.advice)
        return look.text

    def _look(self, name: str) -> _Look:
        try:
            return _Look(self._files.read(name) if self._files else "")
        except Unfit as unfit:
            return _Look("", unfit.reason, unfit.advice)
