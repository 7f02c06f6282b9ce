"""Settings from a few variables, without a confbus.yaml."""

from __future__ import annotations

from pathlib import Path

import pytest

from confbus.errors import InvalidNamespace, InvalidSettings
from confbus_publisher.environment_settings import environment_settings, lacks_address, source_entries
from confbus_publisher.layers import Layers
from confbus_publisher.opening import Named, inputs_of, settings_of, site_of
from confbus_publisher.settings import build_sources

OF_THE_IMAGE = {"CONFIG_DIR": "/etc/app/config", "APP_CONFIG_WATCH": "true", "APP_CONFIG_SOURCES": "file,env,remote"}
URL = "https://config.example.com/app.json"


@pytest.mark.parametrize(
    ("environ", "entries"),
    [
        ({}, [{"env": "APP_"}]),
        ({"CONFIG_DIR": "/c"}, [{"directory": "/c"}, {"env": "APP_"}]),
        (
            {"CONFIG_DIR": "/c", "APP_CONFIG_URL": URL},
            [{"directory": "/c"}, {"env": "APP_"}, {"http": URL}],
        ),
        ({"CONFIG_DIR": "/c", "APP_CONFIG_SOURCES": " env , FILE,"}, [{"env": "APP_"}, {"directory": "/c"}]),
        ({"APP_CONFIG_SOURCES": "remote,env", "APP_CONFIG_URL": URL}, [{"http": URL}, {"env": "APP_"}]),
        ({"APP_CONFIG_SOURCES": ""}, []),
        (OF_THE_IMAGE, [{"directory": "/etc/app/config"}, {"env": "APP_"}]),
        ({"CONFIG_DIR": "/c/${x}", "APP_CONFIG_SOURCES": "file"}, [{"directory": "/c/$${x}"}]),
    ],
)
def test_variables_say_which_sources_there_are_and_the_later_ones_are_on_top(
    environ: dict[str, str], entries: list[dict[str, str]]
) -> None:
    found = source_entries(environ)

    assert found == [{**entry, "priority": 10 * place} for place, entry in enumerate(entries, start=1)]


def test_a_remote_source_without_an_address_can_be_told() -> None:
    with_address = {**OF_THE_IMAGE, "APP_CONFIG_URL": URL}

    assert [lacks_address(environ) for environ in (OF_THE_IMAGE, with_address, {})] == [True, False, False]


@pytest.mark.parametrize(
    ("environ", "told"),
    [
        ({"APP_CONFIG_SOURCES": "env,filee"}, "$APP_CONFIG_SOURCES: 'filee' is no kind of source. Did you mean file?"),
        ({"APP_CONFIG_SOURCES": "file"}, "$APP_CONFIG_SOURCES: it turns file on, and CONFIG_DIR is not set."),
        ({"APP_CONFIG_WATCH": "perhaps"}, "$APP_CONFIG_WATCH: a boolean is wanted. Write true or false."),
    ],
)
def test_what_cannot_be_followed_is_refused_by_its_variable(environ: dict[str, str], told: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        environment_settings(environ)

    assert str(caught.value).startswith(told)


def test_the_publishers_own_data_stays_out_of_the_configuration(tmp_path: Path) -> None:
    environ = {"APP_CONFIG_SOURCES": "env", "APP_CONFIG_WATCH": "no", "APP_CONFIG_URL": URL, "CONFIG_DIR": "/c"}

    settings = environment_settings(environ, namespace="shop", redis="redis://cache", base=tmp_path)

    assert (settings.namespace, settings.redis, settings.watch) == ("shop", "redis://cache", False)
    assert settings.state == tmp_path / ".confbus" / "state-shop"
    assert settings.file_roots == (Path("/run/secrets"), Path("/c"))
    with pytest.raises(InvalidNamespace, match="that was named"):
        environment_settings(environ, namespace="a b")


def test_the_variables_that_steer_are_no_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in {
        "APP_CONFIG_SOURCES": "env",
        "APP_CONFIG_WATCH": "1",
        "APP_CONFIG_URL": URL,
        "APP_A": "1",
    }.items():
        monkeypatch.setenv(name, text)

    [source] = build_sources(environment_settings({"APP_CONFIG_SOURCES": "env"}))

    assert Layers([source]).load()[0].tree == {"a": 1}


def test_the_environment_counts_only_where_no_file_was_named_or_is_here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("APP_CONFIG_SOURCES", "env")
    (tmp_path / "other.yaml").write_text("namespace: from-other\n")

    named = settings_of(Named(config="other.yaml"))
    alone = settings_of(Named())
    told = site_of(Named(url="redis://cache"))
    (tmp_path / "confbus.yaml").write_text("namespace: from-here\n")

    assert [each.namespace for each in (named, alone, settings_of(Named()))] == ["from-other", "app", "from-here"]
    assert (told.url, told.namespace) == ("redis://cache", "app")


def test_a_place_whose_name_is_no_text_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CONFIG_DIR", "menu\udce9")

    for named in (Named(), Named(config="menu\udce9/confbus.yaml")):
        with pytest.raises(InvalidSettings, match=r"menu\?.*no UTF-8"):
            settings_of(named)


def test_without_watching_the_sources_are_read_once_when_all_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("APP_A", "1")
    still = inputs_of(environment_settings({"APP_CONFIG_SOURCES": "env", "APP_CONFIG_WATCH": "false"}))
    followed = inputs_of(environment_settings({"APP_CONFIG_SOURCES": "env"}))
    first = still.load()

    monkeypatch.setenv("APP_A", "2")

    assert still.load() is first
    assert still.watched == set()
    assert followed.load().merged.tree["a"] == 2
