"""Which files of a directory look like configuration, and which of them may go out as they are."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError
from confbus_publisher.formats.format import format_of
from confbus_publisher.sources.profile import base_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from confbus_publisher.first_settings.draft import Draft

MOST = 20
"""How many files are looked at; whoever has more has a scheme of their own."""

_DIRECTORIES = ("config", "conf", "configuration", "settings")
_STEMS = ("app", "application", "appsettings", "config", "configuration", "default", "defaults", "settings")
_FIRST = ("base", "common", "default", "defaults", "shared")
_LAST = ("local", "override", "overrides")
_PLAIN = re.compile(r"[\w./ -]+")


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A file that looks like configuration, and why it may not go out as it is."""

    name: str
    why: str
    advice: str = ""


def candidates(directory: Path) -> list[str]:
    """The files below `directory` that look like configuration, those first that others are put on top of.

    Variants for a profile are left out, since `profile:` puts them on top. Raises `ConfBusError` for a directory that
    cannot be looked at.
    """
    found = [name for name in _named(directory) if _PLAIN.fullmatch(name)]
    return sorted((name for name in found if base_of(name) not in found), key=_rank)[:MOST]


def sifted(draft: Draft, names: Sequence[str]) -> tuple[Draft, list[LeftOut]]:
    """`draft` with each of `names` as a source that may be, and the others."""
    left_out: list[LeftOut] = []
    for name in names:
        tried = draft.with_source(name)
        try:
            trouble = _trouble(tried)
        except ConfBusError as error:
            trouble = error.message, error.advice
        if trouble:
            left_out.append(LeftOut(name, *trouble))
        else:
            draft = tried
    return draft, left_out


def _named(directory: Path) -> Iterator[str]:
    here = [path.name for path in _files(directory) if path.name.partition(".")[0] in _STEMS]
    yield from here
    for inner in _DIRECTORIES:
        yield from (f"{inner}/{path.name}" for path in _files(directory / inner))


def _files(directory: Path) -> list[Path]:
    try:
        return [path for path in sorted(directory.iterdir()) if format_of(path.name) and path.is_file()]
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as error:
        advice = "Let this user read it, or begin elsewhere."
        raise ConfBusError(f"{directory} cannot be looked at: {error.strerror or error}.", advice=advice) from error


def _rank(name: str) -> tuple[int, str]:
    stem = name.rpartition("/")[2].partition(".")[0]
    return (0 if stem in _FIRST else 2 if stem in _LAST else 1), name


def _trouble(draft: Draft) -> tuple[str, str] | None:
    """What `confbus check` would say of it first, and what to do; None when that is fine."""
    from confbus_publisher.opening import inputs_of

    inputs = inputs_of(draft.settings(), is_dry=True)
    failures = inputs.failings()
    if failures:
        return failures[0].message, failures[0].advice
    problems = inputs.judge(inputs.load(), lambda: None)
    return next(((problem.headline, problem.advice) for problem in problems if problem.is_error), None)
