"""`guard:` in confbus.yaml: what it means, and what is refused with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidSettings
from confbus_publisher.guard.guard import Terms
from confbus_publisher.guard.limit import NONE, Limit
from confbus_publisher.guard_settings import GuardSettings, build_policy
from confbus_publisher.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path

LONG = """\
guard:
  for: 90s
  vetoes: 5%
  probes:
    - http: http://127.0.0.1:8080/health
      timeout: 500ms
      failures: 5
    - python: guard_rules:healthy
      name: rules
      interval: 3s
"""


def guard(directory: Path, text: str) -> GuardSettings:
    file = directory / "confbus.yaml"
    file.write_text(f"namespace: shop\nsources: []\n{text}")
    return load_settings(file).guard


def test_without_it_nothing_is_guarded(tmp_path: Path) -> None:
    policy = build_policy(guard(tmp_path, ""))

    assert (policy.terms, policy.probes) == (None, ())


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("guard: 2m", Terms(120.0)),
        ("guard: 45", Terms(45.0)),
        ("guard: {}", Terms(120.0)),
        ("guard: {for: 1h, vetoes: 3}", Terms(3600.0, Limit(3))),
        ("guard: {vetoes: 2.5%}", Terms(120.0, Limit(2.5, is_share=True))),
    ],
)
def test_the_short_form_and_the_long_one(tmp_path: Path, text: str, terms: Terms) -> None:
    assert build_policy(guard(tmp_path, text)).terms == terms


def test_probes_have_the_terms_that_they_are_given(tmp_path: Path) -> None:
    (tmp_path / "guard_rules.py").write_text("def healthy(config):\n    return True\n")

    policy = build_policy(guard(tmp_path, LONG))

    assert policy.terms == Terms(90.0, Limit(5, is_share=True))
    web, rules = policy.probes
    assert (web.name, web.timeout_s, web.interval_s, web.failures) == ("http://127.0.0.1:8080/health", 0.5, 1.0, 5)
    assert (rules.name, rules.timeout_s, rules.interval_s, rules.failures) == ("rules", 2.0, 3.0, 3)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("guard: soon", "guard must be a duration"),
        ("guard: 0", "guard must be a duration"),
        ("guard: 9000h", "guard must be between 0.001s and 31622400s"),
        ("guard: {for: 99999999999s}", "for must be between 0.001s and 31622400s"),
        ("guard: {four: 2m}", "the key 'four' is not known.*Did you mean for"),
        ("guard: {vetoes: many}", "vetoes must be a number, or a share"),
        ("guard: {vetoes: 200%}", "vetoes must be a number, or a share"),
        ("guard: {probes: [{}]}", "either http or python"),
        ("guard: {probes: [{http: 'http://a/', python: 'a:b'}]}", "either http or python"),
        ("guard: {probes: [{http: 'file:///etc/passwd'}]}", "confbus.yaml:3"),
        ("guard: {probes: [{http: 'http://a/', failures: 0}]}", "failures must be at least 1"),
        ("guard: {probes: [{http: 'http://a/', retries: 1}]}", "'retries' is not known"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_its_line(tmp_path: Path, text: str, reason: str) -> None:
    with pytest.raises(InvalidSettings, match=reason) as caught:
        guard(tmp_path, text)

    assert "confbus.yaml:3" in str(caught.value)


@pytest.mark.parametrize("name", ["guard_rules", "no_such_module:healthy", "json:healthy", "json:__name__"])
def test_a_function_that_cannot_be_had_is_refused_with_its_line(tmp_path: Path, name: str) -> None:
    settings = guard(tmp_path, f"guard: {{probes: [{{python: '{name}'}}]}}")

    with pytest.raises(InvalidSettings, match=r"confbus\.yaml:3"):
        build_policy(settings)


def test_the_command_line_has_the_last_word_on_the_time(tmp_path: Path) -> None:
    file = tmp_path / "confbus.yaml"
    file.write_text("namespace: shop\nsources: []\nguard: {for: 2m, vetoes: 7}\n")
    settings = load_settings(file)

    assert build_policy(settings.guarded(5.0).guard).terms == Terms(5.0, Limit(7))
    assert build_policy(settings.guarded(0.0).guard).terms is None
    assert Limit(0) == NONE
