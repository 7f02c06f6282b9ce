"""The command line: hold and resume, and where a hold is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from support.shop import Shop


@pytest.fixture
def held(shop: Shop) -> Shop:
    """A shop that holds `db`, and whose source says something new of it."""
    shop.confbus("publish")
    assert shop.confbus("hold", "db", "-m", "the migration", "--until", "2h").code == 0
    shop.write("number: 1\ndb: {host: b, port: 5432}\n")
    return shop


def test_what_is_held_is_not_published_unless_it_is_forced(held: Shop) -> None:
    refused = held.confbus("publish")
    forced = held.confbus("publish", "--force")

    assert (refused.code, forced.code) == (3, 0)
    assert "db is held by" in refused.err
    assert "the migration" in refused.err
    assert held.confbus("get", "db.host").out == "b\n"


def test_plan_status_and_log_tell_of_it(held: Shop) -> None:
    plan, status = held.confbus("plan"), held.confbus("status", "--output", "json").data
    entries = held.confbus("log").out

    assert "db is held by" in plan.err
    assert [(hold["section"], hold["reason"]) for hold in status["holds"]] == [("db", "the migration")]
    assert status["holds"][0]["until"] is not None
    assert "holds       db is held by" in held.confbus("status").out
    assert "hold" in entries
    assert held.confbus("plan", "--output", "json").data["holds"][0]["section"] == "db"


def test_resume_lifts_it(held: Shop) -> None:
    lifted = held.confbus("resume", "db", "--output", "json")
    again = held.confbus("resume", "db")

    assert [hold["section"] for hold in lifted.data["lifted"]] == ["db"]
    assert (again.code, held.confbus("resume").out) == (1, "Nothing is held.\n")
    assert held.confbus("publish").code == 0


def test_resume_lifts_a_hold_and_what_was_rolled_back_alike(held: Shop) -> None:
    held.confbus("publish", "--force")
    held.confbus("rollback")

    lifted = held.confbus("resume", "--output", "json").data

    assert [each["section"] for each in lifted["resumed"]] == ["db"]
    assert [each["section"] for each in lifted["lifted"]] == ["db"]
    assert held.confbus("publish").code == 0


def test_without_a_section_everything_is_held(shop: Shop) -> None:
    shop.confbus("publish")

    answer = shop.confbus("hold", "-m", "a freeze", "--output", "json")
    shop.write("number: 2\n")

    assert answer.data["held"][0]["section"] == "*"
    assert shop.confbus("publish").code == 3


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("db",), 1),
        (("db.host", "-m", "x"), 1),
        (("db", "-m", "x", "--until", "soon"), 64),
        (("db", "-m", "x", "--until", ""), 64),
        (("db", "-m", "x", "--until", "2001-01-01T00:00:00Z"), 1),
    ],
)
def test_what_cannot_be_held_is_refused(shop: Shop, words: tuple[str, ...], code: int) -> None:
    shop.confbus("publish")

    assert shop.confbus("hold", *words).code == code
    assert shop.confbus("status", "--output", "json").data["holds"] == []


def test_no_section_is_held_when_one_of_them_is_none(shop: Shop) -> None:
    refused = shop.confbus("hold", "db", "db.host", "-m", "the migration")

    assert (refused.code, "'db.host' is no section" in refused.err) == (1, True)
    assert shop.confbus("status", "--output", "json").data["holds"] == []


def test_a_section_that_is_nowhere_is_held_and_the_name_it_may_mean_is_told(shop: Shop) -> None:
    shop.confbus("publish")
    shop.write("number: 1\ndb: {host: a, port: 5432}\ncache: {size: 1}\n")

    near, far = (shop.confbus("hold", name, "-m", "a freeze") for name in ("caches", "nothing-like-it"))
    known, value = shop.confbus("hold", "db", "cache", ".", "-m", "m"), shop.confbus("hold", "number", "-m", "m")

    assert (near.code, far.code, value.code, known.code, known.err) == (0, 0, 0, 0, "")
    assert near.err == "caches is no section in the head or the sources; did you mean cache? It is held all the same.\n"
    assert far.err == "nothing-like-it is no section in the head or the sources. It is held all the same.\n"
    assert "it is no mapping, and part of the section . like all such values" in value.err
    assert "caches is held by" in shop.confbus("status").out


def test_without_sources_a_section_is_looked_for_in_the_head(shop: Shop) -> None:
    shop.confbus("publish")
    (shop.directory / "confbus.yaml").unlink()

    told = shop.confbus("hold", "dbs", "-m", "a freeze", "--url", str(shop.url), "-n", shop.namespace)

    assert (told.code, told.err) == (0, "dbs is no section in the head; did you mean db? It is held all the same.\n")
