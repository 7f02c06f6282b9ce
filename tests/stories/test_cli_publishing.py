"""The command line: check, plan, publish."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus.client import keys_of

if TYPE_CHECKING:
    from support.server import Server
    from support.shop import Shop


def test_what_is_fine_is_said_to_be_and_how_much_it_is(shop: Shop) -> None:
    answer = shop.confbus("check")

    assert (answer.code, answer.out) == (0, "")
    assert "3 values in 2 sections from 1 source" in answer.err


def test_a_check_tells_every_problem_with_its_line(shop: Shop) -> None:
    settings = shop.directory / "confbus.yaml"
    (shop.directory / "b.yaml").write_text("a: 1\na: 2\n")
    (shop.directory / "c.yaml").write_text("db: 1\nnumber: {x: 1}\n")
    settings.write_text(
        settings.read_text().replace("{file:", "{file: b.yaml}, {file: c.yaml}, {file: d.yaml}, {file:")
    )

    answer = shop.confbus("check")

    assert answer.code == 3
    assert "b.yaml:2:1: the key 'a' stands on line 1 already" in answer.out
    assert "config/app.yaml:2:1: db: it is a mapping here, and at c.yaml:1:1 it is none" in answer.out
    assert "c.yaml:2:1: number: it is a mapping here" in answer.out
    assert "d.yaml: no such file" in answer.out


def test_a_check_needs_no_server(shop: Shop) -> None:
    shop.url = "redis://127.0.0.1:1"
    shop.settle()

    assert shop.confbus("check").code == 0


def test_wrong_settings_are_a_problem_for_a_check_too(shop: Shop) -> None:
    shop.settle("nonsense: 1")

    answer = shop.confbus("check")

    assert answer.code == 3
    assert "confbus.yaml:7:1: the key 'nonsense' is not known" in answer.out


def test_a_check_for_programs_has_the_same_keys_whatever_it_finds(shop: Shop) -> None:
    fine = shop.confbus("check", "--output", "json")
    shop.write("a: [\n")
    wrong = shop.confbus("check", "--output", "json")

    sizes = {"sources": 1, "values": 3, "sections": 2, "bytes": fine.data["bytes"]}
    assert fine.data == {"problems": [], "skipped": [], **sizes}
    assert wrong.code == 3
    assert wrong.data.keys() == fine.data.keys()
    assert "config/app.yaml:2:1" in wrong.data["problems"][0]["problem"]


def test_a_plan_names_each_leaf_and_the_line_to_change_it(shop: Shop) -> None:
    shop.confbus("publish")
    shop.write("db:\n  host: b\n  new: [1]\nnumber: 1\n")

    answer = shop.confbus("plan")

    assert answer.code == 2
    assert [line.split() for line in answer.out.splitlines()] == [
        ["~", "db.host", '"a"', "->", '"b"', "config/app.yaml:2"],
        ["+", "db.new", "[1]", "config/app.yaml:3"],
        ["-", "db.port", "5432"],
    ]
    assert "3 changes from version 1" in answer.err


def test_a_plan_without_differences_is_done(shop: Shop) -> None:
    shop.confbus("publish")

    answer = shop.confbus("plan")

    assert (answer.code, answer.out) == (0, "")


def test_a_plan_for_programs_has_pointers_and_origins(shop: Shop) -> None:
    shop.write("a/b: 1\n")

    answer = shop.confbus("plan", "--output", "json")

    assert answer.code == 2
    assert answer.data == {
        "version": None,
        "changes": [{"path": "/a~1b", "change": "added", "old": None, "new": 1, "origin": "config/app.yaml:1:1"}],
        "held": [],
        "refused": [],
        "holds": [],
        "active": None,
    }


def test_a_plan_shows_no_secret(shop: Shop) -> None:
    shop.confbus("publish")
    shop.write("number: 1\ndb: {host: a, port: 5432, password: hunter2}\n")

    answers = [shop.confbus("plan"), shop.confbus("plan", "--output", "json")]

    assert all(answer.code == 2 and "***" in answer.out for answer in answers)
    assert not any("hunter2" in answer.out + answer.err for answer in answers)


def test_a_plan_tells_what_the_checks_refuse_and_promises_no_release(shop: Shop) -> None:
    shop.settle("checks: {rules: ['db.port < number']}")

    answer, facts = shop.confbus("plan"), shop.confbus("plan", "--output", "json")

    assert answer.code == facts.code == 2
    assert "Refused: config/app.yaml:2:15: db.port: the rule" in answer.err
    assert "nothing goes out before" in answer.err
    assert "puts this out" not in answer.err
    assert [problem.partition(": ")[0] for problem in facts.data["refused"]] == ["config/app.yaml:2:15"]


def test_a_plan_tells_what_is_held_and_why(shop: Shop) -> None:
    shop.confbus("publish")
    shop.write("number: 2\ndb: {host: a, port: 5432}\n")
    shop.confbus("publish")
    shop.confbus("rollback", "-m", "too slow")

    answer = shop.confbus("plan")

    assert answer.code == 2
    assert "Held: top-level values (.)" in answer.err
    assert "too slow" in answer.err
    assert shop.confbus("plan", "--output", "json").data["held"] == ["."]


def test_a_publication_is_told_with_its_sections(shop: Shop) -> None:
    first = shop.confbus("publish", "-m", "begin")
    shop.write("number: 2\ndb: {host: a, port: 5432}\n")
    second = shop.confbus("publish", "--output", "json")

    assert (first.code, first.out) == (0, "Published version 1: top-level values (.), db.\n")
    assert (second.data["version"], second.data["is_new"], second.data["sections"]) == (2, True, ["."])


def test_publishing_what_the_head_says_is_done_and_does_nothing(shop: Shop) -> None:
    shop.confbus("publish")

    answer = shop.confbus("publish")
    facts = shop.confbus("publish", "--output", "json").data

    assert (answer.code, answer.out) == (0, "Nothing to publish: version 1 says the same.\n")
    assert (facts["version"], facts["is_new"]) == (1, False)


def test_beside_an_active_publisher_nothing_is_published_and_it_is_named(shop: Shop, server: Server) -> None:
    client = server.client()
    client.set(keys_of(client, shop.namespace).lease, "web-1:42")

    refused = shop.confbus("publish")
    forced = shop.confbus("publish", "--force")

    assert refused.code == 1
    assert "web-1:42 is the active publisher" in refused.err
    assert forced.code == 0


def test_what_was_rolled_back_is_refused_like_any_other_failed_check(shop: Shop) -> None:
    shop.confbus("publish")
    shop.write("number: 2\n")
    shop.confbus("publish")
    shop.confbus("rollback")

    refused = shop.confbus("publish")

    assert refused.code == 3
    assert "confbus resume" in refused.err
    assert shop.confbus("publish", "--force").code == 0


@pytest.mark.parametrize("command", ["plan", "publish"])
def test_broken_sources_are_refused_with_their_line(shop: Shop, command: str) -> None:
    shop.write("a: 1\nb: [\n")

    answer = shop.confbus(command)

    assert answer.code == 3
    assert "config/app.yaml:3:1" in answer.err


def test_an_empty_configuration_has_to_be_meant(shop: Shop) -> None:
    shop.write("")

    assert shop.confbus("publish").code == 3
    assert shop.confbus("publish", "--allow-empty").code == 0


def test_a_namespace_that_is_named_wins_over_the_settings(shop: Shop) -> None:
    shop.confbus("publish", "-n", f"{shop.namespace}-other")

    assert shop.confbus("history", "-n", f"{shop.namespace}-other", "--output", "json").data["releases"]
    assert shop.confbus("history", "--output", "json").data["releases"] == []
