"""An overlay puts values of one instance over every release, and touches nothing else."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

import confbus
from confbus.errors import ConfBusError, InvalidDocument, InvalidPath, InvalidSettings
from confbus.overlay import overlay_of
from support.local_copy import snapshot
from support.resting import local_of, offer, resting

RELEASE: dict[str, Any] = {
    "database": {"host": "db-1", "port": 5432, "pool": {"min": 2, "max": 20}},
    "features": {"new_ui": False},
    "hosts": ["web-1"],
    "name": "shop",
}


def test_values_are_put_over_the_release_and_the_rest_is_the_very_same() -> None:
    below = snapshot(RELEASE)

    over = overlay_of({"database.host": "localhost", "features": {"new_ui": True, "beta": 1}, "extra.x": 1}).over(below)

    assert over["database"] == RELEASE["database"] | {"host": "localhost"}
    assert over["features"] == {"new_ui": True, "beta": 1}
    assert over["extra.x"] == 1
    assert over["database.pool"] is below["database.pool"]
    assert over["hosts"] is below["hosts"]
    assert list(over) == sorted(over)


def test_a_snapshot_tells_what_is_overlaid_and_keeps_the_digest_of_its_release() -> None:
    below = snapshot(RELEASE, 7)

    over = overlay_of({"name": "mine", "database": {"pool": {"max": 1}}}).over(below)

    assert over.overlaid == ("database.pool.max", "name")
    assert (over.version, over.digest, over.epoch) == (7, below.digest, below.epoch)
    assert below.overlaid == ()
    assert pickle.loads(pickle.dumps(over)).overlaid == over.overlaid


def test_what_neither_release_nor_overlay_changed_is_the_same_object_again() -> None:
    config = resting(RELEASE, overlay={"database.host": "localhost", "name": "mine"})
    before = config.section("database")

    offer(config, {**RELEASE, "database": before_overlay(config), "features": {"new_ui": True}})

    assert config["features.new_ui"] is True
    assert config["database"] == RELEASE["database"] | {"host": "localhost"}
    assert config.section("database")["pool"] is before["pool"]


def before_overlay(config: confbus.Subscriber) -> Any:
    return config.section("database") | {"host": "db-1"}


def test_over_an_unchanged_section_lies_the_very_same_object() -> None:
    overlay = overlay_of({"database.host": "localhost"})
    first = snapshot(RELEASE)
    second = snapshot({**first, "name": "other"}, 2)

    assert overlay.over(second)["database"] is overlay.over(first)["database"]
    third = snapshot({**first, "database": {"host": "db-2"}}, 3)
    assert overlay.over(third)["database"] == {"host": "localhost"}


def test_of_two_that_set_the_same_the_right_one_wins() -> None:
    below = snapshot(RELEASE)
    variables = {"APP_NAME": "variable", "APP_DATABASE_PORT": "1"}

    right = confbus.env("APP_", environ=variables) | {"name": "mapping"}
    left = {"name": "mapping", "features.x": 1} | confbus.env("APP_", environ=variables)

    assert (right.over(below)["name"], right.over(below)["database.port"]) == ("mapping", 1)
    assert (left.over(below)["name"], left.over(below)["features.x"]) == ("variable", 1)


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"name.first": 1}, "it sets name.first, but name is no mapping in the release, and a mapping here"),
        ({"hosts.first": 1}, "it sets hosts.first, but hosts is no mapping in the release, and a mapping here"),
        (
            {"database": "hunter2"},
            "it sets database, but database is a mapping in the release, and a single value here",
        ),
    ],
)
def test_what_has_no_place_in_the_release_is_refused_with_its_path(given: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        overlay_of(given).over(snapshot(RELEASE))

    assert refused.value.reason == reason
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("given", "kind"),
    [
        ({"hosts[0]": "web-2"}, InvalidSettings),
        ({"a..b": 1}, InvalidPath),
        ({"": 1}, InvalidPath),
        ({"a": float("nan")}, InvalidDocument),
        ({"a": {"b": object()}}, InvalidDocument),
    ],
)
def test_what_no_release_could_take_is_refused_at_once(given: dict[str, Any], kind: type[ConfBusError]) -> None:
    with pytest.raises(kind):
        resting(RELEASE, overlay=given)


def test_keys_with_dots_are_written_in_quotes_or_nested() -> None:
    below = snapshot({"log": {"levels": {"a.b": "info"}}})

    ways: list[dict[Any, Any]] = [
        {'log.levels["a.b"]': "debug"},
        {"log": {"levels": {"a.b": "debug"}}},
        {("log", "levels", "a.b"): "debug"},
    ]

    for given in ways:
        assert overlay_of(given).over(below) == {"log": {"levels": {"a.b": "debug"}}}


def test_a_list_is_set_whole_and_an_empty_mapping_takes_nothing_away() -> None:
    over = overlay_of({"hosts": ["a", "b"], "database": {}}).over(snapshot(RELEASE))

    assert over["hosts"] == ["a", "b"]
    assert over["database"] == RELEASE["database"]
    with pytest.raises(TypeError, match="thaw"):
        over["hosts"].append("c")


def test_a_release_that_the_overlay_does_not_fit_is_refused_and_the_next_one_taken() -> None:
    config = resting(RELEASE, overlay={"database.host": "localhost"})

    refused = offer(config, {**RELEASE, "database": "by name"})

    assert "it sets database.host, but database is no mapping" in refused
    assert config["database.host"] == "localhost"
    assert config["database.port"] == 5432
    assert offer(config, {"database": {"host": "db-2", "port": 1}}) == ""
    assert (config["database.host"], config["database.port"]) == ("localhost", 1)


def test_validators_and_views_judge_what_will_be_read() -> None:
    seen: list[Any] = []

    def note(new: confbus.Snapshot) -> None:
        seen.append(new["database.port"])

    config = resting(RELEASE, overlay={"database.port": 1}, validators=[note])
    port = config.bind("database.port", int)

    assert seen == [1]
    assert port.current == 1


def test_without_an_overlay_the_snapshot_is_the_one_that_came() -> None:
    config = resting(RELEASE)
    came = snapshot(RELEASE, 2)

    local_of(config).offer(came)

    assert config.snapshot is came
