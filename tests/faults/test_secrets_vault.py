"""Secrets in a vault that answers, is down, slow, sealed or strange: workers go on, and take no more than a secret."""

from __future__ import annotations

import json
import ssl
from typing import TYPE_CHECKING, Any

import pytest
import trustme

from confbus.errors import ConfBusError
from confbus.secrets.unresolved import Unresolved
from confbus.secrets.vault import fetch
from confbus.secrets.vaults import Vaults
from confbus.testing import Bus
from confbus.timing import Timing
from confbus.wire.frozen import Reference
from support.eventually import eventually
from support.http_server import WebServer, drips, endless, hangs, head, raw, says
from support.vault import Vault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from support.http_server import Talk

QUICK: dict[str, Any] = {"secrets_refresh_s": 0.02, "timing": Timing(poll_s=0.02, report_gap_s=0.0)}
PASSWORD = Reference("vault:kv/data/db#password")


@pytest.fixture
def vault() -> Vault:
    vault = Vault()
    vault.secret("kv/data/db").put({"password": "hunter2", "user": "ann", "port": 5432})
    return vault


@pytest.fixture
def server(vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebServer]:
    with WebServer(vault.behave) as server:
        monkeypatch.setenv("VAULT_ADDR", server.url(""))
        monkeypatch.setenv("VAULT_TOKEN", "hvs.good")
        monkeypatch.delenv("VAULT_TOKEN_FILE", raising=False)
        monkeypatch.delenv("VAULT_NAMESPACE", raising=False)
        yield server


@pytest.fixture
def bus(server: WebServer) -> Iterator[Bus]:
    with Bus({"database": {"password": PASSWORD, "port": Reference("vault:kv/data/db#port")}, "web": {"x": 1}}) as bus:
        yield bus


def test_a_worker_reads_what_the_vault_has_and_asks_once_for_each_path(bus: Bus, server: WebServer) -> None:
    config = bus.connect()

    assert config["database"] == {"password": "hunter2", "port": 5432}
    assert [asked.target for asked in server.asked] == ["/v1/kv/data/db"]


def test_a_new_version_of_a_secret_is_read_and_one_that_goes_is_kept(bus: Bus, vault: Vault) -> None:
    config = bus.connect(**QUICK)

    vault.secret("kv/data/db").put({"password": "hunter3", "port": 5432})
    eventually(lambda: config["database.password"] == "hunter3")
    vault.secret("kv/data/db").take_back()
    eventually(lambda: "no secret at this path" in config.status().error)

    assert config["database"] == {"password": "hunter3", "port": 5432}
    assert config.status().state == "live"


def test_a_vault_that_hangs_keeps_nobody_from_following(bus: Bus, server: WebServer) -> None:
    config = bus.connect(**QUICK)
    asked = len(server.asked)
    server.behave = hangs()
    eventually(lambda: len(server.asked) > asked)

    for size in range(10):
        bus.set("web.x", size)

        assert (config["web.x"], config["database.password"]) == (size, "hunter2")


def test_a_worker_that_starts_while_the_vault_is_down_waits_for_it(bus: Bus, server: WebServer, vault: Vault) -> None:
    server.behave = says("", status=503)
    server.asked.clear()

    def come_back(talk: Talk) -> None:
        if len(server.asked) > 2:
            vault.behave(talk)
        else:
            says("", status=503)(talk)

    server.behave = come_back

    assert bus.connect(**QUICK, timeout_s=30)["database.password"] == "hunter2"


def test_a_token_is_read_from_its_file_each_time(
    bus: Bus, vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = tmp_path / "token"
    token.write_text("hvs.good\n")
    monkeypatch.setenv("VAULT_TOKEN_FILE", str(token))
    monkeypatch.setenv("VAULT_TOKEN", "hvs.wrong")
    config = bus.connect(**QUICK)

    vault.tokens = {"hvs.next"}
    vault.secret("kv/data/db").put({"password": "hunter3", "port": 1})
    eventually(lambda: "forbids" in config.status().error)
    token.write_text("hvs.next")

    eventually(lambda: config["database.password"] == "hunter3")


def test_version_one_of_the_store_and_leases_are_understood(server: WebServer) -> None:
    answer = {"lease_id": "", "lease_duration": 2764800, "data": {"data": "x", "password": "y"}}
    server.behave = says(json.dumps(answer))
    plain = fetch("secret/db")
    server.behave = says(json.dumps({"lease_id": "database/creds/x", "lease_duration": 60, "data": {"password": "z"}}))
    leased = fetch("database/creds/x")

    assert (plain.field("password"), plain.field("data"), plain.lease_s) == ("y", "x", 0.0)
    assert (leased.field("password"), leased.lease_s) == ("z", 60.0)


def test_what_is_leased_is_asked_for_again_before_the_lease_ends_and_no_sooner(server: WebServer) -> None:
    def lease(talk: Talk) -> None:
        lease_s = 0.03 if "short" in talk.asked.target else 3600
        says(json.dumps({"lease_id": "x", "lease_duration": lease_s, "data": {"password": "y"}}))(talk)

    server.behave = lease
    names = ["creds/short#password", "creds/long#password"]
    vaults = Vaults(0.001)
    vaults.await_first(names)

    def is_asked_again() -> bool:
        vaults.ask_again(names)
        return sum("short" in asked.target for asked in server.asked) > 3

    eventually(is_asked_again)

    assert [vaults.read(name) for name in names] == ["y", "y"]
    assert sum("long" in asked.target for asked in server.asked) == 1


@pytest.mark.parametrize("field", ["nothing", "list", "mapping", "null"])
def test_only_a_single_value_is_a_secret(server: WebServer, field: str) -> None:
    server.behave = says(json.dumps({"data": {"list": ["hunter2"], "mapping": {"a": "hunter2"}, "null": None}}))

    with pytest.raises(Unresolved, match="no single value") as caught:
        fetch("secret/db").field(field)

    assert "hunter2" not in str(caught.value)


ANSWERS: dict[str, tuple[Callable[[Talk], None], str]] = {
    "forbidden": (says('{"errors": ["hunter2"]}', status=403), "forbids"),
    "missing": (says('{"errors": []}', status=404), "no secret"),
    "sealed": (says("", status=503), "sealed"),
    "redirect": (says("", status=307, location="http://127.0.0.1:1/"), "answers 307"),
    "no JSON": (says("hunter2"), "no JSON"),
    "deep JSON": (says("[" * 100_000), "no JSON"),
    "a list": (says('["hunter2"]'), "without a secret"),
    "no mapping": (says('{"data": "hunter2"}'), "without a secret"),
    "huge": (endless(after=head()), "more than 1,048,576 bytes"),
    "no HTTP": (raw(b"hunter2 hunter2\r\n\r\n"), "no HTTP"),
    "nothing": (raw(b""), "unreachable"),
    "cut": (raw(head(content_length="100") + b"{"), "no JSON"),
    "hangs": (hangs(), "did not answer"),
    "drips": (drips(b" ", after=head()), "did not answer"),
    "drips headers": (drips(b"a"), "did not answer"),
}


@pytest.mark.parametrize("case", ANSWERS)
def test_whatever_is_wrong_is_said_in_time_and_without_what_was_answered(server: WebServer, case: str) -> None:
    server.behave, reason = ANSWERS[case]
    is_slow = reason == "did not answer"

    with pytest.raises(Unresolved) as caught:
        fetch("kv/data/db", deadline_s=0.2 if is_slow else 20.0)

    assert reason in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value", "reason"),
    [
        ("VAULT_ADDR", "", "VAULT_ADDR is not set"),
        ("VAULT_ADDR", "file:///etc/passwd", "no address"),
        ("VAULT_ADDR", "http://ann:hunter2@vault", "no address"),
        ("VAULT_ADDR", "http://[::1", "no address"),
        ("VAULT_ADDR", "http://127.0.0.1:1", "unreachable"),
        ("VAULT_TOKEN", "", "no token"),
        ("VAULT_TOKEN", "hvs.x\r\nhost: elsewhere", "no token"),
        ("VAULT_TOKEN_FILE", "/nowhere/token", "No such file"),
        ("VAULT_NAMESPACE", "a\r\nb: c", "no HTTP"),
        ("VAULT_CACERT", "/nowhere/ca.pem", "VAULT_CACERT"),
    ],
)
def test_a_vault_that_cannot_be_asked_is_told(
    server: WebServer, monkeypatch: pytest.MonkeyPatch, name: str, value: str, reason: str
) -> None:
    if name == "VAULT_CACERT":
        monkeypatch.setenv("VAULT_ADDR", server.url("").replace("http:", "https:"))
    monkeypatch.setenv(name, value)

    with pytest.raises(Unresolved, match=reason) as caught:
        fetch("kv/data/db")

    assert "hunter2" not in str(caught.value)
    assert server.asked == []


@pytest.mark.parametrize(
    ("name", "is_trusted", "outcome"),
    [
        ("127.0.0.1", True, "hunter2"),
        ("127.0.0.1", False, "certificate is refused: unable to get local issuer"),
        ("vault.example.com", True, "certificate is refused: IP address mismatch"),
    ],
)
def test_a_certificate_is_checked(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, outcome: str, *, is_trusted: bool
) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("VAULT_TOKEN", "hvs.good")
    monkeypatch.setenv("VAULT_CACERT", str(tmp_path / "ca.pem") if is_trusted else "")

    with WebServer(vault.behave, tls=context) as server:
        monkeypatch.setenv("VAULT_ADDR", server.url(""))
        try:
            said = str(fetch("kv/data/db").field("password"))
        except Unresolved as failure:
            said = str(failure)

    assert outcome in said


def test_a_worker_that_may_not_read_a_path_says_so(bus: Bus, vault: Vault) -> None:
    vault.tokens = set()

    with pytest.raises(ConfBusError, match=r"database\.password: !secret vault:kv/data/db#password: .*403") as caught:
        bus.connect(**QUICK, timeout_s=0.2)

    assert "hunter2" not in str(caught.value)
