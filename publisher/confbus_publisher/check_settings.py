"""`checks:` in confbus.yaml, and the checks that it becomes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confbus.errors import InvalidPath
from confbus.wire.frozen import FrozenList, is_list, is_mapping
from confbus.wire.path import Pattern
from confbus_publisher.checks.gates import Gates, GatesCheck
from confbus_publisher.checks.rule import Rule
from confbus_publisher.checks.secrets import Allowed, Mode, SecretCheck
from confbus_publisher.entry import Entry
from confbus_publisher.named_function import named_function

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path as FilePath

    from confbus_publisher.checks import Check

GROUP = "confbus.checks"
_KNOWN = ("schema", "rules", "secrets", "secrets_allow", "gates")
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?) ?%")
_NUMBER = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckSettings:
    """What confbus.yaml says of checks. `base` is its directory: a module of Python rules may lie there."""

    base: FilePath
    schema: FilePath | None = None
    rules: tuple[Rule, ...] = ()
    secrets: Mode = Mode.BLOCK
    secrets_allowed: tuple[Allowed, ...] = ()
    gates: Gates = field(default_factory=Gates)


def read_checks(entry: Entry, *, base: FilePath) -> CheckSettings:
    """What the entry `checks` says; relative files start at `base`. Raises `InvalidSettings` with the line."""
    entry.only(_KNOWN)
    return CheckSettings(
        base=base,
        schema=base / entry.text("schema") if "schema" in entry else None,
        rules=tuple(_rules(entry)),
        secrets=_mode(entry),
        secrets_allowed=tuple(_allowed(entry)),
        gates=_gates(entry.inner("gates")),
    )


def build_checks(settings: CheckSettings) -> tuple[Check, ...]:
    """The checks, ready to run: the schema is read, rules are compiled, and functions are found.

    Raises `InvalidSettings` with the line of what is not there or cannot be used.
    """
    from confbus_publisher.checks.cel import CelCheck
    from confbus_publisher.checks.python_rule import PythonCheck

    checks: list[Check] = []
    if settings.schema:
        from confbus_publisher.checks.schema import SchemaCheck

        checks.append(SchemaCheck(settings.schema))
    functions = {
        rule: named_function(rule.text, origin=rule.origin, base=settings.base, group=GROUP)
        for rule in settings.rules
        if _is_function(rule)
    }
    expressions = [rule for rule in settings.rules if rule not in functions]
    checks += [CelCheck(expressions)] if expressions else []
    checks += [PythonCheck(function, rule) for rule, function in functions.items()]
    if settings.secrets is not Mode.OFF:
        checks.append(SecretCheck(settings.secrets, settings.secrets_allowed))
    if settings.gates != Gates():
        checks.append(GatesCheck(settings.gates))
    return tuple(checks)


def _rules(entry: Entry) -> Iterator[Rule]:
    values: object = entry.values.get("rules", FrozenList())
    if not is_list(values):
        raise entry.refuse("rules must be a list", "Write `- pool.min <= pool.max`.", at="rules")
    for index, value in enumerate(values):
        place = entry.place("rules", index=index)
        if is_mapping(value):
            yield _long_rule(Entry(value, (*entry.path, "rules", index), entry.origins), place)
        elif isinstance(value, str) and value.strip():
            yield Rule(text=value.strip(), origin=place)
        else:
            reason = "a rule is a text, or a mapping with `rule`"
            raise entry.refuse(reason, "Quote it.", at="rules", index=index)


def _long_rule(entry: Entry, place: str) -> Rule:
    entry.only(("rule", "message", "level"))
    level = entry.text("level", default="error")
    if level not in {"error", "warning"}:
        raise entry.refuse("level must be error or warning", "Mend it, or remove it.", at="level")
    message = entry.text("message") if "message" in entry else ""
    return Rule(text=entry.text("rule").strip(), origin=place, message=message, is_error=level == "error")


def _mode(entry: Entry) -> Mode:
    word = entry.text("secrets", default=Mode.BLOCK.value)
    try:
        return Mode(word)
    except ValueError:
        raise entry.refuse("secrets must be off, warn or block", "Choose one.", at="secrets") from None


def _allowed(entry: Entry) -> Iterator[Allowed]:
    for allowed in entry.each("secrets_allow"):
        allowed.only(("path", "reason"))
        path, reason = allowed.text("path"), allowed.text("reason")
        try:
            yield Allowed(Pattern(path), reason)
        except InvalidPath as error:
            raise allowed.refuse(f"path is none: {error.reason}", error.advice, at="path") from None


def _gates(entry: Entry) -> Gates:
    entry.only(("growth", "removed", "types"))
    growth = removed = None
    if "growth" in entry:
        text = str(entry.values["growth"])
        growth = float(text) if _NUMBER.fullmatch(text) else 0.0
        if growth <= 1:
            raise entry.refuse("growth must be a number above 1", "3 lets a document treble.", at="growth")
    if "removed" in entry:
        share = _PERCENT.fullmatch(str(entry.values["removed"]))
        removed = float(share[1]) / 100 if share else 1.0
        if removed >= 1:
            raise entry.refuse("removed must be a share below 100%", "Write it such as 30%.", at="removed")
    return Gates(growth=growth, removed=removed, types=entry.flag("types"))


def _is_function(rule: Rule) -> bool:
    return rule.text.startswith(("python:", "entry:"))
