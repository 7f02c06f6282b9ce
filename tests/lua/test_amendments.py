"""What every store promises about overrides and approvals, and what a repair makes of overrides."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from confbus.client import make_client
from confbus.errors import OutcomeUnknown, Refused
from confbus.testing import Proxy
from confbus.wire.keys import Keys
from confbus.wire.notice import HINT
from confbus_publisher.ledger import Amendment, Ledger, Overrides, State, Why
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.overrides.override import Override
from support.eventually import eventually
from support.places import encoded, ledger

if TYPE_CHECKING:
    from confbus_publisher.ledger import Store
    from support.places import Place, RedisPlace
    from support.server import Server

ANN = Why("ann")
SET = Amendment("overrides", "a.b", "one", {"action": "set", "path": "a.b"})
UNSET = Amendment("overrides", "a.b", None, {"action": "override ended"})
APPROVE = Amendment("approvals", "f" * 64, "why", {"action": "approve"})


@pytest.fixture
def store(place: Place) -> Store:
    return place.store()


def texts(store: Store) -> dict[str, str]:
    return dict(store.overrides().texts)


def test_what_is_set_is_there_until_it_is_taken_away(store: Store) -> None:
    done = [store.amend(SET), store.amend(APPROVE)]
    before = texts(store), store.approvals()

    done.append(store.amend(UNSET))

    assert done == [True, True, True]
    assert before == ({"a.b": "one"}, {"f" * 64: "why"})
    assert (texts(store), store.approvals()) == ({}, {"f" * 64: "why"})


def test_every_amendment_is_in_the_audit_trail(store: Store) -> None:
    store.amend(SET)
    store.amend(UNSET)

    assert [dict(entry.fields) for entry in store.log(5)] == [UNSET.entry, SET.entry]


def test_the_same_again_is_neither_written_nor_told_again(place: Place, store: Store) -> None:
    store.amend(SET)
    before = place.content()

    done = store.amend(SET)

    assert done
    assert place.content() == before


@pytest.mark.parametrize("amendment", [UNSET, replace(UNSET, expected="one"), replace(SET, expected="one")])
def test_what_is_not_there_is_not_amended(place: Place, store: Store, amendment: Amendment) -> None:
    before = place.content()

    assert not store.amend(amendment)

    assert place.content() == before


def test_what_ended_does_not_take_away_what_was_set_in_its_place(store: Store) -> None:
    store.amend(SET)
    store.amend(replace(SET, text="two"))

    late = store.amend(replace(UNSET, expected="one"))
    after = texts(store)
    timely = store.amend(replace(UNSET, expected="two"))

    assert (late, after) == (False, {"a.b": "two"})
    assert (timely, texts(store)) == (True, {})


def test_overrides_come_with_the_head_and_the_time_of_the_same_moment(place: Place, store: Store) -> None:
    without = store.overrides()
    publisher = ledger(place)
    publisher.publish(encoded({"a": {"b": 1}}), ANN)

    seen = store.overrides()

    assert publisher.state
    assert (without.change, seen.change) == ("", publisher.state.head.change)
    assert without.now_ms <= seen.now_ms <= store.time_ms()


def test_an_approval_is_used_up_by_the_release_with_its_digest(place: Place, store: Store) -> None:
    approved, other = encoded({"a": {"b": 1}}), encoded({"a": {"b": 2}})
    for document in (approved, other):
        store.amend(replace(APPROVE, field=document.manifest.digest))

    ledger(place).publish(approved, ANN)

    assert store.approvals() == {other.manifest.digest: "why"}


def test_what_only_changes_the_head_uses_no_approval(place: Place, store: Store) -> None:
    publisher = ledger(place)
    release = publisher.publish(encoded({"a": {"b": 1}}), ANN)
    store.amend(replace(APPROVE, field=release.digest))

    publisher.resume([], ANN)

    assert list(store.approvals()) == [release.digest]


def test_whoever_was_in_conflict_hears_who_moved_the_head_not_who_amended(place: Place, store: Store) -> None:
    publisher, late = ledger(place), ledger(place)
    publisher.publish(encoded({"a": {"b": 1}}), ANN)
    store.amend(replace(SET, entry={**SET.entry, "author": "bob"}))

    with pytest.raises(Exception, match="The head moved by ann"):
        late.publish(encoded({"a": {"b": 2}}), ANN)


def test_a_look_at_overrides_goes_into_what_the_ledger_knows(place: Place, store: Store) -> None:
    publisher = ledger(place)
    store.amend(SET)
    unpublished = publisher.look_at_overrides()
    publisher.publish(encoded({"a": {"b": 1}}), ANN)

    publisher.look_at_overrides()

    assert unpublished
    assert unpublished.texts == {"a.b": "one"}
    assert publisher.state
    assert publisher.state.overrides
    assert publisher.state.overrides.texts == {"a.b": "one"}


def test_overrides_beside_another_head_are_not_taken(place: Place) -> None:
    publisher, other = ledger(place), ledger(place)
    publisher.publish(encoded({"a": {"b": 1}}), ANN)
    other.refresh()
    other.publish(encoded({"a": {"b": 2}}), ANN)

    assert publisher.look_at_overrides() is None
    assert publisher.state
    assert publisher.state.overrides is None


# --- after a loss --------------------------------------------------------------------------------------------------


def override(name: str, at_ms: int) -> dict[str, str]:
    value = Override(path=(name,), value=1, at_ms=at_ms)
    return {value.name: value.text()}


def known(*overrides: dict[str, str], at_ms: int) -> State:
    """The state of a head that was published elsewhere, with the overrides that were there at that time."""
    publisher = Ledger(MemoryStore())
    publisher.publish(encoded({"a": {"b": 1}}), ANN)
    assert publisher.state
    seen = Overrides({name: text for each in overrides for name, text in each.items()}, "", at_ms)
    return replace(publisher.state, overrides=seen)


def put(store: Store, *overrides: dict[str, str]) -> None:
    for each in overrides:
        for name, text in each.items():
            store.amend(Amendment("overrides", name, text, {"action": "set"}))


def test_overrides_come_back_with_the_head(place: Place, store: Store) -> None:
    state = known(override("a", 100), override("b", 200), at_ms=300)

    publisher = ledger(place)
    publisher.anchor(state, ANN)

    assert state.overrides
    assert texts(store) == state.overrides.texts
    assert publisher.state
    assert publisher.state.overrides == state.overrides


def test_what_was_set_after_the_loss_stays(place: Place, store: Store) -> None:
    state = known(override("a", 100), override("b", 100), at_ms=300)
    put(store, override("a", 400), override("new", 400))

    ledger(place).anchor(state, ANN)

    assert texts(store) == override("a", 400) | override("b", 100) | override("new", 400)


def test_what_came_back_with_a_backup_and_was_taken_away_since_goes_again(place: Place, store: Store) -> None:
    state = known(override("a", 200), at_ms=300)
    put(store, override("a", 100), override("old", 100))
    store.amend(Amendment("overrides", "nonsense", "{", {"action": "set"}))

    ledger(place).anchor(state, ANN)

    assert texts(store) == override("a", 200) | {"nonsense": "{"}


def test_whoever_knows_of_no_overrides_leaves_them_alone(place: Place, store: Store) -> None:
    state = replace(known(at_ms=300), overrides=None)
    put(store, override("old", 100))

    ledger(place).anchor(state, ANN)

    assert texts(store) == override("old", 100)


# --- what only servers do ------------------------------------------------------------------------------------------


def test_an_amendment_lets_everybody_look(redis_place: RedisPlace) -> None:
    listener = redis_place.client.pubsub(ignore_subscribe_messages=True)
    listener.subscribe(redis_place.keys.notices)
    eventually(lambda: redis_place.client.pubsub_numsub(redis_place.keys.notices)[0][1] == 1)

    redis_place.store().amend(SET)
    redis_place.store().amend(SET)
    redis_place.store().amend(replace(UNSET, field="nothing"))
    redis_place.store().amend(UNSET)

    heard = [eventually(lambda: listener.get_message(timeout=0.1))["data"] for _ in range(2)]
    assert heard == [HINT, HINT]
    assert listener.get_message() is None
    listener.close()


@pytest.mark.parametrize("key", ["overrides", "log"])
def test_something_else_in_its_place_is_refused_and_left_alone(redis_place: RedisPlace, key: str) -> None:
    name = getattr(redis_place.keys, key)
    redis_place.client.set(name, "something else")
    before = redis_place.content()

    with pytest.raises(Refused, match="is a string"):
        redis_place.store().amend(SET)

    assert redis_place.content() == before


def test_something_else_in_place_of_the_overrides_keeps_nobody_from_publishing(redis_place: RedisPlace) -> None:
    for key in (redis_place.keys.overrides, redis_place.keys.approvals):
        redis_place.client.set(key, "something else")
    publisher = ledger(redis_place)

    with pytest.raises(Refused, match="wrong type"):
        publisher.look_at_overrides()
    publisher.publish(encoded({"a": {"b": 1}}), ANN)
    publisher.anchor(known(override("a", 100), at_ms=300), ANN)

    assert publisher.refresh()
    assert redis_place.client.get(redis_place.keys.overrides) == b"something else"


def test_a_user_without_the_key_is_refused_and_nothing_is_written(server_place: RedisPlace) -> None:
    keys = server_place.keys
    server_place.client.set(keys.fleet, "that there is something")
    before = server_place.content()

    with server_place.store_of_user("+@all", "allchannels", f"~{keys.log}") as store:
        with pytest.raises(Refused):
            store.amend(SET)
        with pytest.raises(Refused):
            store.overrides()

    assert server_place.content() == before


def test_a_user_without_the_channel_amends_unheard(server_place: RedisPlace) -> None:
    with server_place.store_of_user("+@all", "allkeys", "resetchannels") as store:
        assert store.amend(SET)

    assert texts(server_place.store()) == {"a.b": "one"}


def test_of_two_that_set_at_once_one_is_the_last_and_both_are_told(server_place: RedisPlace) -> None:
    amendments = [replace(SET, text=str(number), entry={"action": "set", "n": str(number)}) for number in range(20)]

    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(server_place.store().amend, amendments))

    log = server_place.store().log(50)
    assert all(done)
    assert texts(server_place.store()) == {"a.b": log[0].fields["n"]}
    assert sorted(int(entry.fields["n"]) for entry in log) == list(range(20))


def test_an_amendment_whose_reply_was_lost_is_made_once(server: Server, namespace: str) -> None:
    watcher: Any = server.client()
    with Proxy(server.url) as proxy, ThreadPoolExecutor(1) as pool:
        store = RedisStore(make_client(proxy.url), Keys(namespace), where="a proxy", patience_s=5.0)
        store.amend(APPROVE)  # The server knows the script now.
        proxy.drop_replies()
        pending = pool.submit(store.amend, SET)
        eventually(lambda: watcher.hexists(Keys(namespace).overrides, "a.b"))
        proxy.flow()
        proxy.sever()
        done = pending.result()
        store.close()

    assert done
    assert watcher.xlen(Keys(namespace).log) == 2


def test_an_amendment_that_is_not_answered_is_said_to_be_unknown(server: Server, namespace: str) -> None:
    with Proxy(server.url) as proxy:
        store = RedisStore(make_client(proxy.url, timeout_s=0.1), Keys(namespace), where="a proxy", patience_s=0.05)
        store.overrides()
        proxy.drop_replies()
        with pytest.raises(OutcomeUnknown, match=r"Whether the amendment of a\.b was carried out is unknown"):
            store.amend(SET)
        store.close()
