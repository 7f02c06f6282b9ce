"""A secret in Vault as a source."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidSettings, SourceFailed
from confbus_publisher.inputs import Inputs
from confbus_publisher.sources.remote.vault import VaultSource
from support.http_server import WebServer, says
from support.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def vault() -> Vault:
    vault = Vault()
    vault.secret("secret/data/app").put({"database": {"password": "one", "port": 5432}})
    return vault


@pytest.fixture
def server(vault: Vault) -> Iterator[WebServer]:
    with WebServer(vault.behave) as server:
        yield server


def source(server: WebServer, path: str = "secret/data/app", *, token: str = "hvs.good", **options: Any) -> VaultSource:
    return VaultSource(path, address=server.url(""), token=token, timeout_s=10.0, **options)


def refusal(source: VaultSource) -> str:
    with pytest.raises(SourceFailed) as caught:
        source.refresh()
    assert caught.value.source == source.name
    return str(caught.value)


def test_the_newest_version_is_the_layer(vault: Vault, server: WebServer) -> None:
    remote = source(server, priority=7)

    first = remote.load()
    vault.secret("secret/data/app").put({"database": {"password": "two"}})
    second = remote.refresh()

    assert first.tree == {"database": {"password": "one", "port": 5432}}
    assert (first.source, first.priority, first.kind) == ("vault:secret/data/app", 7, "vault")
    assert str(first.origins["database", "password"]) == server.url("/v1/secret/data/app")
    assert second.tree == {"database": {"password": "two"}}


def test_the_same_secret_is_the_very_same_layer_though_every_answer_differs(server: WebServer) -> None:
    remote = source(server)

    first, second = remote.load(), remote.refresh()

    assert second is first


def test_the_same_values_in_a_new_version_are_no_change(vault: Vault, server: WebServer) -> None:
    remote = source(server)
    first = remote.load()

    vault.secret("secret/data/app").put({"database": {"password": "one", "port": 5432}})
    same = remote.refresh()
    vault.secret("secret/data/app").put({"database": {"password": "one", "port": 5432.0}})
    other = remote.refresh()

    assert same is first
    assert other is not first


@pytest.mark.parametrize(
    ("path", "mount"),
    [("app", "secret"), ("/app/", "/secret/"), ("secret/data/app", ""), ("/v1/secret/data/app", "")],
)
def test_a_path_may_be_that_of_the_api_or_one_within_a_mount(server: WebServer, path: str, mount: str) -> None:
    assert source(server, path, mount=mount).load().tree["database"]["password"] == "one"


@pytest.mark.parametrize("path", ["app", "secret/app", "secret/data/", "secret/data/../../sys", "", "/data/app"])
def test_a_path_that_names_no_secret_is_refused_at_once(server: WebServer, path: str) -> None:
    with pytest.raises(InvalidSettings, match="names no secret"):
        source(server, path)


def test_strange_characters_stay_within_the_path(vault: Vault, server: WebServer) -> None:
    vault.secret("team%20a/kv/data/a%3Fb%23c").put({"x": 1})

    assert source(server, "a?b#c", mount="team a/kv").load().tree == {"x": 1}


def test_a_namespace_is_asked_in_its_own_right(vault: Vault, server: WebServer) -> None:
    vault.secret("secret/data/app", namespace="team-a/").put({"x": "of team a"})

    layer = source(server, namespace="team-a/").load()

    assert layer.tree == {"x": "of team a"}


def test_a_token_comes_from_a_file_that_an_agent_renews(vault: Vault, server: WebServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("hvs.old\n")
    remote = source(server, token="", token_file=file)

    told = refusal(remote)
    file.write_text("hvs.good\n")

    assert "it answers 403: it forbids this" in told
    assert remote.refresh().tree["database"]["port"] == 5432


def test_a_token_comes_from_the_environment_when_nothing_else_is_said(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VAULT_TOKEN", raising=False)
    remote = source(server, token="")

    told = refusal(remote)
    monkeypatch.setenv("VAULT_TOKEN", "hvs.good")

    assert "no token in the variable VAULT_TOKEN" in told
    assert remote.refresh().tree["database"]["port"] == 5432


def test_what_vault_refuses_is_told_apart_and_takes_nothing_away(vault: Vault, server: WebServer) -> None:
    remote = source(server)
    good = remote.load()
    secret = vault.secret("secret/data/app")

    nothing = refusal(source(server, "secret/data/none"))
    vault.tokens.clear()
    forbidden = refusal(remote)
    vault.tokens.add("hvs.good")
    vault.is_sealed = True
    sealed = refusal(remote)
    vault.is_sealed = False
    secret.take_back()
    deleted = refusal(remote)
    secret.take_back(destroy=True)
    destroyed = refusal(remote)
    kept = remote.last_good
    secret.put({"database": {"password": "three"}})

    assert "there is no secret at this path" in nothing
    assert "403: it forbids this" in forbidden
    assert "503: it is sealed" in sealed
    assert "its newest version, 1, was deleted" in deleted
    assert "its newest version, 1, was destroyed" in destroyed
    assert kept is good
    assert remote.refresh().tree == {"database": {"password": "three"}}


@pytest.mark.parametrize(
    "body",
    ["[]", "{}", '{"data": {"password": "one"}}', '{"data": {"data": [1], "metadata": {}}}', '{"data": 5}', "<html>"],
)
def test_what_is_no_answer_of_a_kv_store_is_refused(server: WebServer, body: str) -> None:
    remote = source(server)
    good = remote.load()

    server.behave = says(body)
    told = refusal(remote)

    assert "no answer of a KV store" in told or "this is no JSON" in told
    assert remote.last_good is good


@pytest.mark.parametrize("body", ["", "<html>", "[]", "{}", '{"data": {"metadata": {"version": "x"}}}', b"\xff"])
def test_a_404_of_whomever_is_no_secret(server: WebServer, body: str | bytes) -> None:
    server.behave = says(body, status=404)

    assert "there is no secret at this path" in refusal(source(server))


def test_nothing_is_written_to_disk_unless_that_is_asked_for(
    server: WebServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    cache = tmp_path / "cache" / "vault"

    source(server).load()
    before = list(tmp_path.iterdir())
    source(server, cache=cache).load()
    server.behave = says(status=503)
    merged = Inputs([source(server, cache=cache)], limit_bytes=1000).load().merged

    assert before == []
    assert merged.tree == {"database": {"password": "one", "port": 5432}}


def test_no_secret_is_shown(vault: Vault, server: WebServer) -> None:
    remote = source(server, token="hvs.hunter2")

    told = refusal(remote)
    vault.tokens.add("hvs.hunter2")
    vault.secret("secret/data/app").put({"password": "hunter2"})
    layer = remote.refresh()

    assert "hunter2" not in " ".join([told, repr(remote), remote.name, remote.health, repr(layer)])
    assert layer.tree == {"password": "hunter2"}
