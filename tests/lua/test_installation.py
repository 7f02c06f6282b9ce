"""What an import promises at every place: whole or without a head, and never over what is there."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest

from confbus.errors import Conflict, LeaseHeld, Malformed, Refused
from confbus.status import Stand, Status
from confbus.timing import Counts
from confbus_publisher.ledger import Why
from confbus_publisher.ledger.installation import adopt, install
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.ledger.store import BlobsDiffer, LogMoved
from support.exports import ANN, DOCUMENTS, backup, exported, imported, live
from support.places import encoded, ledger

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.ledger import Store
    from support.places import Place, RedisPlace


def raw() -> bytes:
    store = MemoryStore()
    live(store)
    return exported(store)


def test_an_import_gives_history_rollback_and_the_next_release(place: Place) -> None:
    imported(place.store(), raw())

    there = ledger(place)
    assert [release.version for release in there.history()] == [4, 3, 2, 1]
    assert there.state
    assert there.state.document() == DOCUMENTS[0]
    assert there.rollback(there.release(2), Why("dan", "", "rollback")).version == 5
    assert there.publish(encoded(DOCUMENTS[3]), ANN).version == 6
    assert {entry.fields["action"] for entry in there.store.log(4)} == {"publish", "rollback", "import", "holds"}
    assert there.store.lease() == ""


def test_what_was_exported_comes_out_again_the_same(place: Place) -> None:
    first = raw()
    imported(place.store(), first)

    again = backup(exported(place.store()))

    before = backup(first).image
    assert again.image.log[:-1] == before.log
    assert replace(again.image, log=()) == replace(before, log=())


def test_an_import_over_what_is_there_is_refused_and_changes_nothing(place: Place) -> None:
    there = ledger(place)
    there.publish(encoded(DOCUMENTS[3]), ANN)
    before = place.content()

    with pytest.raises(Refused, match="version 1 already"):
        imported(place.store(), raw())

    assert place.content() == before


def test_blobs_of_something_else_are_not_imported_over(place: Place) -> None:
    place.store().leave({"ab" * 32: b"of an earlier life"})

    with pytest.raises(Refused, match="not those of the export"):
        imported(place.store(), raw())

    assert place.store().head() is None


def test_an_import_beside_an_active_publisher_is_refused(place: Place) -> None:
    place.store().take_lease("somebody", 60_000)

    with pytest.raises(LeaseHeld, match="Stop it before"):
        imported(place.store(), raw())

    assert place.store().blob_names() == set()
    assert place.store().lease() == "somebody"


def test_of_two_imports_at_once_one_is_refused_and_the_other_is_whole(place: Place) -> None:
    first = backup(raw())

    def batches() -> Iterator[dict[str, bytes]]:
        yield from first.batches()
        imported(place.store(), raw())

    with pytest.raises(Conflict):
        install(place.store(), first.image, batches(), Why("carl", "", "import"))

    there = backup(exported(place.store())).image
    assert there.head != first.image.head
    assert [entry.fields["action"] for entry in there.log].count("import") == 1


def test_nothing_is_left_once_there_is_a_head(place: Place) -> None:
    ledger(place).publish(encoded(DOCUMENTS[3]), ANN)
    before = place.content()
    there = backup(raw())

    with pytest.raises(Conflict):
        place.store().leave({"ab" * 32: b"x"}, there.image.releases)

    assert place.content() == before


def test_an_import_that_is_run_again_is_the_same_one(place: Place) -> None:
    first = raw()
    imported(place.store(), first)

    imported(place.store(), first)

    assert [entry.fields["action"] for entry in place.store().log(20)].count("import") == 1


class Dying:
    """A store whose calls fail from the `calls`th on that writes, as when the server is gone."""

    def __init__(self, store: Store, calls: int) -> None:
        self._store = store
        self.calls = calls

    def __getattr__(self, name: str) -> Any:
        if name in {"leave", "install"}:
            self.calls -= 1
            if self.calls < 0:
                raise ConnectionError(name)
        return getattr(self._store, name)


def dying(store: Store, calls: int) -> Store:
    return cast("Store", Dying(store, calls))


@pytest.mark.parametrize("calls", [0, 1, 2])
def test_an_import_that_ends_half_way_leaves_no_head_and_can_be_run_again(place: Place, calls: int) -> None:
    first = raw()

    with pytest.raises(ConnectionError):
        imported(dying(place.store(), calls), first)

    assert place.store().head() is None
    assert ledger(place).history() == []
    imported(place.store(), first)
    assert ledger(place).history()[0].version == 4


def test_what_was_left_half_way_does_not_hinder_a_first_release(place: Place) -> None:
    with pytest.raises(ConnectionError):
        imported(dying(place.store(), 2), raw())

    release = ledger(place).publish(encoded(DOCUMENTS[3]), ANN)

    assert release.version == 5
    assert place.store().blob_names() >= set(release.manifest.sections.values())
    assert ledger(place).state


@pytest.mark.parametrize(("word", "error"), [("blob", BlobsDiffer), ("release", BlobsDiffer), ("log", LogMoved)])
def test_the_head_is_not_written_without_what_it_stands_for(place: Place, word: str, error: type[Exception]) -> None:
    there, store = backup(raw()), place.store()
    for batch in there.batches():
        store.leave(batch)
    store.leave({}, there.image.releases)
    if word == "blob":
        place.lose_blob(there.image.release.manifest.sections["db"])
    if word == "release":
        place.lose_release(2)
    if word == "log":
        store.note({"action": "refused"})

    with pytest.raises(error):
        store.install(there.image, tail="")

    assert store.head() is None
    assert store.overrides().texts == {}


def test_a_head_that_came_meanwhile_stays(place: Place) -> None:
    there, store = backup(raw()), place.store()
    mine = ledger(place)
    mine.publish(encoded(DOCUMENTS[3]), ANN)

    with pytest.raises(Conflict):
        store.install(there.image, tail="")

    assert store.head() == (mine.state and mine.state.head)


def test_entries_that_come_behind_what_the_log_has_keep_their_times(place: Place) -> None:
    store, first = place.store(), raw()
    store.note({"action": "refused", "author": "eve"})
    before = store.log(5)

    imported(store, first)

    last, *log = store.log(50)
    assert last.fields["action"] == "import"
    assert log[-1:] == before
    told = [(entry.at_ms, entry.fields["action"]) for entry in reversed(log[:-1])]
    assert told == [(entry.at_ms, entry.fields["action"]) for entry in backup(first).image.log]


def test_a_log_that_was_emptied_takes_the_entries_with_their_times(server_place: RedisPlace) -> None:
    store, first = server_place.store(), raw()
    store.note({"action": "refused", "author": "eve"})
    server_place.client.xdel(server_place.keys.log, store.log(1)[0].id)

    imported(store, first)

    last, *log = store.log(50)
    assert last.fields["action"] == "import"
    told = [(entry.at_ms, entry.fields["action"]) for entry in reversed(log)]
    assert told == [(entry.at_ms, entry.fields["action"]) for entry in backup(first).image.log]


def test_an_adopted_export_is_a_new_version_above_all_that_is_known(place: Place) -> None:
    there = ledger(place)
    for document in DOCUMENTS[1:]:
        there.publish(encoded(document), ANN)
    held = there.rollback(there.release(1), ANN)
    export = backup(raw())

    release = adopt(there, export.image, export.blobs_of(export.image.release), Why("carl", "", "import"))

    assert release.version > held.version
    assert release.of == release.version
    after = ledger(place)
    assert after.state
    assert after.state.document() == DOCUMENTS[0]
    assert after.state.head.epoch != held.digest
    assert [each.version for each in after.history()] == [release.version, *range(held.version, 0, -1)]
    assert after.store.log(1)[0].fields["action"] == "import"


def test_an_adopted_export_is_above_what_instances_report(place: Place) -> None:
    store = place.store()
    far = Stand(version=200, revision=300, epoch="0123", change="4567", digest="89ab")
    store.report("worker", report(far))
    export = backup(raw())

    release = adopt(ledger(place), export.image, export.blobs_of(export.image.release), Why("carl", "", "import"))

    head = store.head()
    assert head
    assert (release.version, head.revision) == (201, 301)


def report(place: Stand) -> bytes:
    status = Status(
        namespace="shop",
        instance="worker",
        state="live",
        seen=place,
        running=place,
        verified_age_s=1.0,
        error="",
        counts=Counts(),
    )
    return json.dumps({**status.report({}, interval_s=30, protocol=1, validators=0), "at": 1}).encode()


def test_what_is_no_stream_or_hash_is_not_written_over(redis_place: RedisPlace) -> None:
    redis_place.client.set(redis_place.keys.overrides, "x")

    with pytest.raises((Refused, Malformed)):
        imported(redis_place.store(), raw())

    assert redis_place.store().head() is None
    assert redis_place.client.get(redis_place.keys.overrides) == b"x"


@pytest.mark.parametrize("lacking", ["head", "log", "quarantine", "overrides", "approvals", "holds"])
def test_an_import_that_lacks_a_right_writes_nothing_that_anybody_reads(strict_place: RedisPlace, lacking: str) -> None:
    keys, mine = strict_place.keys, getattr(strict_place.keys, lacking)
    named = [keys.head, keys.log, keys.quarantine, keys.overrides, keys.approvals, keys.holds, keys.blobs, keys.notices]
    left = [keys.blobs, *map(keys.release, range(1, 9))]
    others = [f"~{key}" for key in (*named, *left) if key != mine]
    script = f"(+eval +evalsha ~{mine} {' '.join(others)})"

    with (
        strict_place.store_of_user("+@all", "&*", f"%R~{keys.lease}", f"%R~{mine}", *others, script) as store,
        pytest.raises(Refused, match=rf"may not write .*:{lacking}"),
    ):
        imported(store, raw())

    assert {key.decode() for key in strict_place.client.keys("*")} <= set(left)


def test_blobs_and_releases_of_an_import_come_together_or_not_at_all(strict_place: RedisPlace) -> None:
    keys = strict_place.keys
    read = [f"%R~{key}" for key in (keys.lease, keys.head, keys.log)]
    releases = " ".join(f"~{keys.release(version)}" for version in range(1, 9))
    script = f"(+eval +evalsha ~{keys.head} ~{keys.blobs} {releases})"

    with (
        strict_place.store_of_user("+@all", "&*", *read, f"~{keys.blobs}", script) as store,
        pytest.raises(Refused, match=r"may not write .*:release:"),
    ):
        imported(store, raw())

    assert {key.decode() for key in strict_place.client.keys("*")} <= {keys.blobs}
