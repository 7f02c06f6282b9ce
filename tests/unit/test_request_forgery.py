"""Whoever can write a URL, a redirect or a name's address cannot make a publisher or a worker ask where it must not."""

from __future__ import annotations

import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import SourceFailed
from confbus.line import Line
from confbus.secrets import vault
from confbus.secrets.unresolved import Unresolved
from confbus_publisher.sources.remote.http import HttpSource
from confbus_publisher.sources.remote.vault import VaultSource
from support.clock import Clock
from support.http_server import WebServer, says

if TYPE_CHECKING:
    from collections.abc import Iterator

CLOUDS = [
    "169.254.169.254",
    "2852039166",  # the same in one number, as name services understand it
    "0xa9fea9fe",
    "[::ffff:169.254.169.254]",
    "[fd00:ec2::254]",
    "[fe80::1]",
    "100.100.100.200",
    "168.63.129.16",
]


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer(says('{"x": 1}')) as server:
        yield server


def refusal(source: HttpSource | VaultSource) -> str:
    with pytest.raises(SourceFailed) as caught:
        source.load()
    return str(caught.value)


@pytest.mark.parametrize("host", CLOUDS)
def test_where_clouds_hand_out_credentials_nothing_is_asked(host: str) -> None:
    told = refusal(HttpSource(f"http://{host}/latest/meta-data/app.json"))

    assert "clouds hand out credentials" in told


def test_no_redirect_leads_there_either(server: WebServer) -> None:
    server.behave = says(status=302, location="http://169.254.169.254/latest/meta-data/app.json")

    told = refusal(HttpSource(server.url(), redirects=True))

    assert "clouds hand out credentials" in told


def test_a_name_that_leads_there_is_refused_and_looked_up_once(monkeypatch: pytest.MonkeyPatch) -> None:
    answers: list[list[Any]] = [
        [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 80)), (2, 1, 6, "", ("169.254.169.254", 80))]
    ]

    def look_up(*_arguments: Any, **_options: Any) -> list[Any]:
        return answers.pop()

    monkeypatch.setattr(socket, "getaddrinfo", look_up)

    told = refusal(HttpSource("http://rebound.example.com/app.json"))

    assert "clouds hand out credentials" in told
    assert answers == []


def test_a_name_of_many_addresses_that_are_silent_has_one_deadline_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    began_s = clock()
    places: list[Any] = [(2, 1, 6, "", (f"192.0.2.{number}", 80)) for number in range(1, 200)]

    def connect(_place: Any, *, timeout: float) -> socket.socket:
        clock.advance(timeout)
        raise TimeoutError

    def look_up(*_arguments: Any, **_options: Any) -> list[Any]:
        return places

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    monkeypatch.setattr(socket, "create_connection", connect)
    monkeypatch.setattr("confbus.line.time", SimpleNamespace(monotonic=clock))

    with Line(3.0) as line, pytest.raises(TimeoutError):
        line.open("many.example.com", 80, None)

    assert clock() - began_s < 3.3


def test_a_vault_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VAULT_ADDR", "http://169.254.169.254")
    monkeypatch.setenv("VAULT_TOKEN", "hunter2")

    told = refusal(VaultSource("secret/data/app", address="http://169.254.169.254", token="hunter2"))
    with pytest.raises(Unresolved, match="clouds hand out credentials"):
        vault.fetch("secret/data/app")

    assert "clouds hand out credentials" in told


def test_a_redirect_is_not_followed_unless_somebody_says_so(server: WebServer) -> None:
    server.behave = says(status=302, location="/elsewhere")

    told = refusal(HttpSource(server.url()))

    assert "it redirects to" in told
    assert [asked.target for asked in server.asked] == ["/app.json"]


def test_proxies_of_the_environment_learn_nothing(server: WebServer, monkeypatch: pytest.MonkeyPatch) -> None:
    with WebServer(says('{"x": 2}')) as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))

        layer = HttpSource(server.url(), headers={"Authorization": "hunter2"}).load()

    assert layer.tree == {"x": 1}
    assert proxy.asked == []
