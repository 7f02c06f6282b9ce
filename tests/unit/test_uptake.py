"""Who counts as having applied a release, who lags and why; and what forged reports cannot do."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from confbus.status import stand
from confbus.wire import head as heads
from confbus_publisher.fleet import Report
from confbus_publisher.quorum import ALL, Quorum
from confbus_publisher.uptake import Awaited, Laggard, Uptake

if TYPE_CHECKING:
    from confbus.wire.head import Head

OLD = heads.first(version=1, digest="a" * 64, merged="")
NEW = OLD.next(version=2, digest="b" * 64, merged="")
LATER = NEW.next(version=3, digest="c" * 64, merged="")
NOW_MS = 1_000_000
FRESH: dict[str, Any] = {"at_ms": NOW_MS}


def standing(instance: str, seen: Head | None, running: Head | None, **more: Any) -> Report:
    """A report of an instance that is live; `more` says what is different."""
    report = Report(instance, "live", stand(seen), stand(running), "", NOW_MS - 20, 1.0, validators=2)
    return replace(report, **more)


BEFORE = {name: standing(name, OLD, OLD) for name in ("web-1", "web-2", "web-3")}
APPLIED = {name: standing(name, NEW, NEW, **FRESH) for name in BEFORE}


def look(
    reports: dict[str, Report],
    *,
    now: Head | None = NEW,
    now_ms: int = NOW_MS,
    there: set[str] | None = None,
    quorum: Quorum = ALL,
    changed: set[str] | None = None,
) -> Uptake:
    awaited = Awaited(NEW, BEFORE.values(), changed=changed or {"db"}, quorum=quorum)
    return awaited.look(reports, there=reports.keys() if there is None else there, now=now, now_ms=now_ms)


def laggard(uptake: Uptake, instance: str = "web-3") -> Laggard:
    """The only one, which is `instance`."""
    (found,) = uptake.laggards
    assert found.instance == instance
    return found


def test_a_fleet_that_runs_it_has_applied_it() -> None:
    uptake = look(APPLIED)

    assert uptake == Uptake(2, needed=3, applied=("web-1", "web-2", "web-3"), judges=(2, 2))
    assert uptake.is_reached
    assert uptake.is_over


def test_until_anybody_speaks_all_are_to_come() -> None:
    uptake = look(BEFORE)

    assert uptake.states() == {"to come": 3}
    assert (uptake.expected, uptake.is_reached, uptake.is_over) == (3, False, False)
    assert {each.reason for each in uptake.laggards} == {
        "there is no word of it since the wait began; the last one was 0 s ago"
    }


def test_who_has_only_seen_it_has_not_applied_it() -> None:
    uptake = look(APPLIED | {"web-3": standing("web-3", NEW, OLD, **FRESH)})

    assert laggard(uptake).reason == "it is still at version 1"
    assert not uptake.is_over


def test_a_veto_is_an_answer_and_keeps_its_reason() -> None:
    veto = standing("web-3", NEW, OLD, state="vetoing", error="db.port: not a port", **FRESH)

    uptake = look(APPLIED | {"web-3": veto})

    assert laggard(uptake) == Laggard("web-3", "vetoing", "db.port: not a port", 1, 2, has_answered=True)
    assert (uptake.is_reached, uptake.is_over) == (False, True)


def test_a_veto_from_before_the_wait_is_an_answer_too() -> None:
    veto = standing("web-3", NEW, OLD, state="vetoing", error="db.port: not a port")
    awaited = Awaited(NEW, [veto])

    uptake = awaited.look({"web-3": veto}, there={"web-3"}, now=NEW, now_ms=NOW_MS)

    assert laggard(uptake).state == "vetoing"
    assert uptake.is_over


def test_a_veto_of_another_release_is_no_answer() -> None:
    veto = standing("web-3", OLD, OLD, state="vetoing", error="an old story", **FRESH)

    uptake = look(APPLIED | {"web-3": veto})

    assert laggard(uptake).state == "vetoing"
    assert not uptake.is_over


def test_a_quorum_is_enough() -> None:
    reports = APPLIED | {"web-3": BEFORE["web-3"]}

    assert look(reports, quorum=Quorum(count=2)).is_reached
    assert not look(reports, quorum=Quorum(count=3)).is_reached


@pytest.mark.parametrize("state", ["cached", "reconnecting", "regressed", "lost", "outdated"])
def test_who_cannot_follow_is_named_with_the_state(state: str) -> None:
    reports = APPLIED | {"web-3": standing("web-3", OLD, OLD, state=state, error="a reason", **FRESH)}

    found = laggard(look(reports))

    assert (found.state, found.reason, found.running, found.seen) == (state, "a reason", 1, 1)


def test_who_has_no_configuration_yet_is_awaited_as_well() -> None:
    found = laggard(look(APPLIED | {"web-3": standing("web-3", None, None, state="waiting", **FRESH)}))

    assert (found.reason, found.running, found.seen) == ("it has no configuration yet", None, None)


@pytest.mark.parametrize("at_ms", [NOW_MS - 3001, NOW_MS + 3001, 0, 10**18, -(10**18)])
def test_a_report_of_an_impossible_time_is_silence(at_ms: int) -> None:
    uptake = look(APPLIED | {"web-3": standing("web-3", NEW, NEW, at_ms=at_ms)})

    assert laggard(uptake).state == "silent"
    assert laggard(uptake).reason.startswith("nothing was heard of it for ")


@pytest.mark.parametrize(
    "running",
    [
        replace(NEW, digest="d" * 64),  # the right change with other content
        replace(NEW, change="1" * 16, revision=OLD.revision),  # the content as it was before
        replace(NEW, change="1" * 16, epoch="2" * 16, revision=99),  # of a life that knows nothing of this one
    ],
)
def test_a_stand_that_is_not_this_release_does_not_count(running: Head) -> None:
    assert laggard(look(APPLIED | {"web-3": standing("web-3", NEW, running, **FRESH)})).state == "live"


def test_the_same_content_at_a_later_change_counts() -> None:
    resumed = NEW.next(version=2, digest=NEW.digest, merged="")
    restored = NEW.anchored(revision=9, version=4)

    for later in (resumed, restored):
        assert look({name: standing(name, later, later, **FRESH) for name in BEFORE}, now=later).is_reached


def test_instances_that_appear_are_listed_and_do_not_count() -> None:
    more = {"web-4": standing("web-4", NEW, NEW, **FRESH), "web-5": standing("web-5", OLD, OLD, at_ms=1)}
    publisher = {"pub-1": standing("pub-1", NEW, None, role="publisher", **FRESH)}

    uptake = look(APPLIED | {"web-3": BEFORE["web-3"]} | more | publisher, quorum=Quorum(count=3))

    assert uptake.appeared == ("web-4",)
    assert (len(uptake.applied), uptake.expected, uptake.is_reached) == (2, 3, False)


def test_who_leaves_is_not_waited_for() -> None:
    reports = {name: APPLIED[name] for name in ("web-1", "web-2")}

    uptake = look(reports)

    assert (uptake.vanished, uptake.expected, uptake.is_reached) == (("web-3",), 2, True)


def test_who_applied_it_and_left_has_applied_it() -> None:
    awaited = Awaited(NEW, BEFORE.values())
    awaited.look(APPLIED, there=APPLIED.keys(), now=NEW, now_ms=NOW_MS)

    uptake = awaited.look({}, there=(), now=NEW, now_ms=NOW_MS)
    much_later = awaited.look({}, there=(), now=NEW, now_ms=NOW_MS + 100_000)

    assert uptake.applied == much_later.applied == ("web-1", "web-2", "web-3")


def test_who_was_dropped_for_silence_did_not_leave() -> None:
    reports = {name: replace(APPLIED[name], at_ms=NOW_MS + 60_000) for name in ("web-1", "web-2")}

    uptake = look(reports, now_ms=NOW_MS + 60_000)

    assert uptake.vanished == ()
    assert laggard(uptake).state == "silent"


@pytest.mark.parametrize("now", [None, NEW.anchored(revision=9, version=4)])
def test_whose_report_is_lost_with_the_server_s_data_did_not_leave(now: Head | None) -> None:
    uptake = look({}, there=set(), now=now)

    assert (uptake.vanished, uptake.expected, uptake.is_reached) == ((), 3, False)


def test_a_report_that_cannot_be_read_any_more_counts_for_nothing() -> None:
    reports = {name: APPLIED[name] for name in ("web-1", "web-2")}

    uptake = look(reports, there=set(BEFORE))

    assert (laggard(uptake).state, uptake.vanished) == ("silent", ())


def test_how_many_judged_it_is_told_and_who_did_with_fewer_is_named() -> None:
    uptake = look(APPLIED | {"web-3": standing("web-3", NEW, NEW, validators=1, **FRESH)})

    assert uptake.judges == (1, 2)
    assert uptake.remarks == ("web-3 applied it with 1 of the 2 views and validators that it had",)
    assert uptake.is_reached


@pytest.mark.parametrize("changed", ["db", "db.pool", 'db["a.b"]'])
def test_who_has_no_key_for_what_changed_lags(changed: str) -> None:
    locked = standing("web-3", NEW, NEW, locked=("db",), **FRESH)

    uptake = look(APPLIED | {"web-3": locked}, changed={changed})

    assert (laggard(uptake).state, laggard(uptake).reason) == ("locked", "it has no key for db")
    assert uptake.is_over


def test_who_has_no_key_for_something_else_has_applied_it_and_is_named() -> None:
    locked = standing("web-3", NEW, NEW, locked=("db",), **FRESH)

    uptake = look(APPLIED | {"web-3": locked}, changed={"web", "dbx"})

    assert uptake.is_reached
    assert uptake.remarks == ("web-3 applied it, locked: db",)


def test_another_release_in_its_place_ends_it() -> None:
    uptake = look(APPLIED, now=LATER)

    assert (uptake.superseded_by, uptake.is_reached, uptake.is_over) == (3, False, True)


def test_a_change_that_leaves_the_content_does_not_supersede_it() -> None:
    assert look(APPLIED, now=NEW.next(version=2, digest=NEW.digest, merged="")).is_reached


@pytest.mark.parametrize(
    ("now", "setback"), [(None, "the server has lost it"), (OLD, "the server went back to version 1")]
)
def test_what_the_server_has_lost_is_not_counted_on_and_may_come_back(now: Head | None, setback: str) -> None:
    uptake = look(APPLIED, now=now)

    assert (uptake.setback, len(uptake.applied)) == (setback, 3)
    assert not uptake.is_reached
    assert not uptake.is_over
