"""confbus as a source of pydantic-settings: what wins, what is left out, and what stays secret."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pytest
from pydantic import AliasChoices, BaseModel, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

import confbus
from confbus.contrib.pydantic_settings import ConfbusSettingsSource
from confbus.errors import ConnectFailed
from support.releases import Releases

if TYPE_CHECKING:
    from collections.abc import Generator

POOL = {"min": 2, "max": 20}
DATABASE = {"host": "db-1", "password": "hunter2", "pool": POOL, "newer_than_we_are": True}


class Pool(BaseModel):
    min: int
    max: int


class Settings(BaseSettings):
    """The settings of a program: arguments win over variables, and these over the configuration."""

    model_config = SettingsConfigDict(env_prefix="SHOP_", env_nested_delimiter="__")
    source: ClassVar[dict[str, Any]] = {}

    host: str
    secret: SecretStr = Field(validation_alias=AliasChoices("secret", "password"))
    pool: Pool
    port: int = 5432

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 — pydantic-settings passes them by name
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 — as above
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, ConfbusSettingsSource(settings_cls, **cls.source)


@pytest.fixture
def releases(redis_url: str, namespace: str, monkeypatch: pytest.MonkeyPatch) -> Generator[Releases]:
    with Releases(redis_url, namespace) as there:
        there.publish(database=DATABASE)
        terms = {"config": redis_url, "namespace": namespace, "section": "database", "timeout_s": 5}
        monkeypatch.setattr(Settings, "source", terms)
        yield there


def load(**given: Any) -> Settings:
    return Settings(**given)


def test_settings_are_read_from_a_url_and_what_stands_before_wins(
    releases: Releases, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SHOP_POOL__MAX", "7")

    settings = load(host="db-9")

    assert settings.host == "db-9"
    assert settings.pool == Pool(min=2, max=7)  # one leaf of a section may come from a variable
    assert settings.secret.get_secret_value() == "hunter2"
    assert settings.port == 5432
    assert releases.fleet() == []


def test_settings_are_read_from_a_subscriber_as_of_now(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    with confbus.connect(releases.url, namespace=releases.namespace) as config:
        monkeypatch.setattr(Settings, "source", {"config": config, "section": "database"})
        first = load()
        config.wait_for(version=releases.publish(database={**DATABASE, "host": "db-2"}))

        assert (first.host, load().host) == ("db-1", "db-2")
        assert config["database.pool"] == POOL


def test_a_section_that_is_not_there_says_nothing(releases: Releases, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(Settings.source, "section", "elsewhere")

    settings = load(host="db-9", secret="s", pool=POOL)

    assert settings.host == "db-9"
    with pytest.raises(ValidationError, match="host"):
        load()


def test_extras_of_the_whole_document_come_along_where_the_model_allows_them(releases: Releases) -> None:
    class Everything(BaseSettings):
        model_config = SettingsConfigDict(extra="allow")

    class Nothing(BaseSettings):
        pass

    terms = {"config": releases.url, "namespace": releases.namespace}

    assert ConfbusSettingsSource(Everything, **terms)() == {"database": DATABASE}
    assert ConfbusSettingsSource(Nothing, **terms)() == {}


def test_a_source_shows_no_value(releases: Releases) -> None:
    source = ConfbusSettingsSource(Settings, **Settings.source)

    assert repr(source) == "ConfbusSettingsSource(section='database', version=1)"
    assert "hunter2" not in f"{source!s}{load()!r}"


def test_without_a_release_it_is_told_what_is_missing(redis_url: str, namespace: str) -> None:
    with pytest.raises(ConnectFailed, match="nothing is published"):
        ConfbusSettingsSource(Settings, redis_url, namespace=namespace, timeout_s=0.1)
