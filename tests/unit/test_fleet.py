"""Reports of instances: what is read, what is refused, who is live."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.status import Status, stand
from confbus.timing import Counts
from confbus.version import PROGRAM
from confbus.wire import head as heads
from confbus.wire.head import MAX_LINEAGE
from confbus_publisher import fleet
from confbus_publisher.fleet import MAX_REPORT_BYTES, Report, parse

HEAD = heads.first(version=3, digest="a" * 64, merged="").anchored(revision=7, version=4)


def facts(**changes: Any) -> dict[str, Any]:
    status = Status(
        namespace="shop",
        instance="web:1",
        state="live",
        seen=stand(HEAD),
        running=stand(HEAD),
        verified_age_s=1.0,
        error="",
        counts=Counts(),
    )
    return {**status.report({"zone": "a"}, interval_s=30, protocol=1, validators=2), "at": 1_000_000, **changes}


def raw(**changes: Any) -> bytes:
    return json.dumps(facts(**changes)).encode()


def test_a_report_is_read_as_the_subscriber_wrote_it() -> None:
    report = parse("web:1", raw())

    assert report == Report(
        *("web:1", "live", stand(HEAD), stand(HEAD), "", 1_000_000, 30),
        validators=2,
        labels={"zone": "a"},
        program=PROGRAM,
    )


def test_the_longest_lineage_fits_into_a_report() -> None:
    head = HEAD
    for revision in range(10**14, 10**14 + 2 * MAX_LINEAGE):
        head = head.anchored(revision=revision, version=1)

    report = parse("web:1", raw(seen=facts_of(head), running=facts_of(head), error="x" * 200))

    assert report
    assert report.seen
    assert report.seen.lineage == head.lineage


def test_an_instance_without_a_head_yet_is_read() -> None:
    report = parse("web:1", raw(seen=None, running=None, state="waiting"))

    assert report
    assert report.seen is None


@pytest.mark.parametrize("field", ["version", "revision"])
@pytest.mark.parametrize("value", [-1, 10**15, 1.5, "7", True, None, float("nan")])
def test_a_number_that_a_repair_cannot_count_on_from_is_refused(field: str, value: object) -> None:
    assert parse("web:1", raw(seen={**facts_of(HEAD), field: value})) is None


@pytest.mark.parametrize("field", ["epoch", "change", "digest"])
@pytest.mark.parametrize("value", ["", "not hex", "a b", "a\n", "A", "a" * 65, 7, None])
def test_an_id_that_would_spoil_the_head_is_refused(field: str, value: object) -> None:
    assert parse("web:1", raw(seen={**facts_of(HEAD), field: value})) is None


@pytest.mark.parametrize("lineage", [[["x", 1]], [["a"]], [["a", -1]], ["a"], [["a", "1"]], "ab", 7, {"a": 1}])
def test_a_lineage_that_would_spoil_the_head_is_refused(lineage: object) -> None:
    assert parse("web:1", raw(seen={**facts_of(HEAD), "lineage": lineage})) is None


@pytest.mark.parametrize(
    "report",
    [b"", b"{", b"null", b"[]", b"7", b"\xff", b"[" * 5000, b'{"state": "live"}', b" " * (MAX_REPORT_BYTES + 1)],
)
def test_what_no_instance_sends_is_refused(report: bytes) -> None:
    assert parse("web:1", report) is None


@given(st.dictionaries(st.sampled_from(sorted(facts())), st.none() | st.integers() | st.text() | st.lists(st.none())))
def test_any_wrong_field_is_refused_or_harmless(changes: dict[str, object]) -> None:
    report = parse("web:1", raw(**changes))

    assert report is None or (len(report.error) <= 200 and 0.1 <= report.interval_s <= 3600)


def test_long_texts_are_cut() -> None:
    report = parse("web:1", raw(error="e" * 1000, labels={"n" * 100: "v" * 1000}))

    assert report
    assert (len(report.error), [*map(len, report.labels)], [*map(len, report.labels.values())]) == (500, [50], [100])


def test_an_instance_is_live_for_three_of_its_intervals() -> None:
    report = parse("web:1", raw())
    assert report

    assert report.is_live(1_000_000 + 90_000)
    assert not report.is_live(1_000_000 + 90_001)


def test_a_report_from_far_in_the_future_does_not_live_for_ever() -> None:
    report = parse("web:1", raw(at=10**14))
    assert report

    assert not report.is_live(1_000_000)


def test_publishers_and_silent_instances_are_no_live_subscribers() -> None:
    reports = fleet.parse_all({"web:1": raw(), "web:2": raw(at=1), "pub:1": raw(role="publisher"), "junk": b"{"})

    live = fleet.subscribers(reports, 1_000_000)

    assert [report.instance for report in live] == ["web:1"]


def test_of_a_fleet_that_is_read_again_only_what_is_new_is_parsed() -> None:
    reports, fleet_now = fleet.Reports(), {"web:2": raw(), "web:3": raw(), "web:1": raw()}
    before = dict(reports.read(fleet_now))

    fleet_now["web:2"] = raw(at=7)
    del fleet_now["web:3"]
    after = reports.read(fleet_now)

    assert list(before) == ["web:1", "web:2", "web:3"]
    assert list(after) == ["web:1", "web:2"]
    assert after["web:1"] is before["web:1"]
    assert after["web:2"].at_ms == 7


def test_silent_and_unreadable_instances_are_dropped_and_publishers_are_not() -> None:
    everybody = {"web:1": raw(), "web:2": raw(at=1), "pub:1": raw(role="publisher"), "junk": b"{"}

    dropped = fleet.silent(everybody, fleet.parse_all(everybody), 1_000_000)

    assert dropped == ["web:2", "junk"]


def facts_of(head: heads.Head) -> dict[str, Any]:
    """A stand as JSON has it."""
    fields: dict[str, Any] = json.loads(raw())["seen"]
    return fields | {
        "epoch": head.epoch,
        "revision": head.revision,
        "change": head.change,
        "lineage": [list(place) for place in head.lineage],
    }
