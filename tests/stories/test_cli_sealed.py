"""The command line beside sealed sections: it says that they changed, and where, and never what they say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import confbus
from support.eventually import eventually

if TYPE_CHECKING:
    from support.shop import Answer, Shop

BEFORE = "number: 1\ndb: {host: db-1, password: hunter2}\n"
AFTER = "number: 2\ndb: {host: db-1, password: correcthorse}\n"


@pytest.fixture
def sealing(shop: Shop) -> Shop:
    """A shop that seals `db`, with one release."""
    shop.write(BEFORE)
    shop.settle("seal: [db]\nchecks: {secrets: off}")
    assert shop.confbus("keys", "generate").code == 0
    assert shop.confbus("publish").code == 0
    return shop


def keeps_it(answer: Answer) -> bool:
    """Whether nothing of what is sealed was said."""
    return not any(secret in answer.out + answer.err for secret in ("hunter2", "correcthorse", "db-1"))


def test_plan_says_that_a_sealed_section_changed_and_not_how(sealing: Shop) -> None:
    sealing.write(AFTER)

    told, facts = sealing.confbus("plan"), sealing.confbus("plan", "--output", "json")

    assert told.out.splitlines() == ["~ number  1 -> 2  config/app.yaml:1", "~ db  changed (sealed)"]
    assert told.code == facts.code == 2
    assert facts.data["changes"][1] == {
        "path": "/db",
        "change": "modified",
        "sealed": True,
        "origin": None,
    }
    assert keeps_it(told)
    assert keeps_it(facts)


def test_diff_and_the_log_say_it_too(sealing: Shop) -> None:
    sealing.write(AFTER)
    sealing.confbus("publish")

    assert sealing.confbus("diff", "1").out.splitlines() == ["~ number  1 -> 2", "~ db  changed (sealed)"]
    assert "changed (sealed)" in sealing.confbus("log", "--values").out
    assert all(
        keeps_it(sealing.confbus(*words, "--output", form))
        for words in (("diff", "1"), ("log", "--values"), ("history",), ("status",))
        for form in ("text", "json")
    )


def test_get_shows_the_rest_and_refuses_what_is_sealed_also_where_the_keys_are(
    sealing: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CONFBUS_OPEN_KEYS_FILE", ".confbus/keys")

    whole, inner = sealing.confbus("get"), sealing.confbus("get", "db.password")

    assert (whole.code, "number" in whole.out) == (0, True)
    assert "Sealed, and not shown: db." in whole.err
    assert (inner.code, inner.out) == (1, "")
    assert "db is sealed, and the key" in inner.err
    assert "--open-keys FILE opens it" in inner.err
    assert keeps_it(whole)
    assert sealing.confbus("get", "db", "--output", "json").code == 1


def test_get_opens_it_for_whoever_names_the_keys(sealing: Shop) -> None:
    assert sealing.confbus("get", "db.password", "--open-keys", ".confbus/keys").out == "hunter2\n"

    missing = sealing.confbus("get", "db.password", "--open-keys", "nowhere")

    assert (missing.code, "--open-keys: the keyring nowhere cannot be read" in missing.err) == (64, True)


def test_explain_knows_the_place_and_not_the_value(sealing: Shop) -> None:
    beside = sealing.confbus("explain", "db.password")
    assert beside.out.splitlines()[0] == "db.password = (sealed)"
    assert "config/app.yaml:2" in beside.out
    assert "so since version 1" in beside.out

    elsewhere = sealing.confbus("explain", "db.password", "--url", sealing.url or "", "-n", sealing.namespace)
    everything = sealing.confbus("explain", "--all")
    facts = sealing.confbus("explain", "db.password", "--output", "json")

    assert "config/app.yaml:2" in elsewhere.out
    assert (facts.data["values"][0]["value"], facts.data["values"][0]["sealed"]) == (None, True)
    assert all(map(keeps_it, (beside, elsewhere, everything, facts)))


def test_explain_elsewhere_lists_a_sealed_section_as_one(sealing: Shop) -> None:
    (sealing.directory / "confbus.yaml").unlink()

    answer = sealing.confbus("explain", "--all", "--url", sealing.url or "", "-n", sealing.namespace)

    assert [line.split()[:2] for line in answer.out.splitlines()[1:]] == [["number", "1"], ["db", "(sealed)"]]


def test_watch_says_that_it_changed(sealing: Shop) -> None:
    with sealing.start("watch") as watching:
        watching.says("live: version 1")
        sealing.write(AFTER)
        sealing.confbus("publish")
        watching.shows("~ db  changed (sealed)")
        watching.shows("~ number  1 -> 2")
        assert "correcthorse" not in watching.out + watching.err


def test_the_status_and_the_fleet_say_which_key_is_needed_and_who_has_it_not(sealing: Shop) -> None:
    (key,) = sealing.confbus("keys", "list", "--output", "json").data["keys"]

    with confbus.connect(sealing.url or "", namespace=sealing.namespace):
        eventually(lambda: "has no key for db" in sealing.confbus("fleet").out)
        assert sealing.confbus("fleet", "--output", "json").data["instances"][0]["locked"] == ["db"]

    assert f"db, with the key {key['id']}" in sealing.confbus("status").out
    assert sealing.confbus("status", "--output", "json").data["head"]["sealed"] == {"db": key["id"]}


def test_an_override_of_what_is_sealed_is_refused_and_recorded_without_the_value(sealing: Shop) -> None:
    answer = sealing.confbus("set", "db.password", "hunter2")

    assert answer.code == 1
    assert "db is sealed, and an override would stand in Redis as plain text" in answer.err
    assert keeps_it(answer)
    assert sealing.confbus("status", "--output", "json").data["overrides"] == []
    assert "hunter2" not in sealing.confbus("log").out


def test_a_path_that_looks_like_a_sealed_one_is_set_and_nothing_of_that_is_told(sealing: Shop) -> None:
    answer = sealing.confbus("set", "bd.password", "x")

    assert answer.code == 0
    assert "Nothing was at bd.password before." in answer.err


def test_a_check_needs_no_keyring(sealing: Shop) -> None:
    (sealing.directory / ".confbus" / "keys").unlink()

    assert sealing.confbus("check").code == 0
    refused = sealing.confbus("plan")
    assert refused.code == 64
    assert "the keyring .confbus/keys: it is not there. `confbus keys generate`" in refused.err.replace(
        "\n       ", " "
    )


def test_a_deeper_path_is_refused_with_its_line(sealing: Shop) -> None:
    sealing.settle("seal: [db.password]")

    answer = sealing.confbus("check")

    assert answer.code == 3
    assert "db.password lies inside a section, and only a whole one can be sealed" in answer.out
    assert "Seal db, or move the value into a section of its own, beside db." in answer.out


def test_who_goes_back_to_what_no_key_here_opens_is_told(sealing: Shop) -> None:
    assert sealing.confbus("export", "old.jsonl").code == 0
    sealing.confbus("keys", "generate")
    sealing.confbus("keys", "rotate")
    sealing.write(AFTER)
    sealing.confbus("publish")
    (key,) = (
        each for each in sealing.confbus("keys", "list", "--output", "json").data["keys"] if each["releases"] == [1]
    )
    sealing.confbus("keys", "remove", "--force", key["id"])

    back = sealing.confbus("rollback", "--to", "1")
    adopted = sealing.confbus("import", "old.jsonl", "--adopt")

    warning = f"warning: db is sealed with the key {key['id']}, which the keyring .confbus/keys does not have"
    assert (back.code, adopted.code) == (0, 0)
    assert all(warning in answer.err for answer in (back, adopted))
