"""`http:` and `vault:` in confbus.yaml."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidSettings
from confbus_publisher.layers import Layers
from confbus_publisher.settings import Settings, build_sources, load_settings
from confbus_publisher.sources.remote.http import HttpSource
from confbus_publisher.sources.remote.vault import VaultSource
from support.http_server import WebServer, says
from support.vault import Vault

if TYPE_CHECKING:
    from pathlib import Path

HTTP = """\
- http: {url}
  priority: 20
  name: primary
  method: GET
  headers: {{X-Team: "${{TEAM}}", Accept: application/json}}
  bearer_file: token
  timeout: 10
  interval: 1m
  format: json
  limit: 1 MiB
  redirects: true
  interpolate: true
  delete: [database.host, 'a["b.c"]']
"""
VAULT = """\
- vault: app
  address: {url}
  mount: secret
  namespace: team-a
  token_file: token
  timeout: 10s
  cache: secrets/app
"""


def load(directory: Path, sources: str, **variables: str) -> Settings:
    path = directory / "confbus.yaml"
    path.write_text(f"namespace: x\nsources:\n{sources}")
    return load_settings(path, variables=variables)


def test_everything_that_http_can_say_is_understood(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hvs.good")
    with WebServer(says('{"x": 1}', kind="text/plain")) as server:
        settings = load(tmp_path, HTTP.format(url=server.url("/app")), TEAM="shop")
        [source] = build_sources(settings)
        layer = Layers([source]).load()[0]

    asked = server.asked[0]
    assert isinstance(source, HttpSource)
    assert (source.name, source.priority, source.due_in_s > 30) == ("primary", 20, True)
    assert (layer.tree, layer.interpolates) == ({"x": 1}, True)
    assert layer.deletes == {("database", "host"), ("a", "b.c")}
    assert (asked.headers["x-team"], asked.headers["authorization"]) == ("shop", "Bearer hvs.good")
    assert len(list((tmp_path / ".confbus").glob("http-*"))) == 1


def test_everything_that_vault_can_say_is_understood(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("hvs.good")
    vault = Vault()
    vault.secret("secret/data/app", namespace="team-a").put({"x": 1})
    with WebServer(vault.behave) as server:
        [source] = build_sources(load(tmp_path, VAULT.format(url=server.url(""))))
        layer = Layers([source]).load()[0]

    assert isinstance(source, VaultSource)
    assert source.name == "vault:app"
    assert layer.tree == {"x": 1}
    assert (tmp_path / "secrets" / "app").exists()


def test_little_needs_to_be_said(tmp_path: Path) -> None:
    settings = load(
        tmp_path, "- http: https://me:hunter2@host/app.json?k=hunter2\n- vault: a/data/b\n  address: http://v"
    )

    names = [source.name for source in settings.sources]

    assert names == ["https://host/app.json?k=***", "vault:a/data/b"]
    assert "hunter2" not in repr(settings)


def test_a_cache_can_be_put_elsewhere_or_be_left_out(tmp_path: Path) -> None:
    with WebServer(says('{"x": 1}')) as server:
        for cache in ("kept/here", "false"):
            [source] = build_sources(load(tmp_path, f"- http: {server.url()}\n  cache: {cache}\n"))
            Layers([source]).load()[0]

    assert sorted(each.name for each in tmp_path.iterdir()) == ["confbus.yaml", "kept"]
    assert (tmp_path / "kept" / "here").exists()


REFUSED = {
    "scheme": ("- http: file:///etc/passwd", ":3:3", "file: is not fetched"),
    "no URL": ("- http: hunter2", ":3:3", "without a scheme"),
    "unknown key": ("- http: http://h\n  headres: {}", ":4:3", "Did you mean headers?"),
    "a key of vault": ("- http: http://h\n  token: x", ":4:3", "'token' is not known"),
    "method": ("- http: http://h\n  method: DELETE", ":4:3", "GET or POST"),
    "header": ('- http: http://h\n  headers: {X-Key: "hunter2\\n"}', ":4:3", "X-Key holds a line break"),
    "header no string": ("- http: http://h\n  headers: {X-Key: 5}", ":4:13", "X-Key must be a string"),
    "headers no mapping": ("- http: http://h\n  headers: [a]", ":4:3", "headers must be a mapping"),
    "two credentials": ("- http: http://h\n  headers: {Authorization: hunter2}\n  bearer_file: x", ":3:3", "several"),
    "format": ("- http: http://h\n  format: xml", ":4:3", "Use one of json, toml, yaml"),
    "timeout": ("- http: http://h\n  timeout: soon", ":4:3", "timeout must be a duration"),
    "interval": ("- http: http://h\n  interval: 0", ":4:3", "more than nothing"),
    "limit": ("- http: http://h\n  limit: much", ":4:3", "limit must be a size"),
    "a key alone": ("- http: http://h\n  certificate_key: x", ":4:3", "a key and no certificate"),
    "delete": ("- http: http://h\n  delete: [a, 'b[']", ":4:15", "'b[' is not a path"),
    "delete in a list": ("- http: http://h\n  delete: ['hosts[0]']", ":4:12", "not an item of a list"),
    "delete no list": ("- http: http://h\n  delete: a", ":4:3", "delete must be a list"),
    "cache": ("- http: http://h\n  cache: true", ":4:3", "cache must be a string"),
    "no address": ("- vault: a/data/b", ":3:3", "address is missing"),
    "address": ("- vault: a/data/b\n  address: vault:8200", ":4:3", "vault: is not fetched"),
    "address with a query": ("- vault: a/data/b\n  address: http://v?hunter2", ":3:3", "more than scheme"),
    "path": ("- vault: a/b\n  address: http://v", ":3:3", "Write secret/data/app"),
    "two tokens": ("- vault: a/data/b\n  address: http://v\n  token: hunter2\n  token_file: x", ":5:3", "two tokens"),
    "token": ('- vault: a/data/b\n  address: http://v\n  token: "hunter2\\n"', ":5:3", "x-vault-token holds"),
    "namespace": ('- vault: a/data/b\n  address: http://v\n  namespace: "a\\nb"', ":5:3", "x-vault-namespace holds"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_followed_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    text, place, reason = REFUSED[case]

    with pytest.raises(InvalidSettings) as caught:
        load(tmp_path, text)

    assert str(caught.value).startswith(f"{tmp_path / 'confbus.yaml'}{place}")
    assert reason in str(caught.value)
    assert "hunter2" not in str(caught.value)
