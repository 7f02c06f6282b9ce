"""A document on a web server as a source, on good days."""

from __future__ import annotations

import gzip
from math import inf
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidSettings, SourceFailed
from confbus_publisher.sources.remote.http import HttpSource
from support.clock import Clock
from support.eventually import eventually
from support.http_server import WebServer, conditional, hangs, head, raw, says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer(says('{"x": 1}')) as server:
        yield server


def source(server: WebServer, target: str = "/app.json", **options: Any) -> HttpSource:
    return HttpSource(server.url(target), timeout_s=10.0, **options)


def refusal(source: HttpSource) -> str:
    with pytest.raises(SourceFailed) as caught:
        source.refresh()
    assert caught.value.source == source.name
    return str(caught.value)


@pytest.mark.parametrize(
    ("kind", "target", "body"),
    [
        ("application/json; charset=utf-8", "/app", '{"x": {"y": 1}}'),
        ("application/problem+json", "/app", '{"x": {"y": 1}}'),
        ("application/yaml", "/app.json", "x:\n  y: 1"),
        ("text/x-yaml", "/app", "x: {y: 1}"),
        ("text/plain", "/app.yml", "x: {y: 1}"),
        ("application/toml", "/app", "[x]\ny = 1"),
        ("text/plain", "/app.toml", "x.y = 1"),
        ("application/octet-stream", "/app.json?v=2", '{"x": {"y": 1}}'),
    ],
)
def test_the_type_says_how_to_read_it_and_else_the_url(server: WebServer, kind: str, target: str, body: str) -> None:
    server.behave = says(body, kind=kind)

    layer = source(server, target).load()

    assert layer.tree == {"x": {"y": 1}}
    assert layer.kind == "http"


def test_what_is_said_by_hand_beats_type_and_url(server: WebServer) -> None:
    server.behave = says("x: 1", kind="text/html")

    layer = source(server, "/app.json", format_name="yaml").load()

    assert layer.tree == {"x": 1}


def test_every_value_is_placed_at_its_line_of_the_url(server: WebServer) -> None:
    server.behave = says('{\n  "x": {\n    "y": 1}}')

    layer = source(server, "/app.json?token=hunter2").load()

    assert str(layer.origins["x", "y"]) == f"{server.url('/app.json')}?token=***:3:5"


def test_a_toml_that_may_be_cut_off_is_refused(server: WebServer) -> None:
    server.behave = raw(head(content_type="application/toml") + b"x = 1\n")

    assert "nobody can tell whether it is whole" in refusal(source(server, "/app.toml"))


def test_an_unchanged_document_costs_a_304_and_gives_the_very_same_layer(server: WebServer) -> None:
    server.behave = conditional('{"x": 1}', etag='"one"', last_modified="Mon, 24 Nov 2025 10:00:00 GMT")
    remote = source(server)

    first, second, third = remote.load(), remote.refresh(), remote.refresh()

    assert second is first
    assert third is first
    assert server.asked[2].headers["if-none-match"] == '"one"'
    assert server.asked[2].headers["if-modified-since"] == "Mon, 24 Nov 2025 10:00:00 GMT"
    assert server.talks[2].sent_bytes < 60


def test_the_same_bytes_give_the_very_same_layer_without_an_etag_too(server: WebServer) -> None:
    remote = source(server)

    first, same = remote.load(), remote.refresh()
    server.behave = says('{"x": 2}')
    other = remote.refresh()

    assert same is first
    assert other.tree == {"x": 2}


def test_one_is_not_true(server: WebServer) -> None:
    remote = source(server)

    remote.load()
    server.behave = says('{"x": true}')

    assert remote.refresh().tree["x"] is True


def test_headers_method_and_user_are_sent(server: WebServer) -> None:
    remote = HttpSource(
        server.url().replace("//", "//me:p%40ss@"), headers={"X-Team": "shop", "accept": "application/yaml"}
    )
    by_post = source(server, "/é/app.json?q=a b".replace(" ", "%20"), method="post")

    remote.load()
    by_post.load()

    assert server.asked[0].headers["authorization"] == "Basic bWU6cEBzcw=="
    assert server.asked[0].headers["x-team"] == "shop"
    assert server.asked[0].headers["accept"] == "application/yaml"
    assert server.asked[0].headers["host"] == f"127.0.0.1:{server.port}"
    assert (server.asked[1].method, server.asked[1].target) == ("POST", "/%C3%A9/app.json?q=a%20b")


def test_a_token_that_rotates_in_its_file_is_read_at_each_request(server: WebServer, tmp_path: Path) -> None:
    file = tmp_path / "token"
    remote = source(server, bearer_file=file)

    missing = refusal(remote)
    file.write_text("one\n")
    remote.refresh()
    file.write_text("two\n")
    remote.refresh()

    assert str(file) in missing
    assert [each.headers["authorization"] for each in server.asked] == ["Bearer one", "Bearer two"]


def test_it_asks_once_an_interval_and_says_when(server: WebServer) -> None:
    clock = Clock()
    remote = source(server, interval_s=30, clock=clock)

    before_s = remote.due_in_s
    first = remote.load()
    clock.advance(29)
    again, soon_s = remote.load(), remote.due_in_s
    asked_early = len(server.asked)
    clock.advance(1)
    remote.load()

    assert (before_s, soon_s, asked_early) == (0, 1, 1)
    assert again is first
    eventually(lambda: len(server.asked) == 2)
    eventually(lambda: remote.due_in_s < inf)  # the answer has come: to be loaded, or loaded just as it was asked for
    assert remote.load() is first


def test_after_the_first_answer_it_is_never_waited_for(server: WebServer) -> None:
    clock, woken = Clock(), list[int]()
    remote = source(server, interval_s=30, clock=clock)
    remote.listen(lambda: woken.append(1))
    first = remote.load()

    server.behave = hangs(after=head(content_type="application/json", content_length="8"))
    clock.advance(30)
    meanwhile = [remote.load() for _ in range(100)]
    is_waiting = remote.due_in_s

    assert all(layer is first for layer in meanwhile)
    assert is_waiting == float("inf")
    assert eventually(lambda: woken) == [1]  # by the first answer


def test_whoever_listens_is_woken_when_there_is_something_new(server: WebServer) -> None:
    clock, woken = Clock(), list[int]()
    remote = source(server, interval_s=30, clock=clock)
    remote.load()

    remote.listen(lambda: woken.append(1))
    server.behave = says('{"x": 2}')
    clock.advance(30)
    remote.begin()
    eventually(lambda: woken)

    assert remote.load().tree == {"x": 2}


def test_gzip_is_unpacked(server: WebServer) -> None:
    server.behave = says(gzip.compress(b'{"x": [' + b"1, " * 10_000 + b"1]}"), content_encoding="gzip")

    layer = source(server).load()

    assert len(layer.tree["x"]) == 10_001


def test_a_body_in_chunks_is_joined(server: WebServer) -> None:
    start = head(content_type="application/yaml", transfer_encoding="chunked")
    server.behave = raw(start + b"3\r\nx: \r\n2\r\n12\r\n0\r\n\r\n")

    assert source(server).load().tree == {"x": 12}


@pytest.mark.parametrize(
    ("url", "options", "reason"),
    [
        ("file:///etc/passwd", {}, "file: is not fetched"),
        ("ftp://host/app.json", {}, "ftp: is not fetched"),
        ("app.json", {}, "without a scheme"),
        ("http:///app.json", {}, "no host"),
        ("http://host:99999/", {}, "no URL"),
        (f"http://{'a' * 64}.example.com/", {}, "no URL"),
        ("http://a..b/", {}, "no URL"),
        ("http://host/a b", {}, "a blank"),
        ("http://host/a\r\nX: y", {}, "a blank"),
        ("http://host/", {"method": "DELETE"}, "GET or POST"),
        ("http://host/", {"headers": {"X-Key": "hunter2\r\nX: y"}}, "X-Key holds a line break"),
        ("http://host/", {"headers": {"a b": "hunter2"}}, "'a b' is no name"),
        ("http://host/", {"headers": {"Host": "hunter2"}}, "Host is made by confbus"),
        ("http://host/", {"headers": {"X-a": "1", "x-A": "2"}}, "there twice"),
        ("http://me:hunter2@host/", {"headers": {"Authorization": "hunter2"}}, "several credentials"),
    ],
)
def test_what_could_never_be_asked_is_refused_at_once(url: str, options: dict[str, Any], reason: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        HttpSource(url, **options)

    assert reason in str(caught.value)
    assert "hunter2" not in str(caught.value)


def test_no_secret_is_shown(server: WebServer, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    url = server.url("/app.json?token=hunter2&v=1&hunter2").replace("//", "//me:hunter2@")
    remote = HttpSource(url, headers={"X-Key": "hunter2"}, cache=tmp_path / "cache")
    server.behave = says("hunter2", status=500)

    told = refusal(remote)
    server.behave = says('{"x": "hunter2"}')
    layer = remote.refresh()

    shown = [told, repr(remote), remote.name, remote.health, repr(layer), str(layer.origins["x",]), caplog.text]
    assert "hunter2" not in " ".join(shown)
    assert told.startswith(f"{server.url()}?token=***&v=***&***: it answers 500")
