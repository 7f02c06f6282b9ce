"""What every store promises beside releases: the lease, the fleet's reports, the log, the time."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from confbus.errors import Conflict
from confbus.wire import head as heads
from confbus.wire import release as releases
from confbus.wire.release import Release
from confbus_publisher.ledger.store import BlobsDiffer, Commit, VersionTaken
from support.eventually import eventually
from support.places import encoded

if TYPE_CHECKING:
    from confbus_publisher.ledger import Store
    from support.clock import Clock
    from support.places import Place, RedisPlace

ENCODED = encoded({"a": {"b": 1}, "c": {"d": 2}})
RELEASE = Release(1, 0, 1, ENCODED.manifest, author="ann", at_ms=5, size=ENCODED.size)
HEAD = heads.first(version=1, digest=RELEASE.digest, merged=RELEASE.digest)
BLOBS = {digest: ENCODED.blobs[name] for name, digest in ENCODED.manifest.sections.items()}
FIRST = Commit(None, HEAD, b"\x80", {"action": "publish"}, blob_count=0, release=RELEASE, blobs=BLOBS)
SECOND = Commit(HEAD, HEAD.next(version=1, digest=HEAD.digest, merged=""), b"\x80", {"action": "resume"}, blob_count=2)


@pytest.fixture
def store(place: Place) -> Store:
    return place.store()


def test_one_holds_the_lease_and_the_others_learn_who(store: Store) -> None:
    nobody = store.lease()

    first = store.take_lease("ann", 60_000)
    second = store.take_lease("bob", 60_000)
    again = store.take_lease("ann", 60_000)

    assert (nobody, first, second, again, store.lease()) == ("", "ann", "ann", "ann", "ann")


def test_only_the_holder_gives_the_lease_up(store: Store) -> None:
    store.take_lease("ann", 60_000)

    store.drop_lease("bob")
    kept = store.lease()
    store.drop_lease("ann")
    store.drop_lease("ann")

    assert (kept, store.lease()) == ("ann", "")
    assert store.take_lease("bob", 60_000) == "bob"


def test_a_lease_ends_by_itself(store: Store, clock: Clock) -> None:
    store.take_lease("ann", 5)

    clock.advance(0.006)

    eventually(lambda: store.lease() == "")
    assert store.take_lease("bob", 60_000) == "bob"


def test_taking_the_lease_again_prolongs_it(store: Store, clock: Clock) -> None:
    store.take_lease("ann", 5)
    store.take_lease("ann", 60_000)

    clock.advance(1)

    assert store.take_lease("bob", 5) == "ann"


def test_the_lease_tells_how_soon_it_ends(store: Store) -> None:
    before = store.lease_ends_in_s()
    store.take_lease("ann", 60_000)

    assert before == 0
    assert 0 < store.lease_ends_in_s() <= 60


def test_whoever_is_gone_holds_the_lease_no_longer_than_others_would(store: Store, clock: Clock) -> None:
    store.take_lease("ann", 60_000)
    clock.advance(-365 * 86_400)  # only the store in memory lives by that; to the others it is a lease of a minute

    held = store.take_lease("bob", 20)
    clock.advance(0.021)

    assert held == "ann"
    eventually(lambda: store.take_lease("bob", 60_000) == "bob")


def test_a_lease_without_an_end_gets_one(server_place: RedisPlace) -> None:
    store = server_place.store()
    server_place.client.set(server_place.keys.lease, "somebody")

    assert store.take_lease("bob", 20) == "somebody"
    eventually(lambda: store.take_lease("bob", 60_000) == "bob")


def test_the_last_report_of_each_instance_is_kept_until_it_is_forgotten(store: Store) -> None:
    store.report("ann", b"{}")
    store.report("bob", b"\xff")
    store.report("ann", b"[]")

    before = store.fleet()
    store.forget(["bob", "nobody"])
    store.forget([])

    assert before == {"ann": b"[]", "bob": b"\xff"}
    assert store.fleet() == {"ann": b"[]"}


def test_the_time_is_that_of_the_log(store: Store) -> None:
    before = store.time_ms()

    store.note({"action": "refused"})

    assert before <= store.log(1)[0].at_ms <= store.time_ms()


def test_entries_of_one_millisecond_keep_their_order(store: Store) -> None:
    for number in range(20):
        store.note({"action": "refused", "why": str(number)})

    entries = store.log(15)

    assert [entry.fields["why"] for entry in entries] == [str(number) for number in range(19, 4, -1)]
    assert len({entry.id for entry in entries}) == 15


def test_what_is_not_there_is_left_out(store: Store) -> None:
    store.commit(FIRST)

    assert store.releases([3, 1, 2]) == [RELEASE]
    assert store.releases([]) == []
    assert store.blobs(["0" * 64, *BLOBS]) == BLOBS
    assert store.blobs([]) == {}
    assert store.blob_names() == set(BLOBS)


def test_a_commit_on_another_head_is_in_conflict(store: Store) -> None:
    with pytest.raises(Conflict, match=r"expected revision 1, found no head"):
        store.commit(SECOND)
    store.commit(FIRST)
    other = replace(FIRST, head=heads.first(version=1, digest=HEAD.digest, merged=""))

    with pytest.raises(Conflict, match=r"expected no head, found revision 1"):
        store.commit(other)
    with pytest.raises(Conflict):
        store.commit(replace(SECOND, base=replace(HEAD, epoch="0123")))

    assert store.head() == HEAD
    assert len(store.log(5)) == 1


def test_a_commit_that_counts_other_blobs_writes_nothing(place: Place, store: Store) -> None:
    store.commit(FIRST)
    before = place.content()

    with pytest.raises(BlobsDiffer):
        store.commit(replace(SECOND, blob_count=3))

    assert place.content() == before


def test_a_commit_on_another_parent_writes_nothing(place: Place, store: Store) -> None:
    store.commit(FIRST)
    before = place.content()
    other = replace(RELEASE, manifest=encoded({"x": 1}).manifest)
    second = replace(SECOND, head=replace(SECOND.head, version=2), release=replace(RELEASE, version=2, parent=1))

    for parent in (other, replace(RELEASE, version=7)):
        with pytest.raises(BlobsDiffer):
            store.commit(replace(second, parent=parent))

    assert place.content() == before


def test_a_commit_of_a_version_that_is_there_writes_nothing(place: Place, store: Store) -> None:
    store.commit(FIRST)
    before = place.content()

    with pytest.raises(VersionTaken):
        store.commit(replace(SECOND, release=RELEASE, parent=RELEASE))

    assert place.content() == before


def test_a_change_is_known_again_for_sixteen_changes(place: Place, store: Store) -> None:
    store.commit(FIRST)
    head = HEAD
    for _ in range(16):
        base, head = head, head.next(version=1, digest=HEAD.digest, merged="")
        store.commit(replace(SECOND, base=base, head=head))
    before = place.content()

    told = store.commit(FIRST)

    assert told == ""
    assert place.content() == before


def test_quarantine_is_added_to_and_lifted_in_one_commit(store: Store) -> None:
    store.commit(replace(FIRST, quarantined={"a 1": "why", "b 2": "because"}))

    store.commit(replace(SECOND, quarantined={"c 3": "why"}, lifted=["a 1", "nothing"]))

    assert store.quarantine() == {"b 2": "because", "c 3": "why"}


def test_what_redis_keeps_is_readable_as_the_documentation_says(redis_place: RedisPlace) -> None:
    redis_place.store().commit(FIRST)

    texts = redis_place.client.hgetall(redis_place.keys.release(1))
    fields = {name.decode(): value.decode() for name, value in texts.items()}

    assert fields["section:a"] == ENCODED.manifest.sections["a"]
    assert (fields["version"], fields["author"], fields["at"]) == ("1", "ann", "5")
    assert releases.parse(fields) == RELEASE
    assert redis_place.client.hget(redis_place.keys.blobs, fields["section:a"]) == ENCODED.blobs["a"]


def test_how_long_a_server_has_been_up_is_told_in_whole_seconds(server_place: RedisPlace) -> None:
    assert 0 <= server_place.store().age_s() < 86_400
    assert server_place.store().age_s() % 1 == 0


def test_a_place_that_does_not_tell_its_age_is_taken_for_old(server_place: RedisPlace) -> None:
    with server_place.store_of_user("~*", "+@all", "-info") as store:
        assert store.age_s() == float("inf")


def test_a_notice_goes_out_with_each_commit(redis_place: RedisPlace) -> None:
    listener = redis_place.client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(redis_place.keys.notices)
    eventually(lambda: redis_place.client.pubsub_numsub(redis_place.keys.notices)[0][1] == 1)

    redis_place.store().commit(replace(FIRST, notice=b"first"))
    redis_place.store().commit(replace(SECOND, notice=b"second"))
    redis_place.store().commit(replace(SECOND, notice=b"again"))

    heard = [eventually(lambda: listener.get_message(timeout=0.1))["data"] for _ in range(2)]
    assert heard == [b"first", b"second"]
    assert listener.get_message() is None
    listener.close()
