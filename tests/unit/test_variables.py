"""Variables are placed and typed by what the release has; one that cannot be is told by its name, never its value."""

from __future__ import annotations

from typing import Any

import pytest

from confbus import env
from confbus.errors import InvalidSettings
from support.local_copy import snapshot

RELEASE: dict[str, Any] = {
    "database": {"host": "db-1", "port": 5432, "pool": {"min_size": 2}},
    "log_level": "info",
    "ratio": 0.5,
    "is_on": False,
    "hosts": ["web-1"],
    "ports": [1, 2],
    "labels": {"team": "shop"},
    "nothing": None,
}


def overlaid(name: str, text: str, release: dict[str, Any] | None = None) -> dict[str, Any]:
    """What the variable changes: its path and the value there."""
    over = env("APP_", environ={name: text, "OTHER_X": "1"}).over(snapshot(release or RELEASE))
    return {path: over[path] for path in over.overlaid}


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("APP_DATABASE__HOST", "database.host"),
        ("APP_DATABASE_HOST", "database.host"),
        ("APP_database_HOST", "database.host"),
        ("APP_LOG_LEVEL", "log_level"),
        ("APP__LOG_LEVEL", "log_level"),
        ("APP_LABELS__TEAM", "labels.team"),
    ],
)
def test_a_name_means_the_path_that_the_release_has(name: str, path: str) -> None:
    assert overlaid(name, "mine") == {path: "mine"}


def test_a_key_may_hold_what_separates_elsewhere() -> None:
    assert overlaid("APP_DATABASE_POOL_MIN_SIZE", "7") == {"database.pool.min_size": 7}


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("APP_DATABASE__HOST", "5432", "5432"),
        ("APP_DATABASE__PORT", " 5433 ", 5433),
        ("APP_RATIO", "1", 1.0),
        ("APP_RATIO", "1e-3", 0.001),
        ("APP_IS_ON", "Yes", True),
        ("APP_IS_ON", "0", False),
        ("APP_HOSTS", "a, b", ["a", "b"]),
        ("APP_HOSTS", '["a"]', ["a"]),
        ("APP_HOSTS", "", []),
        ("APP_PORTS", "80,443", [80, 443]),
        ("APP_NOTHING", "12", 12),
        ("APP_NOTHING", "twelve", "twelve"),
    ],
)
def test_a_text_becomes_a_value_like_the_one_that_it_replaces(name: str, text: str, value: Any) -> None:
    [found] = overlaid(name, text).values()

    assert found == value
    assert type(found) is type(value) or isinstance(value, list)


def test_a_mapping_as_json_goes_into_the_one_that_is_there() -> None:
    over = env("APP_", environ={"APP_DATABASE": '{"host": "mine", "pool": {"most": 1}}'}).over(snapshot(RELEASE))

    assert over["database"] == {"host": "mine", "port": 5432, "pool": {"min_size": 2, "most": 1}}
    assert over.overlaid == ("database.host", "database.pool.most")


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("APP_DATABASE__PORT", "hunter2", "it sets database.port, where a number is wanted"),
        ("APP_IS_ON", "hunter2", "it sets is_on, where true or false is wanted"),
        ("APP_PORTS", "1,hunter2", "it sets ports, where a list is wanted"),
        ("APP_PORTS", '{"hunter2": 1}', "it sets ports, where a list is wanted"),
        ("APP_LABELS", "hunter2", "it sets labels, where a mapping as JSON is wanted"),
        ("APP_LABELS", '{"hunter2": NaN}', "it sets labels, where a mapping as JSON is wanted"),
        ("APP_NOTHING", '{"hunter2', "it sets nothing, where JSON is wanted"),
    ],
)
def test_a_text_that_does_not_fit_is_refused_without_being_told(name: str, text: str, reason: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        overlaid(name, text)

    assert (refused.value.origin, refused.value.reason) == (f"${name}", reason)
    assert "hunter2" not in repr(refused.value) + str(refused.value.__cause__) + str(refused.value.__context__)


def test_a_name_that_has_no_place_is_told_with_the_nearest_path() -> None:
    with pytest.raises(InvalidSettings, match=r"\$APP_DATABSE__HOST: .* The nearest path is database\.host\."):
        overlaid("APP_DATABSE__HOST", "hunter2")


def test_a_name_with_two_readings_is_refused_with_both() -> None:
    release = {"log": {"level": 1}, "log_level": 2}

    with pytest.raises(InvalidSettings, match=r"it can be read as log\.level or as log_level"):
        overlaid("APP_LOG_LEVEL", "3", release)
    assert overlaid("APP_LOG__LEVEL", "3", release) == {"log.level": 3}
    assert overlaid("APP__LOG_LEVEL", "3", release) == {"log_level": 3}


def test_of_keys_that_differ_in_case_the_exact_one_is_meant() -> None:
    release = {"a": {"Key": 1, "key": 2}}

    assert overlaid("APP_a__Key", "3", release) == {"a.Key": 3}


def test_two_variables_for_one_path_are_refused() -> None:
    both = {"APP_DATABASE_HOST": "1", "APP_DATABASE__HOST": "2"}

    with pytest.raises(InvalidSettings, match=r"\$APP_DATABASE__HOST: it sets .*, and so does \$APP_DATABASE_HOST"):
        env("APP_", environ=both).over(snapshot(RELEASE))


def test_what_is_ignored_and_what_others_begin_with_is_left_alone() -> None:
    variables = {"APP_": "nothing", "APP_HOME": "/srv", "APP_IS_ON": "on", "APPLE": "1"}

    over = env("APP_", ignored=["APP_HOME"], environ=variables).over(snapshot(RELEASE))

    assert over.overlaid == ("is_on",)


def test_an_empty_prefix_is_refused() -> None:
    with pytest.raises(InvalidSettings):
        env("")


def test_the_variables_are_those_of_the_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PINS_TEST_IS_ON", "on")
    overlay = env("PINS_TEST_")
    monkeypatch.setenv("PINS_TEST_IS_ON", "off")

    assert overlay.over(snapshot(RELEASE))["is_on"] is True


def test_a_variable_keeps_its_place_when_a_release_takes_away_what_it_sets() -> None:
    overlay = env("APP_", environ={"APP_DATABASE_PORT": "1"})
    overlay.over(snapshot(RELEASE))

    over = overlay.over(snapshot({"database": {"host": "db-2"}}, 2))
    later = overlay.over(snapshot({"database": {"port": "none"}, "database_port": 2}, 3))

    assert over["database"] == {"host": "db-2", "port": 1}
    assert later == {"database": {"port": "1"}, "database_port": 2}
