"""`confbus init`: a first confbus.yaml, which is fine as it stands."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus_publisher.settings import load_settings

if TYPE_CHECKING:
    from support.shop import Shop

SETTINGS = "confbus.yaml"


@pytest.fixture
def bare(shop: Shop) -> Shop:
    """A shop without anything but its directory."""
    (shop.directory / SETTINGS).unlink()
    (shop.directory / "config" / "app.yaml").unlink()
    return shop


def begin(shop: Shop, *words: str) -> None:
    assert shop.url
    assert shop.confbus("init", "-n", shop.namespace, "--url", shop.url, *words).code == 0


def test_where_there_is_nothing_what_it_writes_is_checked_and_published_as_it_stands(bare: Shop) -> None:
    begin(bare)

    codes = [bare.confbus(command).code for command in ("check", "publish")]

    assert codes == [0, 0]
    assert bare.confbus("get", "database.pool.max").out == "20\n"


def test_configuration_that_is_here_becomes_its_sources_in_a_sensible_order(bare: Shop) -> None:
    for name in ("app.yaml", "app.production.yaml", "local.toml", "default.json", "notes.txt"):
        (bare.directory / "config" / name).write_text('{"a": {"b": 1}}' if name.endswith("json") else "")
    (bare.directory / "settings.yaml").write_text("c: 1\n")
    (bare.directory / "docker-compose.yaml").write_text("services: {}\n")

    facts = bare.confbus("init", "--output", "json").data

    names = ["config/default.json", "config/app.yaml", "settings.yaml", "config/local.toml"]
    assert (facts["sources"], facts["left_out"], facts["written"]) == (names, [], [SETTINGS])
    assert [source.name for source in load_settings(SETTINGS).sources] == names
    assert bare.confbus("check").code == 0


def test_what_may_not_go_out_is_left_out_with_the_reason_and_without_its_values(bare: Shop) -> None:
    (bare.directory / "config" / "broken.yaml").write_text("a: [\n")
    (bare.directory / "config" / "secret.yaml").write_text("db: {password: hunter2hunter2}\n")

    answer = bare.confbus("init")
    text = (bare.directory / SETTINGS).read_text()

    assert answer.code == 0
    assert "config/broken.yaml:2:1" in answer.out
    assert "config/secret.yaml:1:6: db.password" in text
    assert "hunter2" not in answer.out + text
    assert "!secret env:" in answer.out
    assert "once it is mended, take the `# ` away there" in answer.err
    assert bare.confbus("check").code == 0


def test_what_is_commented_out_are_settings_that_load(bare: Shop) -> None:
    begin(bare)
    lines = (bare.directory / SETTINGS).read_text().splitlines()
    examples = [line.removeprefix("# ") for line in lines[2:]]

    (bare.directory / SETTINGS).write_text("\n".join(examples))
    settings = load_settings(SETTINGS, variables={"APP_ENV": "production"})

    assert [source.priority for source in settings.sources] == [10, 10, 20, 30]  # the second is of the profile
    assert settings.checks.rules
    assert settings.guard.for_s == 120
    assert settings.seal == ("database",)
    assert settings.listen


def test_a_directory_that_cannot_be_looked_at_is_told_and_nothing_is_written(bare: Shop) -> None:
    (bare.directory / "conf").symlink_to("conf")

    answer = bare.confbus("init")

    assert answer.code == 1
    assert "conf cannot be looked at: Too many levels of symbolic links." in answer.err
    assert not (bare.directory / SETTINGS).exists()


@pytest.mark.parametrize("name", [SETTINGS, "other.yaml"])
def test_what_is_there_stays_as_it_is(bare: Shop, name: str) -> None:
    (bare.directory / name).write_text("mine")

    answer = bare.confbus("init", "-c", name)

    assert answer.code == 64
    assert f"{name}: it is there, and stays as it is." in answer.err
    assert (bare.directory / name).read_text() == "mine"
    assert not (bare.directory / "config" / "app.yaml").exists()


def test_a_password_is_not_written_into_the_file(bare: Shop) -> None:
    answer = bare.confbus("init", "--url", "redis://ann:hunter2@localhost")

    assert answer.code == 64
    assert "--password-file" in answer.err
    assert "hunter2" not in answer.out + answer.err
    assert not (bare.directory / SETTINGS).exists()


def test_the_directory_gives_the_namespace_and_a_file_the_password(bare: Shop) -> None:
    (bare.directory / "secret").write_text("hunter2")

    assert bare.confbus("init", "--url", "redis://ann@localhost", "--password-file", "secret").code == 0

    settings = load_settings(SETTINGS)
    assert settings.namespace == "shop"
    assert settings.redis
    assert "hunter2" not in settings.redis
    assert str(bare.directory / "secret") in settings.redis


def test_whoever_has_no_settings_is_told_how_to_begin(bare: Shop) -> None:
    assert "`confbus init` writes one" in bare.confbus("check").out
    assert "`confbus init` writes one" in bare.confbus("status").err
