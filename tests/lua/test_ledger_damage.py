"""What a ledger does about what happened behind its back: it heals it, or it refuses and writes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import Malformed, NoRelease, Refused
from confbus.wire.head import PROTOCOL
from confbus_publisher.guard.guard import Terms
from confbus_publisher.ledger import Ledger, Why, scripts
from support.places import encoded, ledger

if TYPE_CHECKING:
    from support.places import Place, RedisPlace

ANN = Why("ann")
GOOD: dict[str, Any] = {"database": {"host": "a"}, "pool": {"size": 1}, "debug": False}
BAD: dict[str, Any] = {**GOOD, "database": {"host": "b"}}


def is_whole(place: Place) -> bool:
    """Whether a publisher that knows nothing finds all that the head stands for."""
    state = ledger(place).state
    return state is not None and len(state.blobs) == len(set(state.release.manifest.sections.values()))


def published(place: Place) -> Ledger:
    """A publisher that published twice."""
    publisher = ledger(place)
    publisher.publish(encoded(GOOD), ANN)
    publisher.publish(encoded(BAD), ANN)
    return publisher


@pytest.mark.parametrize("lost", ["one", "all"])
def test_lost_blobs_come_back_with_the_next_release(place: Place, lost: str) -> None:
    publisher = published(place)
    assert publisher.state
    shared = publisher.state.release.manifest.sections["pool"]
    for digest in [shared] if lost == "one" else place.store().blob_names():
        place.lose_blob(digest)
    with pytest.raises(NoRelease, match="is gone"):
        ledger(place)

    publisher.publish(encoded({**BAD, "new": {"a": 1}}), ANN)

    assert is_whole(place)


def test_lost_blobs_come_back_with_a_rollback_and_with_a_resume(place: Place) -> None:
    publisher = published(place)

    for change in (lambda: publisher.rollback(publisher.release(1), ANN), lambda: publisher.resume([], ANN)):
        place.lose_blob(encoded(GOOD).manifest.sections["pool"])
        change()

        assert is_whole(place)


def test_a_lost_blob_of_another_release_does_not_stop_the_next_one(place: Place) -> None:
    publisher = published(place)
    place.lose_blob(encoded(GOOD).manifest.sections["database"])

    publisher.publish(encoded({"x": 1}), ANN)

    assert is_whole(place)
    with pytest.raises(NoRelease, match="'database' is gone"):
        publisher.rollback(publisher.release(1), ANN)


def test_a_lost_release_comes_back_as_the_next_one(place: Place) -> None:
    publisher = published(place)
    place.lose_release(2)
    with pytest.raises(Malformed, match="release 2"):
        ledger(place)

    release = publisher.publish(encoded({**BAD, "pool": {"size": 2}}), ANN)

    assert (release.version, release.parent) == (3, 2)
    assert is_whole(place)
    assert [each.version for each in ledger(place).history()] == [3, 1]


def test_a_head_without_its_release_or_a_blob_is_not_whole(place: Place) -> None:
    publisher = published(place)
    answers = [publisher.is_whole()]

    place.lose_blob(encoded(BAD).manifest.sections["pool"])
    answers.append(publisher.is_whole())
    publisher.resume([], ANN)
    answers.append(publisher.is_whole())
    place.lose_release(2)
    answers.append(publisher.is_whole())

    assert answers == [True, False, True, False]


@pytest.mark.parametrize(
    ("field", "text"),
    [("digest", "f" * 64), ("section:pool", "f" * 64), ("version", "7"), ("version", ""), ("at", "x")],
)
def test_an_altered_release_is_noticed(redis_place: RedisPlace, field: str, text: str) -> None:
    publisher = published(redis_place)

    redis_place.client.hset(redis_place.keys.release(2), field, text)

    assert not publisher.is_whole()
    with pytest.raises(Malformed, match="release 2"):
        ledger(redis_place)


def test_the_next_release_is_no_copy_of_one_with_another_digest(redis_place: RedisPlace) -> None:
    publisher = published(redis_place)
    redis_place.client.hset(redis_place.keys.release(2), mapping={"digest": "f" * 64, "section:pool": "f" * 64})

    publisher.publish(encoded({**BAD, "new": {}}), ANN)

    assert is_whole(redis_place)


def test_an_orphaned_blob_is_freed_with_the_next_release(redis_place: RedisPlace) -> None:
    publisher = published(redis_place)
    redis_place.client.hset(redis_place.keys.blobs, "0" * 64, b"nobody's")

    publisher.publish(encoded(GOOD), ANN)

    assert "0" * 64 not in redis_place.store().blob_names()
    assert is_whole(redis_place)


def test_a_head_that_is_none_is_malformed(redis_place: RedisPlace) -> None:
    published(redis_place)
    redis_place.client.hset(redis_place.keys.head, "revision", "many")

    with pytest.raises(Malformed, match="field 'revision'"):
        ledger(redis_place)


def test_history_goes_on_below_an_anchor_that_has_no_parent(redis_place: RedisPlace) -> None:
    publisher = published(redis_place)
    known = publisher.state
    assert known
    redis_place.client.delete(redis_place.keys.head)

    publisher.anchor(known, ANN)
    for number in range(63):
        publisher.publish(encoded({"x": number}), ANN)

    assert publisher.release(3).parent == 0
    assert [each.version for each in ledger(redis_place).history()] == list(range(66, 0, -1))


@pytest.mark.parametrize(("field", "text", "versions"), [("parent", "2", [2, 1]), ("version", "9", [2])])
def test_a_release_that_leads_back_up_is_not_followed(
    redis_place: RedisPlace, field: str, text: str, versions: list[int]
) -> None:
    publisher = published(redis_place)
    redis_place.client.hset(redis_place.keys.release(1), field, text)

    history = publisher.history(10)

    assert [each.version for each in history] == versions


@pytest.mark.parametrize("name", ["head", "blobs", "log", "quarantine"])
def test_something_else_in_place_of_a_key_is_refused_and_nothing_written(redis_place: RedisPlace, name: str) -> None:
    publisher, key = published(redis_place), getattr(redis_place.keys, name)
    redis_place.client.delete(key)
    redis_place.client.set(key, "somebody's")
    before = redis_place.content()

    for operation in (
        lambda: publisher.publish(encoded({"x": 1}), ANN),
        lambda: publisher.resume([], ANN),
        lambda: publisher.rollback(publisher.release(1), ANN),
        lambda: ledger(redis_place).publish(encoded({"x": 1}), ANN),
    ):
        with pytest.raises(Refused, match=r"Nothing was written.*[Dd]elete or rename"):
            operation()

    assert redis_place.content() == before


@pytest.mark.parametrize("version", [1, 2, 3])
def test_something_else_in_place_of_a_release_is_left_alone(redis_place: RedisPlace, version: int) -> None:
    publisher, key = published(redis_place), redis_place.keys.release(version)
    redis_place.client.delete(key)
    redis_place.client.set(key, "somebody's")

    publisher.publish(encoded({**BAD, "new": {}}), ANN)

    assert redis_place.client.get(key) == b"somebody's"
    assert is_whole(redis_place)


def test_names_that_are_no_text_stop_nobody_and_go_with_the_orphans(redis_place: RedisPlace) -> None:
    published(redis_place)
    redis_place.client.set(redis_place.keys.lease, b"\xff")
    redis_place.client.hset(redis_place.keys.blobs, b"\xff\xfe", b"somebody's")
    redis_place.client.hset(redis_place.keys.fleet, b"\xff", b"{}")

    publisher = ledger(redis_place)
    publisher.publish(encoded({"x": 1}), ANN)

    assert publisher.store.lease() == publisher.store.take_lease("me", 1000) == "\ufffd"
    assert list(publisher.store.fleet()) == ["\ufffd"]
    assert b"\xff\xfe" not in redis_place.client.hkeys(redis_place.keys.blobs)
    assert is_whole(redis_place)


def test_something_else_in_place_of_lease_or_fleet_is_refused(redis_place: RedisPlace) -> None:
    store, keys = redis_place.store(), redis_place.keys
    redis_place.client.hset(keys.lease, "a", "b")
    redis_place.client.set(keys.fleet, "somebody's")
    before = redis_place.content()

    for operation in (
        lambda: store.take_lease("me", 1000),
        lambda: store.drop_lease("me"),
        store.lease,
        store.fleet,
        lambda: store.report("me", b"{}"),
        lambda: store.forget(["me"]),
    ):
        with pytest.raises(Refused, match="wrong type"):
            operation()

    assert redis_place.content() == before


def test_a_head_of_a_newer_protocol_is_refused_and_nothing_written(place: Place) -> None:
    publisher = published(place)
    known = publisher.state
    assert known
    head = known.head.next(version=2, digest=known.head.digest, merged="")
    place.put_head(replace(head, protocol=PROTOCOL + 1))
    before = place.content()

    for operation in (
        publisher.refresh,
        lambda: ledger(place),
        lambda: publisher.anchor(known, ANN),
        publisher.history,
    ):
        with pytest.raises(Refused, match=rf"protocol {PROTOCOL + 1}.*Upgrade"):
            operation()

    assert place.content() == before


def test_a_publisher_without_the_channel_is_refused_or_says_so(server_place: RedisPlace) -> None:
    published(server_place)
    before = server_place.content()
    can_ask = tuple(map(int, server_place.client.info("server")["redis_version"].split("."))) >= (7,)

    with server_place.store_of_user("~*", "+@all", "resetchannels") as store:
        publisher = Ledger(store)
        publisher.refresh()
        if can_ask:
            with pytest.raises(Refused, match=r"may not publish to confbus:.*`confbus acl`"):
                publisher.publish(encoded(GOOD), ANN)
        else:
            publisher.publish(encoded(GOOD), ANN)

    assert (server_place.content() == before) is can_ask
    assert bool(publisher.unannounced) is not can_ask


def test_a_publisher_that_may_not_move_the_head_leaves_nothing_behind(strict_place: RedisPlace) -> None:
    published(strict_place)
    before, keys = strict_place.content(), strict_place.keys
    written = [keys.blobs, keys.log, keys.quarantine, keys.guard, keys.notices, keys.overrides, keys.approvals]
    others = [f"~{key}" for key in (*written, keys.holds, *map(keys.release, (1, 2, 3)))]
    script = f"(+eval +evalsha ~{keys.head} {' '.join(others)})"

    with strict_place.store_of_user("+@all", "&*", f"%R~{keys.head}", *others, script) as store:
        publisher = Ledger(store)
        publisher.refresh()
        with pytest.raises(Refused, match=r"may not write confbus:.*:head"):
            publisher.publish(encoded(GOOD), ANN)

    assert strict_place.content() == before


@pytest.mark.parametrize("lacking", ["head", "quarantine", "log"])
def test_a_rollback_by_hand_that_lacks_a_right_leaves_nothing_behind(strict_place: RedisPlace, lacking: str) -> None:
    published(strict_place)
    keys, before = strict_place.keys, strict_place.content()
    named = [keys.head, *map(keys.release, (1, 3, 2)), keys.blobs, keys.log, keys.quarantine, keys.notices]
    mine = getattr(keys, lacking)
    others = [f"~{key}" for key in named if key != mine]

    with strict_place.client_of_user(
        "+@all", "&*", f"%R~{mine}", *others, f"(+eval +evalsha ~{mine} {' '.join(others)})"
    ) as client:
        answer = scripts.script("rollback").call(client, named, ["ann", "why"])

    assert answer == ("denied", mine)
    assert strict_place.content() == before


def test_a_guard_that_may_not_be_ended_is_not_told_as_ended(strict_place: RedisPlace) -> None:
    publisher, keys = published(strict_place), strict_place.keys
    publisher.publish(encoded(GOOD), ANN, terms=Terms(60.0))
    guard, before = publisher.store.guard(), strict_place.content()
    assert guard
    script = f"(+eval +evalsha ~{keys.guard} ~{keys.log})"

    with (
        strict_place.store_of_user("+@all", "&*", f"%R~{keys.guard}", f"~{keys.log}", script) as store,
        pytest.raises(Refused, match=r"may not write confbus:.*:guard"),
    ):
        store.end_guard(guard, {"action": "guarded"})

    assert strict_place.content() == before


def test_a_publisher_that_may_not_read_releases_frees_nothing(server_place: RedisPlace) -> None:
    publisher = published(server_place)
    publisher.rollback(publisher.release(1), ANN)
    before, keys = server_place.content(), server_place.keys
    readable = [f"~{key}" for key in (keys.head, keys.blobs, keys.log, keys.quarantine, keys.notices, keys.release(4))]

    with server_place.store_of_user(*readable, "+@all", "&*") as store:
        blind = Ledger(store)
        blind.state = publisher.state
        with pytest.raises(Refused):
            blind.publish(encoded({"x": 1}), ANN)

    assert server_place.content() == before


def test_a_full_server_refuses_and_nothing_is_written(server_place: RedisPlace) -> None:
    publisher = published(server_place)
    before = server_place.content()

    server_place.client.config_set("maxmemory", 1)
    try:
        for operation in (
            lambda: publisher.publish(encoded({**BAD, "new": {}}), ANN),
            lambda: publisher.rollback(publisher.release(1), ANN),
            lambda: publisher.resume([], ANN),
        ):
            with pytest.raises(Refused, match="Nothing was written"):
                operation()
    finally:
        server_place.client.config_set("maxmemory", 0)

    assert server_place.content() == before
    publisher.publish(encoded(GOOD), ANN)
    assert is_whole(server_place)
