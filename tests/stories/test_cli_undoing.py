"""The command line: rollback, resume, adopt-head, and publish --adopt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import confbus
from support.eventually import eventually

if TYPE_CHECKING:
    from support.server import Server
    from support.shop import Shop

TIMING = confbus.Timing(poll_s=0.2, report_s=0.5)


@pytest.fixture
def lived(shop: Shop) -> Shop:
    """A shop with numbers 1, 2 and 3."""
    for number in (1, 2, 3):
        publish(shop, number)
    return shop


def publish(shop: Shop, number: int, *words: str) -> int:
    shop.write(f"number: {number}\n")
    return shop.confbus("publish", *words).code


def number(shop: Shop) -> int:
    return int(shop.confbus("get", "number").out)


def quarantine(shop: Shop) -> list[Any]:
    held: list[Any] = shop.confbus("status", "--output", "json").data["quarantine"]
    return held


def states(shop: Shop) -> dict[str, int]:
    found: dict[str, int] = shop.confbus("fleet", "--output", "json").data["states"]
    return found


def test_a_rollback_makes_a_new_version_of_the_content_before(lived: Shop) -> None:
    answer = lived.confbus("rollback", "-m", "too slow")

    assert (answer.code, answer.out) == (0, "Version 4 has the content of version 2.\n")
    assert "Held: top-level values (.)" in answer.err
    assert number(lived) == 2


def test_a_second_rollback_goes_further_and_a_third_has_nowhere_to_go(lived: Shop) -> None:
    answers = [lived.confbus("rollback", "--output", "json") for _ in range(3)]

    assert [answer.code for answer in answers] == [0, 0, 1]
    assert [answer.data["of"] for answer in answers[:2]] == [2, 1]
    assert "no earlier accepted release" in answers[2].err


def test_several_steps_are_taken_at_once(lived: Shop) -> None:
    facts = lived.confbus("rollback", "--steps", "2", "--output", "json").data

    assert facts == {"version": 4, "is_new": True, "of": 1, "held": ["."]}


def test_any_kept_version_can_be_named(lived: Shop) -> None:
    lived.confbus("rollback", "--to", "1")

    assert number(lived) == 1


def test_going_back_to_what_the_head_has_does_nothing(lived: Shop) -> None:
    answer = lived.confbus("rollback", "--to", "3")

    assert (answer.code, answer.out) == (0, "Nothing to do: version 3 has that content already.\n")
    assert quarantine(lived) == []


@pytest.mark.parametrize(
    ("words", "code"), [(["--to", "9"], 1), (["--steps", "1", "--to", "1"], 64), (["--steps", "0"], 64)]
)
def test_a_rollback_to_nowhere_is_refused(lived: Shop, words: list[str], code: int) -> None:
    assert lived.confbus("rollback", *words).code == code


def test_an_empty_namespace_has_nothing_to_go_back_to(shop: Shop) -> None:
    assert shop.confbus("rollback").code == 1


def test_a_hold_can_be_lifted_by_its_section(lived: Shop) -> None:
    lived.confbus("rollback")

    unknown = lived.confbus("resume", "db")
    lifted = lived.confbus("resume", ".")

    assert unknown.code == 1
    assert "Held are: .." in unknown.err
    assert (lifted.code, lifted.out) == (0, "No longer held: top-level values (.).\n")
    assert publish(lived, 3) == 0


def test_all_holds_can_be_lifted_at_once(lived: Shop) -> None:
    lived.confbus("rollback")
    lived.confbus("rollback")

    facts = lived.confbus("resume", "--output", "json").data

    assert [hold["section"] for hold in facts["resumed"]] == [".", "."]
    assert quarantine(lived) == []


def test_where_nothing_is_held_there_is_nothing_to_lift(lived: Shop) -> None:
    answer = lived.confbus("resume")

    assert (answer.code, answer.out) == (0, "Nothing is held.\n")


def test_a_fleet_follows_an_older_head_when_that_is_adopted(lived: Shop, own_server: Server) -> None:
    lived.url = own_server.url
    lived.settle()
    publish(lived, 1)
    backup = own_server.dump()
    publish(lived, 2)

    with confbus.connect(own_server.url, namespace=lived.namespace, timing=TIMING) as worker:
        own_server.restart(dump=backup)
        eventually(lambda: worker.status().state == "regressed", describe=worker.status)
        eventually(lambda: states(lived) == {"regressed": 1})
        assert worker["number"] == 2
        answer = lived.confbus("adopt-head", "-m", "the backup of Monday", "--output", "json")
        eventually(lambda: worker["number"] == 1, describe=worker.status)

    assert (answer.code, answer.data["of"], answer.data["stands"]) == (0, 1, 1)
    assert answer.data["version"] > 2


def test_after_a_loss_only_adopting_publishes_beside_instances(lived: Shop, own_server: Server) -> None:
    lived.url = own_server.url
    lived.settle()
    publish(lived, 1)

    with confbus.connect(own_server.url, namespace=lived.namespace, timing=TIMING) as worker:
        own_server.restart(empty=True)
        eventually(lambda: worker.status().state == "lost", describe=worker.status)
        eventually(lambda: states(lived) == {"lost": 1})
        refused = publish(lived, 2)
        assert worker["number"] == 1
        adopted = publish(lived, 2, "--adopt")
        eventually(lambda: worker["number"] == 2, describe=worker.status)

    assert (refused, adopted) == (1, 0)
