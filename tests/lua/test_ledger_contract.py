"""What a ledger promises about the head and its releases, at every place that it may keep them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from confbus.errors import Conflict, NoRelease
from confbus.rule import Verdict, judge
from confbus.status import Stand
from confbus.wire.sections import join
from confbus_publisher.ledger import Ledger, Why
from support.places import encoded, ledger

if TYPE_CHECKING:
    from confbus_publisher.ledger.store import Commit, Store
    from support.clock import Clock
    from support.places import Place

ANN, BOB = Why("ann", "first"), Why("bob", "second")
GOOD: dict[str, Any] = {"database": {"host": "a"}, "pool": {"size": 1}, "debug": False}
BAD: dict[str, Any] = {"database": {"host": "b"}, "pool": {"size": 1}, "debug": False}


def document_of(store_view: Ledger) -> dict[str, Any]:
    """What the head stands for, read from the place alone."""
    state = store_view.refresh()
    assert state
    manifest = state.release.manifest
    return join(store_view.store.blobs(manifest.sections.values()), manifest).document


def test_there_is_no_state_before_the_first_release(place: Place) -> None:
    fresh = ledger(place)

    assert fresh.refresh() is None
    assert fresh.history() == []
    assert fresh.store.log(5) == []
    assert place.store().blob_names() == set()


def test_a_published_document_is_what_everybody_reads(place: Place, clock: Clock) -> None:
    publisher = ledger(place, clock=clock)

    release = publisher.publish(encoded(GOOD), ANN)

    reader = ledger(place)
    assert document_of(reader) == GOOD
    assert reader.state == publisher.state
    assert reader.release(1) == release
    assert (release.version, release.parent, release.of) == (1, 0, 1)
    assert (release.author, release.message, release.at_ms) == ("ann", "first", int(clock.now_s * 1000))
    assert release.size == encoded(GOOD).size


def test_the_first_head_begins_an_epoch_and_the_next_ones_go_on_in_it(place: Place) -> None:
    publisher = ledger(place)

    publisher.publish(encoded(GOOD), ANN)
    first = place.store().head()
    publisher.publish(encoded(BAD), BOB)
    second = place.store().head()

    assert first
    assert second
    assert (first.revision, first.version, first.lineage, first.ancestors) == (1, 1, (), ())
    assert (second.revision, second.version, second.epoch) == (2, 2, first.epoch)
    assert second.ancestors == (first.change,)
    assert second.merged == second.digest == encoded(BAD).manifest.digest


def test_history_tells_every_release_newest_first(place: Place) -> None:
    publisher = ledger(place)
    published = [publisher.publish(encoded({"a": {"b": number}}), ANN) for number in range(5)]

    history = ledger(place).history()

    assert history == published[::-1]
    assert ledger(place).history(2) == published[:2:-1]
    assert [each.parent for each in history] == [4, 3, 2, 1, 0]


def test_a_release_says_exactly_which_sections_it_has(place: Place) -> None:
    publisher = ledger(place)
    documents: list[dict[str, Any]] = [GOOD, {"pool": {"size": 2}, "new": {}}, {}, {"x": 1}, GOOD]

    for document in documents:
        publisher.publish(encoded(document), ANN)

    manifests = [each.manifest for each in ledger(place).history()]
    assert manifests == [encoded(document).manifest for document in reversed(documents)]


def test_a_thousand_sections_are_published_and_changed(place: Place) -> None:
    document: dict[str, Any] = {f"section{number}": {"a": number} for number in range(1000)}
    publisher = ledger(place)

    publisher.publish(encoded(document), ANN)
    publisher.publish(encoded({**document, "section7": {"a": -7}}), ANN)
    del document["section9"]
    publisher.publish(encoded(document), ANN)

    assert document_of(ledger(place)) == document
    assert len(ledger(place).history()) == 3


def test_a_late_publisher_is_fenced_and_told_by_whom(place: Place) -> None:
    publisher, late = ledger(place), ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    before = place.content()

    with pytest.raises(Conflict, match="by ann: expected no head, found revision 1") as caught:
        late.publish(encoded(BAD), BOB)

    assert caught.value.by == "ann"
    assert place.content() == before


def test_the_one_who_moved_the_head_is_named_not_the_last_one_refused(place: Place) -> None:
    publisher, late = ledger(place), ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    publisher.refused(Why("eve"), "a check failed")

    with pytest.raises(Conflict) as caught:
        late.publish(encoded(BAD), BOB)

    assert caught.value.by == "ann"


def test_after_a_conflict_and_a_refresh_the_publisher_goes_on(place: Place) -> None:
    publisher, late = ledger(place), ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    with pytest.raises(Conflict):
        late.publish(encoded(BAD), BOB)

    late.refresh()
    release = late.publish(encoded(BAD), BOB)

    assert (release.version, release.parent) == (2, 1)
    assert document_of(ledger(place)) == BAD


def test_every_operation_of_a_late_publisher_is_in_conflict(place: Place) -> None:
    publisher = ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    first = publisher.publish(encoded(BAD), ANN)
    late = ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    before = place.content()

    for operation in (lambda: late.rollback(first, BOB), lambda: late.resume([], BOB)):
        with pytest.raises(Conflict, match="by ann"):
            operation()

    assert place.content() == before


def test_the_same_change_sent_twice_is_published_once(place: Place) -> None:
    publisher = ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    sent: list[Commit] = []
    store = publisher.store

    class Twice:
        """A store on a network that delivers each commit twice."""

        def __getattr__(self, name: str) -> Any:
            return getattr(store, name)

        def commit(self, commit: Commit) -> str:
            sent.append(commit)
            store.commit(commit)
            return store.commit(commit)

    publisher.store = cast("Store", Twice())
    publisher.publish(encoded(BAD), ANN)
    publisher.publish(encoded(GOOD), ANN)
    before = place.content()

    for commit in sent:
        place.store().commit(commit)

    assert place.content() == before
    assert [each.version for each in ledger(place).history()] == [3, 2, 1]
    assert len(place.store().log(10)) == 3


def test_rolling_back_makes_a_new_version_of_the_old_content(place: Place, clock: Clock) -> None:
    publisher = ledger(place, clock=clock)
    good = publisher.publish(encoded(GOOD), ANN)
    bad = publisher.publish(encoded(BAD), ANN)

    restored = publisher.rollback(good, Why("bob", "oops", "rollback"))

    assert (restored.version, restored.parent, restored.of) == (3, 2, 1)
    assert restored.manifest == good.manifest
    assert document_of(ledger(place)) == GOOD
    assert publisher.state == ledger(place).state
    assert publisher.state
    assert publisher.state.head.merged == bad.digest
    held = f"database {bad.manifest.sections['database']}"
    assert place.store().quarantine() == {held: "rolled back by bob at 2025-06-15T15:06:40Z: oops"}


def test_a_rollback_of_a_rollback_is_of_the_first_version(place: Place) -> None:
    publisher = ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    publisher.publish(encoded(BAD), ANN)
    second = publisher.rollback(publisher.release(1), ANN)

    third = publisher.rollback(second, ANN)

    assert (third.version, third.of, third.digest) == (4, 1, second.digest)


def test_what_is_not_kept_cannot_be_rolled_back_to(place: Place) -> None:
    publisher = ledger(place)
    with pytest.raises(NoRelease, match="Version 1 is not kept"):
        publisher.release(1)
    release = publisher.publish(encoded(GOOD), ANN)

    with pytest.raises(NoRelease, match="'database' is gone"):
        publisher.rollback(replace(release, manifest=encoded(BAD).manifest), ANN)
    with pytest.raises(NoRelease, match="Nothing is published"):
        Ledger(place.store()).rollback(release, ANN)


def test_resuming_lifts_the_hold_and_lets_the_next_merge_out(place: Place) -> None:
    publisher = ledger(place)
    good = publisher.publish(encoded(GOOD), ANN)
    publisher.publish(encoded({**BAD, "pool": {"size": 2}}), ANN)
    publisher.rollback(good, ANN)
    held = sorted(place.store().quarantine())

    publisher.resume([held[0]], Why("bob", "", "resume"))

    state = ledger(place).state
    assert state == publisher.state
    assert state
    assert (state.head.version, state.head.revision, state.head.merged) == (3, 4, "")
    assert list(state.quarantine) == held[1:]
    assert [each.version for each in ledger(place).history()] == [3, 2, 1]


def test_a_publish_may_lift_what_it_mends(place: Place) -> None:
    publisher = ledger(place)
    good = publisher.publish(encoded(GOOD), ANN)
    publisher.publish(encoded(BAD), ANN)
    publisher.rollback(good, ANN)
    assert publisher.state

    publisher.publish(encoded(BAD), ANN, lift=list(publisher.state.quarantine))

    assert place.store().quarantine() == {}
    assert publisher.state.quarantine == {}


def test_an_anchor_is_above_all_that_is_known_and_whoever_stood_below_follows(place: Place) -> None:
    publisher = ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    publisher.publish(encoded(BAD), ANN)
    known = publisher.state
    assert known
    stand = Stand(version=30, revision=40, epoch="0123", change="4567", digest="89ab")

    release = ledger(place).anchor(known, Why("bob", "", "restore"), stands=[stand])

    there = place.store().head()
    assert there
    assert (there.version, there.revision, release.version, release.of) == (31, 41, 31, 2)
    assert {known.head.epoch: 2, "0123": 40}.items() <= dict(there.lineage).items()
    assert judge(known.head, there) is Verdict.APPLY
    assert judge(there, known.head) is Verdict.REGRESSED
    assert document_of(ledger(place)) == BAD


def test_an_anchor_brings_everything_back_to_an_empty_place(place: Place, clock: Clock) -> None:
    publisher = ledger(place, clock=clock)
    good = publisher.publish(encoded(GOOD), ANN)
    publisher.publish(encoded(BAD), ANN)
    publisher.rollback(good, ANN)
    known = publisher.state
    assert known
    elsewhere = replace(known, head=replace(known.head, version=80, revision=90))

    for version in (1, 2, 3):
        place.lose_release(version)
    for digest in place.store().blob_names():
        place.lose_blob(digest)
    publisher.anchor(elsewhere, BOB)

    state = ledger(place).state
    assert state == publisher.state
    assert state
    assert (state.head.version, state.head.revision) == (81, 91)
    assert state.quarantine == known.quarantine
    assert document_of(ledger(place)) == GOOD


def test_history_goes_past_gaps_and_past_an_anchor_without_a_parent(place: Place) -> None:
    publisher = ledger(place)
    for number in range(3):
        publisher.publish(encoded({"a": {"b": number}}), ANN)
    known = publisher.state
    assert known
    far = Stand(version=200, revision=200, epoch="0123", change="4567", digest="89ab")

    publisher.anchor(known, BOB, stands=[far])
    publisher.publish(encoded(GOOD), ANN)

    assert [each.version for each in ledger(place).history()] == [202, 201, 3, 2, 1]


def test_the_log_tells_every_change_and_every_refusal(place: Place) -> None:
    publisher = ledger(place)
    good = publisher.publish(encoded(GOOD), ANN)
    publisher.refused(Why("eve", "sneaky"), "a check failed")
    publisher.publish(encoded(BAD), BOB)
    publisher.rollback(good, Why("ann", "", "rollback"))

    entries = place.store().log(10)

    told = [(each.fields["action"], each.fields.get("version"), each.fields["author"]) for each in entries]
    assert told == [
        ("rollback", "3", "ann"),
        ("publish", "2", "bob"),
        ("refused", None, "eve"),
        ("publish", "1", "ann"),
    ]
    assert (entries[0].fields["from"], entries[0].fields["of"]) == ("2", "1")
    refused = {"action": "refused", "attempt": "publish", "author": "eve", "message": "sneaky", "why": "a check failed"}
    assert entries[2].fields == refused
    assert place.store().log(2) == entries[:2]
    assert place.store().log(10, after=entries[3].id, before=entries[0].id) == entries[1:3]
    assert place.store().log(1, before=entries[1].id) == [entries[2]]
    assert place.store().log(10, after=entries[0].id) == []
    assert place.store().log(10, after=str(entries[3].at_ms - 1), before=str(entries[0].at_ms + 1)) == entries
    assert [each.at_ms for each in entries] == sorted((each.at_ms for each in entries), reverse=True)


def test_a_version_left_over_from_an_earlier_life_is_skipped(place: Place) -> None:
    publisher = ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    for version in (2, 3):
        place.leave_release(version)

    release = publisher.publish(encoded(BAD), ANN)

    assert (release.version, release.of, release.parent) == (4, 4, 1)
    assert document_of(ledger(place)) == BAD


def test_an_anchor_skips_versions_left_over_too(place: Place) -> None:
    publisher = ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    known = publisher.state
    assert known
    place.leave_release(2)

    release = publisher.anchor(known, ANN)

    head = place.store().head()
    assert head
    assert head.version == release.version == 3
    assert document_of(ledger(place)) == GOOD
