"""The metrics as Prometheus judges them, and the alerts: each fires for what it is for, on the very series we show."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from confbus_publisher.cli.program import COMMANDS
from support.promtool import promtool
from support.scraped import scrape

if TYPE_CHECKING:
    from collections.abc import Mapping

    from prometheus_client.samples import Sample

RULES = Path(__file__).parents[2] / "deploy" / "prometheus" / "alerts.yml"
MINUTES, CHANGED_AT = 20, 8
GROWS = {"confbus_reloads_total": 12.0}  # of what a healthy process shows, what moves by itself, in a minute
FOLLOWS_TIME = "_timestamp_seconds"


@dataclass(frozen=True, slots=True)
class Change:
    """From some minute on, all series of a metric that have these labels have another value; None: they are gone."""

    metric: str
    to: float | None
    labels: Mapping[str, str] = field(default_factory=dict[str, str])

    def concerns(self, sample: Sample) -> bool:
        return self.metric == sample.name and self.labels.items() <= sample.labels.items()


def to(value: float | None, metric: str, **labels: str) -> Change:
    return Change(f"confbus_{metric}", value, labels)


UPTAKE = "uptake_duration_seconds_bucket"

# What each alert is for.
FOR: dict[str, list[Change]] = {
    "ConfbusNoActivePublisher": [to(0, "lease_held")],
    "ConfbusPublisherGone": [to(None, "lease_held")],
    "ConfbusPublisherHangs": [to(12, "reloads_total")],
    "ConfbusRedisUnreachable": [to(1, "publisher_state", state="unreachable")],
    "ConfbusHistoryLost": [to(1, "publisher_state", state="lost")],
    "ConfbusEditRefused": [to(1, "publisher_state", state="refused")],
    "ConfbusDiverged": [to(1, "publisher_state", state="diverged")],
    "ConfbusSectionsHeld": [to(2, "sections_held")],
    "ConfbusSourceFails": [to(0, "source_healthy", source="edits")],
    "ConfbusRolledBack": [to(1, "guards_total", outcome="rolled back")],
    "ConfbusGuardFailed": [to(1, "guards_total", outcome="failed")],
    "ConfbusOutcomeUnknown": [to(1, "publishes_total", outcome="unknown")],
    "ConfbusFleetLags": [to(1, "fleet_laggards")],
    "ConfbusUptakeSlow": [to(9, UPTAKE, le="30.0"), to(9, UPTAKE, le="+Inf")],
    "ConfbusWorkerEmpty": [to(0, "subscriber_version")],
    "ConfbusWorkerStale": [to(0, "subscriber_verified_timestamp_seconds")],
    "ConfbusWorkerRefuses": [to(1, "subscriber_state", state="vetoing")],
    "ConfbusWorkerSeesLoss": [to(1, "subscriber_state", state="regressed")],
    "ConfbusWorkerOutdated": [to(1, "subscriber_state", state="outdated")],
    "ConfbusWorkerLocked": [to(1, "subscriber_locked_sections")],
    "ConfbusNoticesLost": [to(3, "subscriber_healed_total")],
    "ConfbusCallbackFails": [to(1, "subscriber_callback_errors_total")],
}


@cache
def rules() -> list[dict[str, Any]]:
    groups = cast("list[dict[str, Any]]", yaml.safe_load(RULES.read_text())["groups"])
    return [rule for group in groups for rule in group["rules"]]


def series(changes: list[Change]) -> list[dict[str, str]]:
    """All that a healthy publisher and worker show, as far as an alert looks at it, with `changes` from minute 8 on."""
    watched = set(re.findall(r"confbus_\w+", " ".join(str(rule["expr"]) for rule in rules())))
    left = list(changes)
    found: list[dict[str, str]] = []
    for metric in text_string_to_metric_families(scrape().decode()):
        for sample in (each for each in metric.samples if each.name in watched):
            change = next((each for each in changes if each.concerns(sample)), None)
            left = [each for each in left if each is not change]
            labels = ", ".join(f'{name}="{text}"' for name, text in sample.labels.items())
            values = _values(sample.name, sample.value, change)
            found.append({"series": f"{sample.name}{{{labels}}}", "values": values})
    assert left == [], "no such series is shown"
    return found


def _values(name: str, first: float, change: Change | None) -> str:
    """In promtool's words, whose time begins at 0."""
    follows_time = name.endswith(FOLLOWS_TIME)
    begin, step = (0.0, 60.0) if follows_time else (first, GROWS.get(name, 0.0))
    if change is None:
        return f"{begin}+{step}x{MINUTES}"
    before = " ".join(str(begin + step * minute) for minute in range(CHANGED_AT))
    return before if change.to is None else f"{before} {change.to}+0x{MINUTES}"


def case(changes: list[Change], expected: list[str]) -> dict[str, Any]:
    """A test of promtool's: exactly these alerts fire in the end."""
    fired = [{"labels": f'{{alertname="{name}"}}', "value": 1} for name in expected]
    firing = 'count by (alertname) (ALERTS{alertstate="firing"})'
    query = {"expr": firing, "eval_time": f"{MINUTES}m", "exp_samples": fired}
    return {"interval": "1m", "input_series": series(changes), "promql_expr_test": [query]}


def test_prometheus_finds_nothing_to_say_about_the_names_and_help_of_our_metrics() -> None:
    assert promtool("check", "metrics", given=scrape()) == ""


@pytest.mark.slow
def test_each_alert_fires_for_what_it_is_for_and_no_other_does(tmp_path: Path) -> None:
    cases = [case([], []), *(case(changes, [name]) for name, changes in FOR.items())]
    file = tmp_path / "alerts.test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "1m", "tests": cases}))

    promtool("test", "rules", file)


def test_there_is_no_alert_that_nothing_is_known_to_fire() -> None:
    assert [rule["alert"] for rule in rules()] == list(FOR)


def test_each_alert_says_what_to_do_by_commands_that_are_there() -> None:
    known = {name for names in COMMANDS.values() for name in names}

    for rule in rules():
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert len(rule["annotations"]["runbook"]) > 20, rule["alert"]
        named = re.findall(r"`confbus ([\w-]+)", rule["annotations"]["runbook"])
        assert set(named) <= known, rule["alert"]
