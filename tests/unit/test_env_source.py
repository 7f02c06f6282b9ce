"""Environment variables as a source."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from confbus.errors import InvalidSettings, SourceFailed
from confbus.wire.path import leaves
from confbus_publisher.sources import EnvSource

VALUES: dict[str, Any] = {
    "5432": 5432,
    "-1": -1,
    "0": 0,
    "0.5": 0.5,
    "-2.25": -2.25,
    "true": True,
    "false": False,
    "null": None,
    "": "",
    "True": "True",
    "no": "no",
    "1.10": "1.10",
    "0.30": "0.30",
    "01234": "01234",
    "1e5": "1e5",
    "+1": "+1",
    "-0": "-0",
    "1_000": "1_000",
    " 1": " 1",
    "\u0661": "\u0661",
    "nan": "nan",
    "-inf": "-inf",
    str(2**64 - 1): 2**64 - 1,
    str(2**64): str(2**64),
    "9" * 5000: "9" * 5000,
    "a,b,c": "a,b,c",
    '"quoted"': '"quoted"',
    '{"new_ui": true, "n": [1.10]}': {"new_ui": True, "n": [1.1]},
    "[1, 2]": [1, 2],
    "[]": [],
}


def tree_of(**environ: str) -> Any:
    return EnvSource("APP_", environ=environ).load().tree


def refusal(environ: dict[str, str], *, prefix: str = "APP_") -> str:
    with pytest.raises(SourceFailed) as caught:
        EnvSource(prefix, environ=environ).load()
    return str(caught.value)


@pytest.mark.parametrize("text", VALUES, ids=lambda text: text[:30])
def test_a_variable_is_a_number_only_when_it_is_spelled_like_one(text: str) -> None:
    environ = {"APP_KEY": text}

    tree = tree_of(**environ)

    assert repr(tree["key"]) == repr(VALUES[text])


@pytest.mark.parametrize(
    ("variable", "path"),
    [
        ("APP_DATABASE_HOST", ("database", "host")),
        ("APP_DEBUG", ("debug",)),
        ("APP_DATABASE__MAX_SIZE", ("database", "max_size")),
        ("APP__LOG_LEVEL", ("log_level",)),
        ("APP__A__B_C", ("a", "b_c")),
        ("APP_A___B", ("a", "_b")),
    ],
)
def test_two_underscores_separate_levels_and_one_only_where_there_are_no_two(
    variable: str, path: tuple[str, ...]
) -> None:
    environ = {variable: "1", "OTHER": "2"}

    tree = tree_of(**environ)

    assert leaves(tree) == [(path, 1)]


def test_every_origin_names_a_variable() -> None:
    environ = {"APP_DB_HOST": "x", "APP_FLAGS": '{"a": {"b": 1}}'}

    layer = EnvSource("APP_", priority=5, name="shell", environ=environ).load()

    assert {path: str(origin) for path, origin in layer.origins.items()} == {
        (): "shell",
        ("db",): "$APP_DB_HOST",
        ("db", "host"): "$APP_DB_HOST",
        ("flags",): "$APP_FLAGS",
        ("flags", "a"): "$APP_FLAGS",
        ("flags", "a", "b"): "$APP_FLAGS",
    }
    assert (layer.source, layer.priority) == ("shell", 5)


@pytest.mark.parametrize(
    ("one", "other"),
    [("APP_A", "APP_A_B"), ("APP_A", "APP_A__B"), ("APP_A_B", "APP_A__B"), ("APP_A", "APP_a"), ("APP_A", "APP_A_B_C")],
)
def test_variables_that_cannot_both_be_are_both_named(one: str, other: str) -> None:
    environ = {other: "hunter2", one: '{"b": "hunter2"}'}

    told = refusal(environ)

    assert f"${one}" in told
    assert f"${other}" in told
    assert "write __ between levels" in told
    assert "hunter2" not in told


@pytest.mark.parametrize("variable", ["APP_", "APP_A_", "APP__", "APP_A____B"])
def test_an_empty_key_is_refused(variable: str) -> None:
    environ = {variable: "1"}

    told = refusal(environ)

    assert told.startswith(f"${variable}: ")


def test_a_prefix_without_its_underscore_is_explained() -> None:
    environ = {"APP_A": "1"}

    told = refusal(environ, prefix="APP")

    assert "end the prefix with _" in told


def test_an_empty_prefix_is_refused_at_once() -> None:
    environ = {"A": "1"}

    with pytest.raises(InvalidSettings, match="whole environment"):
        EnvSource("", environ=environ)


@pytest.mark.parametrize("text", ['{"a": "hunter2"', "[::1]:hunter2", '{"a": NaN, "b": "hunter2"}'])
def test_broken_json_is_refused_without_its_text(text: str) -> None:
    environ = {"APP_KEY": text}

    told = refusal(environ)

    assert told.startswith("$APP_KEY: it sets key, but it begins like JSON and breaks at 1:")
    assert "hunter2" not in told


def test_bytes_that_are_no_text_are_refused_by_the_variable_name() -> None:
    environs = [{"APP_KEY": "hunter2\udcff"}, {"APP_K\udcff": "1"}]

    told = [refusal(environ) for environ in environs]

    assert "$APP_KEY: it is no UTF-8" in told[0]
    assert "\\udcff" in told[1]
    assert "hunter2" not in told[0]


def test_unchanged_variables_give_the_very_same_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONFBUS_TEST_A", "1")
    source = EnvSource("CONFBUS_TEST_")
    first = source.load()

    monkeypatch.setenv("CONFBUS_OTHER", "1")
    same = source.load()
    monkeypatch.setenv("CONFBUS_TEST_A", "2")

    assert same is first
    assert source.load().tree == {"a": 2}
    assert source.watched == ()


@given(
    environ=st.dictionaries(
        st.text("ABa_9\udcff", max_size=8).map("APP_{}".format), st.text('{}[]":,aN1.\udcff', max_size=8), max_size=5
    )
)
def test_any_environment_is_refused_or_loaded_and_nothing_else(environ: dict[str, str]) -> None:
    source = EnvSource("APP_", environ=environ)

    with contextlib.suppress(SourceFailed):
        layer = source.load()

        assert {path for path, _ in leaves(layer.tree)} <= layer.origins.keys()
