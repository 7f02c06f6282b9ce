"""Secrets that stand in the document, found by their form or by the name of the key."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any

from confbus.wire.frozen import Frozen, is_mapping
from confbus.wire.path import Pattern, lookup, render
from confbus_publisher.checks.candidate import leaf_of, scalars
from confbus_publisher.checks.problem import Problem
from confbus_publisher.secret_names import is_password, is_secret
from confbus_publisher.secret_patterns import find, is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from confbus.wire.path import Path
    from confbus_publisher.checks.candidate import Candidate

_PROVIDED = frozenset({"env", "secrets", "vault"})
_LEAST_NUMBER = 1000
_LEVELS = 2
_WRITTEN_ADVICE = (
    "Write where it is in its place, such as !secret env:NAME, or say in checks.secrets_allow why it may stand here."
)
_OTHER_ADVICE = (
    "let workers get it, with !secret env:NAME, file:/… or vault:…; or say in checks.secrets_allow why it may be read."
)
_BY_NAME = "a value that is named like a secret"

# What leads to a secret and is none: a file, an entry of a vault, a text that somebody else decrypts.
_REFERENCE = re.compile(
    r"(?:~|\.{1,2})?/[a-z0-9._-]+(?:/[A-Za-z0-9._-]+)*/?|[\w./-]{1,200}\.(?:pem|key|crt|txt|json|yaml|yml)|"
    r"(?:vault|file|op|sm|awssm|ssm|gcpsm|env|ref\+\w{1,20}):.*|ENC\[.*\]|arn:aws:.*|projects/[^/]*/secrets/.*",
    re.DOTALL,
)
_QUANTITY = re.compile(r"[0-9]{1,4} ?(?:ms|s|m|h|d|w)?|true|false", re.IGNORECASE)
_DEFAULT = re.compile(r"\$\{[A-Za-z_][A-Za-z0-9_]*:-?([^{}?][^{}]*)\}")


class Mode(Enum):
    """How strict the scan is; the value is the word in confbus.yaml."""

    OFF = "off"
    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where a secret may stand, and why."""

    pattern: Pattern
    reason: str


class SecretCheck:
    """Finds secrets. One that is written down is an error in the mode `block`, else a warning; so is one that the
    environment, a mounted file, a vault or a `${…}` provides, when it would go out to Redis as plain text. In memory
    that is worth a warning in the mode `block` alone. A section that is sealed may hold what is provided; what
    `allowed` matches is left alone, and a secret reference is no secret.

    Parts of the document that are the very same objects as the last time are not searched again. Not for use by
    several threads at once.
    """

    name = "secrets"
    needs_head = False

    def __init__(self, mode: Mode, allowed: Sequence[Allowed] = ()) -> None:
        self._mode = mode
        self._allowed = tuple(allowed)
        self._known: _Searched | None = None

    def __call__(self, candidate: Candidate) -> Iterator[Problem]:
        if self._mode is Mode.OFF:
            return
        self._known = _searched(candidate.tree, (), self._known)
        for path, kind in self._known.found:
            if not any(each.pattern.matches(path) for each in self._allowed):
                yield from self._problem(path, kind, candidate)

    def _problem(self, path: Path, kind: str, candidate: Candidate) -> Iterator[Problem]:
        place = candidate.place(path)
        is_strict = self._mode is Mode.BLOCK
        if _is_written_down(path, candidate):
            yield Problem(path, f"{kind} is written here", _WRITTEN_ADVICE, place, self.name, is_strict)
        elif candidate.is_shared and path[0] not in candidate.sealed:
            message = f"{kind} would go out as plain text, to all who may read Redis"
            yield Problem(path, message, _shared_advice(path, candidate), place, self.name, is_strict)
        elif not candidate.is_shared and is_strict:
            advice = "Say in checks.secrets_allow why that is fine."
            yield Problem(path, f"{kind} stands as plain text in memory", advice, place, self.name, is_error=False)


def _shared_advice(path: Path, candidate: Candidate) -> str:
    """The ways out for a secret that would be read in Redis. What stands at the top by itself is in no section that can
    be sealed."""
    is_section = is_mapping(lookup(candidate.tree, path[:1]))
    seal = f"seal its section, with `seal: [{render(path[:1])}]`" if is_section else "put it below a key and seal that"
    return f"Three ways out: {seal}; {_OTHER_ADVICE}"


@dataclass(frozen=True, slots=True)
class _Searched:
    """A part of the document, with the path and kind of each secret in it, and the parts that it is made of by key."""

    part: Any = field(repr=False)
    found: list[tuple[Path, str]]
    inner: Mapping[str, _Searched]


def _searched(part: Any, path: Path, last: _Searched | None) -> _Searched:
    """Searches what is not the same object as the last time. An edit is cheap since it does so at two levels."""
    if last is not None and last.part is part and isinstance(part, Frozen):
        return last
    if not isinstance(part, Frozen) or len(path) == _LEVELS:
        return _Searched(part, _secrets(part, path), {})
    before: Mapping[str, _Searched] = last.inner if last else {}
    inner = {key: _searched(value, (*path, key), before.get(key)) for key, value in part.items()}
    return _Searched(part, [each for searched in inner.values() for each in searched.found], inner)


def _secrets(part: Any, place: Path) -> list[tuple[Path, str]]:
    values = ((path, value) for path, value in scalars(part, place) if isinstance(value, str | int))
    return [(path, kind) for path, value in values if (kind := _kind(path, value))]


def _kind(path: Path, value: str | int) -> str:
    """What kind of secret `value` is, or the empty text."""
    if isinstance(value, int):
        is_one = not isinstance(value, bool) and abs(value) >= _LEAST_NUMBER and is_secret(path) and is_password(path)
        return _BY_NAME if is_one else ""
    return find(value) or (_BY_NAME if is_secret(path) and _could_be_secret(path, value) else "")


def _could_be_secret(path: Path, text: str) -> bool:
    """False for what no secret is, though it has the name of one: a file, a placeholder, a duration."""
    if not text.strip() or is_placeholder(text) or _REFERENCE.fullmatch(text):
        return False
    return is_password(path) or not _QUANTITY.fullmatch(text)


def _is_written_down(path: Path, candidate: Candidate) -> bool:
    leaf = leaf_of(path)
    if candidate.kind(leaf) in _PROVIDED:
        return False
    if not candidate.is_expanded(leaf):
        return True
    try:
        raw = lookup(candidate.raw, path)
    except KeyError:
        return False
    return isinstance(raw, str) and _has_secret_in_itself(path, raw)


def _has_secret_in_itself(path: Path, raw: str) -> bool:
    """True when a text with `${…}` holds a secret beside it, or as the default in it."""
    if find(_DEFAULT.sub(r"\1", raw)):
        return True
    return is_secret(path) and any(_could_be_secret(path, default) for default in _DEFAULT.findall(raw))
