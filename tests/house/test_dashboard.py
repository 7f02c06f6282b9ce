"""The dashboard asks for nothing that we do not show, and Prometheus understands what it asks."""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from typing import Any, cast

from confbus.metrics import worker
from confbus_publisher.metrics import publishing
from support.promtool import promtool

DASHBOARD = Path(__file__).parents[2] / "deploy" / "grafana" / "confbus.json"
FAMILIES = (*worker.FAMILIES, *publishing.FAMILIES)
PARTS = {"histogram": ("_bucket", "_count", "_sum")}
SHOWN = {f"{family.name}{part}" for family in FAMILIES for part in PARTS.get(family.kind, ("",))}
LABELS = {"namespace", "name", "instance", "pid", "le", *(label for family in FAMILIES for label in family.labels)}


def dashboard() -> dict[str, Any]:
    return cast("dict[str, Any]", json.loads(DASHBOARD.read_text()))


@cache
def expressions() -> tuple[str, ...]:
    """Every query, wherever in the dashboard."""
    found: list[str] = []

    def look(part: dict[str, Any]) -> None:
        found.extend(part[key] for key in ("expr", "definition") if key in part)

    json.loads(DASHBOARD.read_text(), object_hook=look)
    return tuple(found)


def asked() -> set[str]:
    return {name for query in expressions() for name in re.findall(r"\bconfbus_\w+", query)}


def test_every_query_asks_only_for_metrics_that_we_show() -> None:
    assert asked() - SHOWN == set()


def test_every_metric_but_those_beside_a_better_one_is_on_the_dashboard() -> None:
    there = {family.name for family in FAMILIES if any(name.startswith(family.name) for name in asked())}

    assert {family.name for family in FAMILIES} - there == {
        "confbus_document_sections",
        "confbus_source_healthy",
        "confbus_subscriber_notices_total",
        "confbus_subscriber_seen_version",
    }


def test_every_query_groups_and_names_by_labels_that_there_are() -> None:
    by = [found for query in expressions() for found in re.findall(r"by \(([^)]+)\)", query)]
    grouped = {label for found in by for label in found.split(", ")}
    named = set(re.findall(r"\{\{(\w+)\}\}", DASHBOARD.read_text()))

    assert (grouped | named) - LABELS == set()


def test_prometheus_understands_every_query(tmp_path: Path) -> None:
    queries = [query for query in expressions() if not query.startswith("label_values(")]
    plain = [query.replace("$__rate_interval", "5m").replace("$namespace", ".*") for query in queries]
    rules = [{"record": f"panel:{number}", "expr": query} for number, query in enumerate(plain)]
    file = tmp_path / "queries.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))

    assert f"{len(queries)} rules found" in promtool("check", "rules", file)


def test_no_two_panels_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    panels = dashboard()["panels"]

    for panel in panels:
        grid = panel["gridPos"]
        across, down = range(grid["x"], grid["x"] + grid["w"]), range(grid["y"], grid["y"] + grid["h"])
        cells = {(x, y) for x in across for y in down}
        assert grid["x"] + grid["w"] <= 24
        assert not cells & taken, panel["title"]
        taken |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
