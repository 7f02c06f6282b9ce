"""Variables that name the file that holds their value."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus.errors import SourceFailed
from confbus_publisher.sources import EnvSource

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def secrets(tmp_path: Path) -> Path:
    directory = tmp_path / "secrets"
    directory.mkdir()
    (directory / "db").write_text("hunter2\n")
    return directory


def source(secrets: Path, *files: str, **environ: str) -> EnvSource:
    return EnvSource("APP_", environ=environ, file_variables=files, secrets_directory=str(secrets))


def refusal(refused: EnvSource) -> str:
    with pytest.raises(SourceFailed) as caught:
        refused.load()
    return str(caught.value)


def test_a_value_under_the_secrets_directory_is_read_from_there(secrets: Path) -> None:
    env = source(secrets, APP_DB_PASSWORD_FILE=f"{secrets}/db")

    layer = env.load()

    assert layer.tree == {"db": {"password": "hunter2"}}
    assert str(layer.origins["db", "password"]) == f"$APP_DB_PASSWORD_FILE ({secrets}/db)"
    assert env.watched == (secrets,)


def test_any_file_is_read_for_a_listed_variable_and_for_no_other(secrets: Path, tmp_path: Path) -> None:
    (tmp_path / "pin").write_text("42")
    names = {"APP_PIN_FILE": f"{tmp_path}/pin", "APP_LOG_FILE": "/var/log/app.log"}

    layer = source(secrets, "APP_PIN_FILE", **names).load()

    assert layer.tree == {"pin": 42, "log": {"file": "/var/log/app.log"}}


def test_a_path_that_only_begins_like_the_secrets_directory_is_a_plain_value(secrets: Path) -> None:
    values = [f"{secrets}-old/db", f"{secrets}/../other", str(secrets)]

    trees = [source(secrets, APP_DB_FILE=value).load().tree for value in values]

    assert trees == [{"db": {"file": value}} for value in values]


def test_a_variable_and_its_file_cannot_both_be_set(secrets: Path) -> None:
    env = source(secrets, APP_DB_FILE=f"{secrets}/db", APP_DB="hunter2")

    told = refusal(env)

    assert told.startswith(f"$APP_DB_FILE ({secrets}/db): $APP_DB is set too")
    assert "hunter2" not in told


def test_two_spellings_of_one_path_cannot_both_be_set_either(secrets: Path) -> None:
    env = source(secrets, APP_DB__PW_FILE=f"{secrets}/db", APP_DB_PW="hunter2")

    assert "sets the same" in refusal(env)


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), (b"hunter2\xff", "no UTF-8"), (b"x" * 2**21, "larger than 1 MiB")]
)
def test_a_file_that_cannot_be_read_is_told_with_its_variable(
    secrets: Path, content: bytes | None, reason: str
) -> None:
    (secrets / "db").unlink()
    if content is not None:
        (secrets / "db").write_bytes(content)

    told = refusal(source(secrets, APP_DB_FILE=f"{secrets}/db"))

    assert told.startswith(f"$APP_DB_FILE ({secrets}/db): ")
    assert reason in told
    assert "hunter2" not in told


def test_a_changed_file_is_a_changed_layer(secrets: Path) -> None:
    env = source(secrets, APP_DB_FILE=f"{secrets}/db")
    first = env.load()

    same = env.load()
    (secrets / "db").write_text("other")

    assert same is first
    assert env.load().tree == {"db": "other"}


def test_variables_that_steer_confbus_itself_are_left_alone() -> None:
    environ = {"APP_CONFIG_WATCH": "true", "APP_A": "1"}

    layer = EnvSource("APP_", environ=environ, ignored={"APP_CONFIG_WATCH"}).load()

    assert layer.tree == {"a": 1}


def test_a_layer_is_expanded_and_deletes_only_when_it_is_told_to() -> None:
    plain = EnvSource("APP_", environ={}).load()
    told = EnvSource("APP_", environ={}, interpolate=True, delete=["a.b"]).load()

    assert (plain.kind, plain.interpolates, plain.deletes) == ("env", False, frozenset())
    assert (told.interpolates, told.deletes) == (True, frozenset([("a", "b")]))
