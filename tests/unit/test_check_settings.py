"""`checks:` in confbus.yaml."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidSettings
from confbus_publisher.check_settings import GROUP, CheckSettings, build_checks
from confbus_publisher.checks import Check, run_checks
from confbus_publisher.checks.gates import Gates
from confbus_publisher.checks.secrets import Mode
from confbus_publisher.settings import load_settings
from support.candidates import candidate

if TYPE_CHECKING:
    from pathlib import Path

WHOLE = """\
namespace: x
checks:
  schema: config/schema.yaml
  rules:
    - pool.min <= pool.max
    - {rule: "pool.min > 0", message: "no pool", level: warning}
    - python:rules_of_test:check
  secrets: block
  secrets_allow:
    - {path: "dev.**", reason: on this machine only}
  gates: {growth: 3, removed: 30%, types: true}
"""


def read(directory: Path, text: str) -> CheckSettings:
    file = directory / "confbus.yaml"
    file.write_text(text)
    return load_settings(file, variables={}).checks


def built(directory: Path, *lines: str) -> tuple[Check, ...]:
    return build_checks(read(directory, "\n".join(["namespace: x", "checks:", *lines])))


def test_everything_that_can_be_said_is_understood(tmp_path: Path) -> None:
    settings = read(tmp_path, WHOLE)

    assert settings.schema == tmp_path / "config" / "schema.yaml"
    assert [rule.text for rule in settings.rules] == [
        "pool.min <= pool.max",
        "pool.min > 0",
        "python:rules_of_test:check",
    ]
    assert [(rule.message, rule.is_error) for rule in settings.rules] == [("", True), ("no pool", False), ("", True)]
    assert settings.rules[1].origin == f"{tmp_path / 'confbus.yaml'}:6:7"
    assert settings.secrets is Mode.BLOCK
    assert [(each.pattern.text, each.reason) for each in settings.secrets_allowed] == [
        ("dev.**", "on this machine only")
    ]
    assert settings.gates == Gates(growth=3.0, removed=0.3, types=True)


def test_what_is_said_is_checked(tmp_path: Path) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "schema.yaml").write_text("properties: {pool: {required: [max]}}\n")
    (tmp_path / "rules_of_test.py").write_text("def check(document):\n    return 'no good'\n")
    after = {"pool": {"min": 0}, "password": "correct-horse", "dev": {"password": "correct-horse"}, "n": "1"}

    checks = build_checks(read(tmp_path, WHOLE))
    found = run_checks(checks, candidate(after, before={"n": 1}))

    assert [(problem.rule, problem.is_error) for problem in found] == [
        ("python:rules_of_test:check", True),
        ("gates", True),
        ("secrets", True),
        ("schema", True),
        ("pool.min <= pool.max", True),
        ("pool.min > 0", False),
    ]


def test_without_a_word_secrets_are_refused(tmp_path: Path) -> None:
    checks = build_checks(read(tmp_path, "namespace: x\n"))

    assert [check.name for check in checks] == ["secrets"]
    assert [problem.is_error for problem in run_checks(checks, candidate({"password": "correct-horse"}))] == [True]


def test_all_checks_may_be_off(tmp_path: Path) -> None:
    assert built(tmp_path, "  secrets: off", "  gates: {types: false}") == ()


REFUSED = {
    "unknown": ("  shcema: x", ":3:3", "Did you mean schema?"),
    "no rules": ("  rules: pool.min > 1", ":3:3", "rules must be a list"),
    "rule no text": ("  rules: [3]", ":3:11", "a rule is a text, or a mapping"),
    "rule empty": ("  rules: ['']", ":3:11", "a rule is a text, or a mapping"),
    "rule without rule": ("  rules: [{message: x}]", ":3:11", "rule is missing"),
    "rule with more": ("  rules: [{rule: a, levels: x}]", ":3:21", "Did you mean level?"),
    "level": ("  rules: [{rule: a, level: fatal}]", ":3:21", "error or warning"),
    "mode": ("  secrets: strict", ":3:3", "off, warn or block"),
    "allowed without reason": ("  secrets_allow: [{path: a}]", ":3:19", "reason is missing"),
    "allowed no path": ("  secrets_allow: [{path: a..b, reason: x}]", ":3:20", "path is none"),
    "allowed no mapping": ("  secrets_allow: [a]", ":3:19", "is a list of mappings"),
    "growth": ("  gates: {growth: 1}", ":3:11", "a number above 1"),
    "growth in words": ("  gates: {growth: fast}", ":3:11", "a number above 1"),
    "removed": ("  gates: {removed: 30}", ":3:11", "Write it such as 30%"),
    "all removed": ("  gates: {removed: 100%}", ":3:11", "below 100%"),
    "types": ("  gates: {types: maybe}", ":3:11", "true or false"),
    "unknown gate": ("  gates: {size: 3}", ":3:11", "'size' is not known"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_followed_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    text, place, reason = REFUSED[case]

    with pytest.raises(InvalidSettings) as caught:
        read(tmp_path, f"namespace: x\nchecks:\n{text}\n")

    assert str(caught.value).startswith(f"{tmp_path / 'confbus.yaml'}{place}")
    assert reason in str(caught.value)


UNBUILDABLE = {
    "no CEL": ("a <", "the rule is no CEL at column 4"),
    "no function": ("python:rules_of_test", "python:module:function"),
    "no module": ("python:no_such_module_here:check", "cannot be imported: ModuleNotFoundError: No module named"),
    "not in module": ("python:json:check_all", "json has no check_all"),
    "no callable": ("python:json:__name__", "is no function"),
    "no entry point": ("entry:nobody", "no installed package offers the check 'nobody'"),
}


@pytest.mark.parametrize("case", UNBUILDABLE)
def test_a_rule_that_cannot_be_used_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    text, reason = UNBUILDABLE[case]

    with pytest.raises(InvalidSettings) as caught:
        built(tmp_path, f"  rules: ['{text}']")

    assert str(caught.value).startswith(f"{tmp_path / 'confbus.yaml'}:3:11: ")
    assert reason in str(caught.value)


@pytest.mark.parametrize("body", ["raise SystemExit(3)", "1 / 0", "import nothing_of_that_name", "def broken("])
def test_a_module_that_fails_on_import_is_refused(tmp_path: Path, body: str) -> None:
    name = f"failing_{abs(hash(body))}"
    (tmp_path / f"{name}.py").write_text(body + "\n")

    with pytest.raises(InvalidSettings, match="cannot be imported"):
        built(tmp_path, f"  rules: ['python:{name}:check']")


def test_an_installed_package_may_offer_a_check(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    info = tmp_path / "offering-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: offering\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(f"[{GROUP}]\nours = offering_check:check\n")
    (tmp_path / "offering_check.py").write_text("def check(document):\n    return [('a', 'no good')]\n")
    monkeypatch.syspath_prepend(str(tmp_path))

    checks = built(tmp_path, "  rules: ['entry:ours']", "  secrets: off")

    [found] = run_checks(checks, candidate({"a": 1}))
    assert (found.path, found.message) == (("a",), "entry:ours says: no good")


@pytest.fixture(autouse=True)
def _import_path_as_before(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name in ("rules_of_test", "offering_check"):
        sys.modules.pop(name, None)
