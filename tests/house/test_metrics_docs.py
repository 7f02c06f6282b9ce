"""The table of metrics is held to the code: each metric that is shown has its row, and no other has one."""

from __future__ import annotations

import re
from pathlib import Path

from confbus.metrics import worker
from confbus_publisher.metrics import guide, publishing

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "metrics.md"
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
FAMILIES = (*worker.FAMILIES, *publishing.FAMILIES, *guide.FAMILIES)
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| ([^|]*)\| .+ \|$", re.MULTILINE)


def test_every_metric_has_its_row_with_its_type_and_its_labels() -> None:
    told = {name: (kind, tuple(re.findall(r"`(\w+)`", labels))) for name, kind, labels in ROW.findall(PAGE.read_text())}

    assert told == {family.name: (family.kind, family.labels) for family in FAMILIES}


def test_no_page_names_a_metric_that_there_is_not() -> None:
    shown = {f"{family.name}{part}" for family in FAMILIES for part in ("", "_bucket", "_count", "_sum")}
    metric = re.compile(r"`(confbus_\w+?)(?:\{.*?\})?`")

    named = {name for page in PAGES for name in metric.findall(page.read_text())}

    assert named - shown - {"confbus_publisher", "confbus_bus", "confbus_config"} == set()  # a package and two fixtures


def test_every_state_is_named_in_the_row_of_its_metric() -> None:
    rows = {name: row for row in PAGE.read_text().splitlines() for name in re.findall(r"^\| `(\w+)`", row)}

    assert ", ".join(worker.STATES) in rows["confbus_subscriber_state"]
    assert ", ".join(publishing.STATES) in rows["confbus_publisher_state"]
