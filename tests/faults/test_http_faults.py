"""A web server on its bad days: the last good layer stays, one clear error, recovery by itself, all of it bounded."""

from __future__ import annotations

import gzip
import socket
import ssl
import tracemalloc
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pytest
import trustme

from confbus.errors import SourceFailed
from confbus_publisher.sources.remote.http import HttpSource
from confbus_publisher.sources.remote.tls import Tls
from support.clock import Clock
from support.eventually import eventually
from support.http_server import WebServer, drips, endless, hangs, head, in_turn, raw, says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from confbus_publisher.layer import Layer
    from support.http_server import Talk

GOOD = says('{"x": 1}')
JSON, YAML = "application/json", "application/yaml"
WHOLE = head(content_type=JSON, content_length="8") + b'{"x": 1}'
GZIP_BOMB = gzip.compress(b"[" + bytes(50_000_000), compresslevel=1)

DEADLINE = "no whole answer within 0.3 s"

# What the server does, and what is said of it.
BAD_DAYS: dict[str, tuple[Callable[[Talk], None], str]] = {
    "says nothing": (hangs(), DEADLINE),
    "hangs in the headers": (hangs(after=b"HTTP/1.1 200 OK\r\nContent-"), DEADLINE),
    "hangs in the body": (hangs(after=WHOLE[:-2]), DEADLINE),
    "drips the headers": (drips(b"X-Y: z\r\n", after=b"HTTP/1.1 200 OK\r\n"), DEADLINE),
    "drips the body": (drips(b" ", after=head(content_type=JSON, content_length="999")), DEADLINE),
    "drips a body without a length": (drips(b" ", after=head(content_type=JSON)), DEADLINE),
    "drips one endless chunk length": (
        drips(b"0", after=head(content_type=JSON, transfer_encoding="chunked")),
        DEADLINE,
    ),
    "goes on and on before the answer": (drips(b"HTTP/1.1 100 Continue\r\n\r\n"), DEADLINE),
    "closes without a word": (raw(b""), "closed the connection without an answer"),
    "breaks off in the headers": (raw(WHOLE[:30]), "the answer broke off"),
    "breaks off in the body": (raw(WHOLE[:-2]), "the answer broke off"),
    "breaks off in a chunk": (
        raw(head(content_type=YAML, transfer_encoding="chunked") + b"8\r\nx: 1\n"),
        "the answer broke off",
    ),
    "breaks off between chunks": (
        raw(head(content_type=YAML, transfer_encoding="chunked") + b"5\r\nx: 1\n\r\n"),
        "the answer broke off",
    ),
    "gives YAML without an end": (raw(head(content_type=YAML) + b"x: 1"), "no declared length"),
    "breaks off in gzip": (
        says(gzip.compress(b'{"x": 1}')[:-3], content_encoding="gzip"),
        "packed body is not whole",
    ),
    "says gzip, and it is none": (says('{"x": 1}', content_encoding="gzip"), "says that it is gzip, and is not"),
    "packs in its own way": (says('{"x": 1}', content_encoding="br"), "not known"),
    "speaks another protocol": (raw(b"SSH-2.0-OpenSSH_9.2\r\n"), "no HTTP"),
    "announces 1 GB": (endless(after=head(content_type=JSON, content_length="1000000000")), "larger than 100,000"),
    "sends without end": (endless(after=head(content_type=JSON)), "larger than 100,000"),
    "sends chunks without end": (
        endless(after=head(content_type=JSON, transfer_encoding="chunked"), part=b"10000\r\n" + b" " * 65536 + b"\r\n"),
        "larger than 100,000",
    ),
    "sends one header without end": (endless(after=b"HTTP/1.1 200 OK\r\nX: "), "no HTTP"),
    "sends headers without end": (endless(after=b"HTTP/1.1 200 OK\r\n", part=b"X: y\r\n"), "no HTTP"),
    "sends a gzip bomb": (says(GZIP_BOMB, content_encoding="gzip"), "larger than 100,000"),
    "redirects": (says(status=302, location="https://me:hunter2@elsewhere/?k=hunter2"), "to https://elsewhere/?k=***"),
    "redirects to a file": (says(status=302, location="file:///etc/passwd"), "it redirects"),
    "is broken": (says("hunter2", status=500), "it answers 500"),
    "is asked too often": (says(status=429), "asked too often"),
    "forgot it": (says("{}", status=404), "nothing at this URL"),
    "wants a token": (says("{}", status=401), "other credentials"),
    "has no content": (says(status=204), "it answers 204"),
    "says unchanged, unasked": (raw(head(304)), "says 'unchanged'"),
    "shows a login page": (says("<html>", kind="text/html"), "it is text/html"),
    "lies about its type": (says("x: 1", kind=JSON), "this is no JSON"),
    "sends bytes that are no text": (says(b'{"x":\n"\xff"}'), ":2: the byte at offset 7 is no UTF-8"),
    "gives a key twice": (says('{"x": 1,\n"x": 2}'), ":2:1: the key 'x' stands on line 1 already"),
    "gives a list": (says("[1]"), "no mapping"),
    "gives nothing": (says(""), "this is no JSON"),
}


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer(GOOD) as server:
        yield server


def source(server: WebServer, *, timeout_s: float = 10.0, **options: Any) -> HttpSource:
    return HttpSource(server.url(), timeout_s=timeout_s, limit_bytes=100_000, **options)


def answered(source: HttpSource, clock: Clock) -> Layer:
    """The next good answer; a busy machine may need more than one try within a short deadline."""

    def layer() -> Layer | None:
        clock.advance(60)
        try:
            return source.refresh()
        except SourceFailed:
            return None

    return cast("Layer", eventually(layer, within_s=20))


def refusal(source: HttpSource) -> str:
    with pytest.raises(SourceFailed) as caught:
        source.refresh()
    return str(caught.value)


@pytest.mark.slow
@pytest.mark.parametrize("day", BAD_DAYS)
def test_a_bad_day_leaves_the_last_good_layer_and_is_over_by_itself(server: WebServer, day: str) -> None:
    behave, reason = BAD_DAYS[day]
    clock = Clock()
    remote = source(server, timeout_s=0.3 if reason == DEADLINE else 10.0, clock=clock)
    good = answered(remote, clock)

    server.behave = behave
    told = refusal(remote)
    kept, health = remote.last_good, remote.health
    server.behave = GOOD

    assert reason in told
    assert told.startswith(server.url())
    assert "hunter2" not in told + health
    assert kept is good
    assert f"What it said at {health.rpartition('of ')[2]} stays." in told
    assert answered(remote, clock) is good
    assert all(talk.sent_bytes < 20_000_000 for talk in server.talks)


def test_neither_a_bomb_nor_a_flood_is_ever_held_in_memory(server: WebServer) -> None:
    remote = source(server)
    days = ("sends a gzip bomb", "sends without end", "sends chunks without end", "sends one header without end")

    tracemalloc.start()
    try:
        for day in days:
            server.behave = BAD_DAYS[day][0]
            refusal(remote)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 5_000_000


def test_a_short_trouble_is_not_even_noticed(server: WebServer) -> None:
    server.behave = in_turn(says(status=503), raw(b""), GOOD)

    layer = source(server).load()

    assert layer.tree == {"x": 1}
    assert len(server.asked) == 3


def test_what_asking_again_would_not_change_is_asked_once(server: WebServer) -> None:
    for status in (400, 401, 403, 404, 501):
        server.behave = says(status=status)
        refusal(source(server))

    assert len(server.asked) == 5


def test_nobody_there_is_said_in_plain_words() -> None:
    with WebServer(GOOD) as gone:
        remote = source(gone)

    assert "not reached: connection refused" in refusal(remote)


def test_an_unknown_name_is_said_in_plain_words() -> None:
    assert "name of its host is not known" in refusal(HttpSource("http://no-such-host.invalid/a.json", timeout_s=2.0))


# --- redirects -------------------------------------------------------------------------------------------------------


def test_redirects_that_are_allowed_are_followed_and_strangers_learn_no_secret(server: WebServer) -> None:
    with WebServer(GOOD) as stranger:
        server.behave = in_turn(
            says(status=301, location="/new"), says(status=307, location=stranger.url("/app.json?a=1"))
        )
        remote = source(server, redirects=True, headers={"Authorization": "hunter2", "X-Key": "hunter2"})
        layer = remote.load()

    assert layer.tree == {"x": 1}
    assert [each.headers.get("authorization") for each in server.asked] == ["hunter2", "hunter2"]
    assert [each.target for each in (*server.asked, *stranger.asked)] == ["/app.json", "/new", "/app.json?a=1"]
    assert "hunter2" not in str(stranger.asked)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("/app.json", "redirects more than 5 times"),
        ("file:///etc/passwd", "file: is not fetched"),
        ("https://127.0.0.1/", "from http to https"),
        ("http://[", "no URL"),
    ],
)
def test_a_redirect_that_leads_astray_is_not_followed(server: WebServer, location: str, reason: str) -> None:
    server.behave = says(status=302, location=location)

    told = refusal(source(server, redirects=True))

    assert reason in told


# --- TLS -------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


def tls_server(authority: trustme.CA, name: str = "127.0.0.1", *, ca_for_clients: bool = False) -> WebServer:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(name).configure_cert(context)
    if ca_for_clients:
        authority.configure_trust(context)
        context.verify_mode = ssl.CERT_REQUIRED
    return WebServer(GOOD, tls=context)


def pem(authority: trustme.CA, directory: Path) -> Path:
    path = directory / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return path


def test_a_private_authority_is_trusted_when_it_is_named(authority: trustme.CA, tmp_path: Path) -> None:
    with tls_server(authority) as server:
        trusting = source(server, tls=Tls(ca=pem(authority, tmp_path)))
        strict = source(server)

        told = refusal(strict)

        assert trusting.load().tree == {"x": 1}
    assert "its certificate is refused: unable to get local issuer certificate" in told


def test_a_certificate_for_another_name_is_refused(authority: trustme.CA, tmp_path: Path) -> None:
    with tls_server(authority, "elsewhere.example.com") as server:
        told = refusal(source(server, tls=Tls(ca=pem(authority, tmp_path))))

    assert "its certificate is refused: IP address mismatch" in told


def test_a_client_shows_its_certificate(authority: trustme.CA, tmp_path: Path) -> None:
    ca, mine = pem(authority, tmp_path), tmp_path / "mine.pem"
    authority.issue_cert("client@example.com").private_key_and_cert_chain_pem.write_to_path(str(mine))

    with tls_server(authority, ca_for_clients=True) as server:
        layer = source(server, tls=Tls(ca=ca, certificate=mine)).load()
        told = refusal(source(server, tls=Tls(ca=ca)))

    assert layer.tree == {"x": 1}
    assert "`certificate:`" in told or "not reached" in told  # How a server refuses depends on the version of TLS.


@pytest.mark.parametrize("option", ["ca", "certificate"])
def test_a_pem_that_is_none_is_named(server: WebServer, tmp_path: Path, option: str) -> None:
    file, missing = tmp_path / "x.pem", tmp_path / "none.pem"
    file.write_text("hunter2")

    told = [
        refusal(HttpSource("https://127.0.0.1:1/", tls=Tls(**{option: path}), timeout_s=0.3))
        for path in (file, missing)
    ]

    assert [str(file) in told[0], str(missing) in told[1]] == [True, True]
    assert "hunter2" not in str(told)


@pytest.mark.slow
def test_a_handshake_that_drips_ends_at_the_deadline() -> None:
    long_record = b"\x16\x03\x03\x40\x00"

    with WebServer(drips(b"\x00", after=long_record), listens=False) as server:
        told = refusal(HttpSource(f"https://127.0.0.1:{server.port}/a.json", timeout_s=1.0))
        dripped = server.talks[0].sent_bytes - len(long_record)

    assert "no whole answer within 1 s" in told
    assert dripped > 0


# --- over time -------------------------------------------------------------------------------------------------------


def test_a_server_that_flaps_is_left_alone_then_asked_once_and_trusted_again(server: WebServer) -> None:
    clock = Clock()
    remote = source(server, interval_s=1, clock=clock)
    good = remote.load()

    server.behave = says(status=404)
    for _ in range(5):
        refusal(remote)
    is_open_for_404 = remote.is_circuit_open
    server.behave = raw(b"no")
    told = [refusal(remote) for _ in range(4)]
    asked, is_open, health, due_in_s = len(server.asked), remote.is_circuit_open, remote.health, remote.due_in_s
    server.behave = GOOD
    clock.advance(59)
    early = refusal(remote)
    clock.advance(1)

    assert not is_open_for_404
    assert is_open
    assert due_in_s == 60
    assert "circuit breaker open, asked again in 60 s" in health
    assert "After 3 failures it is asked every 60 s." in told[2]
    assert told[3] == told[2] == early
    assert remote.refresh() is good
    assert len(server.asked) == asked + 1
    assert not remote.is_circuit_open


@pytest.mark.slow
def test_a_fetch_that_outlives_its_deadline_is_waited_for_no_longer_and_lands_later(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A name service that hangs has no deadline that anybody could set.
    reach, released = socket.create_connection, Event()

    def slow(*where: Any, **options: Any) -> Any:
        released.wait(10)
        return reach(*where, **options)

    monkeypatch.setattr(socket, "create_connection", slow)
    remote = source(server, timeout_s=0.2)

    with pytest.raises(SourceFailed, match=r"no answer within 0\.2 s"):
        remote.load()
    released.set()
    eventually(lambda: remote.due_in_s == 0)
    with pytest.raises(SourceFailed, match="no whole answer"):
        remote.load()

    assert len(server.asked) == 0
