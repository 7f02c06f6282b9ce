"""The command line: set, unset, approve, and what status, plan, publish and check make of overrides."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.client import keys_of
from confbus_publisher.ledger import Why
from confbus_publisher.opening import Site, inputs_of
from confbus_publisher.session import Session
from confbus_publisher.settings import load_settings
from support.eventually import eventually
from support.overruled import Reader
from support.places import encoded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.server import Server
    from support.shop import Shop

DIGEST = "0123456789abcdef" * 4


@pytest.fixture
def session(shop: Shop, server: Server) -> Iterator[Session]:
    """An active publisher that looks by itself only once an hour."""
    # As with an embedded server: at another one that is new, it would wait some polls for who may know more.
    settings = replace(load_settings("confbus.yaml"), redis=None, poll_interval_s=3600.0, lease_s=10_800.0)
    session = Session(settings, inputs_of(settings), server.url, ended=lambda: None)
    session.start()
    try:
        stands(session, "in step")
        session.follow()
        client: Any = server.client()
        notices = keys_of(client, shop.namespace).notices
        eventually(lambda: client.pubsub_numsub(notices)[0][1])
        yield session
    finally:
        session.stop()


def stands(session: Session, state: str) -> None:
    eventually(lambda: session.standing.state == state, describe=lambda: session.standing)


def overrides(shop: Shop) -> list[Any]:
    found: list[Any] = shop.confbus("status", "--output", "json").data["overrides"]
    return found


def test_a_path_at_which_nothing_was_is_told_with_the_nearest(shop: Shop) -> None:
    shop.confbus("publish")

    known, mistyped = shop.confbus("set", "db.port", "1"), shop.confbus("set", "db.prot", "1")
    facts = [shop.confbus("set", path, "2", "--output", "json").data for path in ("db.port", "d.new")]

    assert "before" not in known.err
    assert (
        "Nothing was at db.prot before. Did you mean 'db.port'? `confbus unset db.prot` takes it away." in mistyped.err
    )
    assert [each["is_new"] for each in facts] == [False, True]


def test_an_override_reaches_the_fleet_at_once_and_says_its_version(shop: Shop, session: Session) -> None:
    answer = shop.confbus("set", "db.port", "5433", "--reason", "a trial", "--wait", "20s")

    assert (answer.code, answer.out) == (0, "Set db.port; version 2 has it.\n")
    assert shop.confbus("get", "db.port").out == "5433\n"
    assert "db.port = 5433, until it is unset, " in shop.confbus("status").out


def test_who_sets_a_value_can_wait_for_the_fleet_to_have_it(shop: Shop, session: Session) -> None:
    with confbus.connect(str(shop.url), namespace=shop.namespace) as worker:
        eventually(lambda: worker.instance in shop.confbus("fleet").out)

        answer = shop.confbus("set", "db.port", "5433", "--wait", "20s")
        was_set = worker["db.port"]
        ended = shop.confbus("unset", "db.port", "--wait", "20s", "--output", "json")

        assert answer.out.splitlines()[1].startswith("1 of 1 instance applied version 2 in ")
        assert (was_set, worker["db.port"]) == (5433, 5432)
        assert (ended.code, ended.data["version"], ended.data["fleet"]["applied"]) == (0, 3, 1)


def test_who_lifts_a_hold_can_wait_for_the_fleet_to_have_what_was_held(shop: Shop, session: Session) -> None:
    shop.confbus("set", "db.port", "5433", "--wait", "20s")
    shop.confbus("rollback")
    stands(session, "held")
    with confbus.connect(str(shop.url), namespace=shop.namespace) as worker:
        eventually(lambda: worker.instance in shop.confbus("fleet").out)

        answer = shop.confbus("resume", "--wait", "20s", "--output", "json")

        assert (answer.code, answer.data["version"], answer.data["fleet"]["applied"]) == (0, 4, 1)
        assert worker["db.port"] == 5433


def test_an_override_can_be_ended_at_once(shop: Shop, session: Session) -> None:
    shop.confbus("set", "db.port", "5433", "--wait", "20s")

    answer = shop.confbus("unset", "db.port", "--wait", "20s")

    assert (answer.code, answer.out) == (0, "Ended the override of db.port; version 3 is without it.\n")
    assert (shop.confbus("get", "db.port").out, overrides(shop)) == ("5432\n", [])


def test_an_override_with_a_time_ends_by_itself(shop: Shop, session: Session) -> None:
    facts = shop.confbus("set", "db.port", "5433", "--ttl", "1s", "--output", "json").data

    eventually(lambda: shop.confbus("get", "db.port").out == "5432\n", within_s=15)

    assert facts["path"] == "db.port"
    assert facts["until"].endswith("Z")
    eventually(lambda: overrides(shop) == [])


@pytest.mark.parametrize(
    ("words", "value"),
    [
        (["new", "1.10"], '"1.10"'),
        (["new", "true"], "true"),
        (["new", "true", "--string"], '"true"'),
        (["new", '{"a": [1]}'], '{"a": [1]}'),
        (["new", "{broken", "--string"], '"{broken"'),
        (["new", "${HOME}"], '"${HOME}"'),
        (["--reason", "cold", "--", "new", "-1"], "-1"),
    ],
)
def test_a_value_is_what_it_looks_like_in_the_environment(shop: Shop, words: list[str], value: str) -> None:
    answer = shop.confbus("set", *words)

    assert answer.code == 0
    assert f"new = {value}, " in shop.confbus("status").out


def test_where_nobody_publishes_it_is_stored_and_said(shop: Shop) -> None:
    answer = shop.confbus("set", "db.port", "5433")

    assert (answer.code, answer.out) == (0, "Set db.port; no version has it yet.\n")
    assert answer.err == "No publisher is active: `confbus run` or `confbus publish` puts it out.\n"
    assert shop.confbus("publish").code == 0
    assert shop.confbus("get", "db.port").out == "5433\n"


def test_a_plan_shows_overrides_with_how_to_end_them(shop: Shop) -> None:
    shop.confbus("publish")
    shop.confbus("set", "db.port", "5433")

    plan = shop.confbus("plan")

    assert plan.code == 2
    assert "~ db.port  5432 -> 5433" in plan.out
    assert "override db.port (`confbus unset db.port`)" in plan.out


def test_without_publisher_what_ended_is_gone_with_the_next_publish(shop: Shop) -> None:
    shop.confbus("set", "db.port", "5433")
    shop.confbus("publish")

    answer = shop.confbus("unset", "db.port")
    before = shop.confbus("status").out
    published = shop.confbus("publish")

    assert answer.out == "Ended the override of db.port; no version is without it yet.\n"
    assert "db.port = 5433, ended, and not out yet" in before
    assert published.code == 0
    assert (shop.confbus("get", "db.port").out, overrides(shop)) == ("5432\n", [])


def test_what_cannot_be_merged_is_said_with_the_reason(shop: Shop, session: Session) -> None:
    answer = shop.confbus("set", "db", "1", "--wait", "20s")

    assert (answer.code, answer.out) == (3, "Set db; no version has it yet.\n")
    assert "refused: config/app.yaml:2:1: db: it is a mapping here" in answer.err
    assert "and at override db (`confbus unset db`) it is none." in answer.err
    assert shop.confbus("unset", "db", "--wait", "20s").code == 0
    stands(session, "in step")


def test_what_was_rolled_back_is_held_and_said(shop: Shop, session: Session) -> None:
    shop.confbus("set", "db.port", "5433", "--wait", "20s")
    shop.confbus("rollback")
    stands(session, "held")

    answer = shop.confbus("set", "number", "2", "--wait", "200ms", "--output", "json")

    assert (answer.code, answer.data["version"], answer.data["active"]["state"]) == (3, None, "held")


def test_beside_other_sources_than_those_in_force_none_goes_out_and_it_is_said(shop: Shop, session: Session) -> None:
    with Site(str(shop.url), shop.namespace).ledger() as ledger:
        ledger.refresh()
        ledger.publish(encoded({"number": 9}), Why("operator"))
    stands(session, "diverged")

    answer = shop.confbus("set", "number", "2", "--wait", "200ms")

    assert (answer.code, answer.out) == (3, "Set number; no version has it yet.\n")
    assert "diverged: its sources differ from the head" in answer.err
    assert shop.confbus("get", "number").out == "9\n"


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["hosts[0]", "1"], 64, "Override the whole list: hosts."),
        (["db.*", "1"], 64, "it is a pattern"),
        (["", "1"], 64, "it names the whole configuration"),
        (["a..b", "1"], 64, "is not a path"),
        (["a", "{broken"], 3, "or give --string"),
        (["a", "x" * 70_000], 3, "an override may have 65,536"),
        (["a", "1", "--ttl", "soon"], 64, "write a duration"),
        (["a", "1", "--ttl", "9000h"], 64, "of at most a year"),
        (["a"], 64, "Missing argument"),
        (["inner.deep", "1"], 1, "lies inside inner"),
    ],
)
def test_what_cannot_be_overridden_is_refused(shop: Shop, words: list[str], code: int, why: str) -> None:
    shop.confbus("set", "inner", "1")

    answer = shop.confbus("set", *words)

    assert (answer.code, answer.out) == (code, "")
    assert why in answer.err
    assert [each["path"] for each in overrides(shop)] == ["inner"]


def test_ending_what_is_not_overridden_fails(shop: Shop) -> None:
    answer = shop.confbus("unset", "db.port")

    assert (answer.code, answer.out) == (1, "")
    assert "'db.port' is not overridden" in answer.err


def test_what_looks_like_a_secret_is_shown_nowhere(
    shop: Shop, session: Session, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    told = shop.confbus("set", "db.password", "hunter2", "--wait", "20s")
    status, facts, log = shop.confbus("status"), shop.confbus("status", "--output", "json"), caplog.text

    assert "db.password = ***" in status.out
    assert not any("hunter2" in text for text in (told.out, told.err, status.out, facts.out, log))


def test_what_nobody_can_read_is_shown_with_how_to_end_it(shop: Shop, server: Server) -> None:
    client: Any = server.client()
    client.hset(keys_of(client, shop.namespace).overrides, "a b", "{")

    status, facts = shop.confbus("status"), overrides(shop)
    published = shop.confbus("publish")
    ended = shop.confbus("unset", "a b")

    assert "the override 'a b' is malformed" in status.out
    assert "`confbus unset 'a b'` takes it away" in facts[0]["problem"]
    assert "is malformed" in published.err
    assert (published.code, ended.code, overrides(shop)) == (0, 0, [])


def test_something_else_in_their_place_hides_nothing_else_from_the_status(shop: Shop, server: Server) -> None:
    shop.confbus("publish")
    client: Any = server.client()
    client.set(keys_of(client, shop.namespace).overrides, "something else")

    status, published = shop.confbus("status"), shop.confbus("publish")

    assert "overrides and approvals cannot be read" in status.out
    assert "version 1" in status.out
    assert (status.code, published.code) == (0, 1)


def test_many_overrides_are_counted(shop: Shop) -> None:
    for number in range(12):
        shop.confbus("set", f"k{number}", "1")

    assert "and 2 more; --output json has all" in shop.confbus("status").out
    assert len(overrides(shop)) == 12


def test_check_says_that_it_looks_at_none(shop: Shop) -> None:
    assert "Overrides are in Redis and were not looked at." in shop.confbus("check").err


def test_an_approval_is_there_until_a_release_uses_it(shop: Shop) -> None:
    shop.confbus("publish")
    digest = shop.confbus("status", "--output", "json").data["head"]["digest"]
    shop.write("number: 2\n")
    shop.confbus("publish")

    answer = shop.confbus("approve", digest, "-m", "back to one")
    before = shop.confbus("status", "--output", "json").data["approvals"]
    shop.write("number: 1\ndb: {host: a, port: 5432}\n")
    shop.confbus("publish")

    assert (answer.code, answer.out) == (0, f"Approved {digest[:12]} for one release.\n")
    assert [(each["digest"], each["reason"]) for each in before] == [(digest, "back to one")]
    assert shop.confbus("status", "--output", "json").data["approvals"] == []


@pytest.mark.parametrize(("words", "code"), [(["abc", "-m", "why"], 1), ([DIGEST], 64), ([DIGEST, "-m", ""], 1)])
def test_an_approval_of_nothing_or_for_nothing_is_refused(shop: Shop, words: list[str], code: int) -> None:
    assert shop.confbus("approve", *words).code == code


def test_a_worker_reads_an_override_and_then_what_was_there_before(
    shop: Shop, session: Session, server: Server
) -> None:
    with Reader(server.url, shop.namespace) as reader:
        shop.confbus("set", "db.host", "b")
        eventually(lambda: reader.host == "b")
        shop.confbus("unset", "db.host")
        eventually(lambda: reader.host == "a")

    assert reader.hosts == ["a", "b", "a"]
