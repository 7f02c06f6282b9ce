"""Sources on other machines among the inputs of a publisher: primary, backup, and a publisher that restarts."""

from __future__ import annotations

import math
from contextlib import ExitStack
from threading import Barrier
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import SourceFailed
from confbus_publisher.inputs import Inputs
from confbus_publisher.sources import DictSource
from confbus_publisher.sources.remote.http import HttpSource
from support.clock import Clock
from support.eventually import eventually
from support.http_server import WebServer, conditional, says

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus_publisher.sources import Source
    from support.http_server import Talk

GONE = says(status=404)


@pytest.fixture
def server() -> Iterator[WebServer]:
    with WebServer(conditional('{"x": 1}', etag='"one"')) as server:
        yield server


def inputs(*sources: Source) -> Inputs:
    return Inputs(sources, limit_bytes=1_000_000)


def remote(server: WebServer, cache: Path | None = None, **options: Any) -> HttpSource:
    return HttpSource(server.url(), cache=cache, timeout_s=10.0, **options)


# --- primary and backup ----------------------------------------------------------------------------------------------


def test_a_primary_that_dies_keeps_its_values_above_those_of_the_backup_and_is_reported() -> None:
    clock = Clock()
    with ExitStack() as stack:
        primary_server = stack.enter_context(WebServer(says('{"host": "primary", "only": {"primary": 1}}')))
        backup_server = stack.enter_context(WebServer(says('{"host": "backup", "size": 1}')))
        primary = remote(primary_server, priority=30, name="primary", interval_s=30, clock=clock)
        backup = remote(backup_server, priority=25, name="backup", interval_s=30, clock=clock)
        both = inputs(primary, backup, DictSource({"size": 0, "timeout": 5}, priority=20))
        before = both.load()

        primary_server.behave, backup_server.behave = GONE, says('{"host": "backup", "size": 2}')
        clock.advance(30)
        both.load()
        eventually(lambda: both.load().tree["size"] == 2 and both.failures)
        without = both.load().tree
        failures = dict(both.failures)
        primary_server.behave = says('{"host": "back again"}')
        clock.advance(30)
        both.load()
        eventually(lambda: both.load().tree["host"] == "back again")

    assert before.tree == {"host": "primary", "only": {"primary": 1}, "size": 1, "timeout": 5}
    assert without == {"host": "primary", "only": {"primary": 1}, "size": 2, "timeout": 5}
    assert list(failures) == ["primary"]
    assert both.failures == {}


def test_the_backup_alone_is_not_enough_when_the_primary_never_answered(server: WebServer) -> None:
    server.behave = GONE
    sources = inputs(remote(server, name="primary"), DictSource({"x": 1}))

    with pytest.raises(SourceFailed, match="it answers 404"):
        sources.load()


def test_sources_are_asked_all_at_once() -> None:
    everybody = Barrier(8)

    def answer_when_all_have_asked(talk: Talk) -> None:
        everybody.wait(20)
        says(f'{{"{talk.asked.target[1:]}": 1}}')(talk)

    with WebServer(answer_when_all_have_asked) as server:
        sources = inputs(*(HttpSource(server.url(f"/{at}"), timeout_s=20.0) for at in range(8)))
        tree = sources.load().merged.tree

    assert len(tree) == 8


def test_one_that_fails_keeps_no_other_from_its_turn(server: WebServer) -> None:
    with WebServer(GONE) as gone:
        sources = inputs(remote(gone, name="gone"), remote(server, name="there"))
        with pytest.raises(SourceFailed, match="404"):
            sources.load()

        gone.behave = says('{"y": 1}')
        with pytest.raises(SourceFailed, match="404"):
            sources.load()
        due_in_s = sources.due_in_s

    assert due_in_s > 1


def test_the_inputs_are_due_when_their_first_source_is(server: WebServer) -> None:
    clock = Clock()
    sources = inputs(remote(server, interval_s=30, clock=clock), DictSource({"x": 1}))

    before_s = sources.due_in_s
    sources.load()

    assert (before_s, sources.due_in_s) == (0.1, 30)
    assert inputs(DictSource({"x": 1})).due_in_s == math.inf


def test_whoever_listens_to_the_inputs_hears_of_every_source(server: WebServer) -> None:
    heard = list[int]()
    sources = inputs(*(remote(server, name=str(at)) for at in range(3)))

    sources.listen(lambda: heard.append(1))
    sources.load()

    assert eventually(lambda: len(heard) == 3)


# --- a restart -------------------------------------------------------------------------------------------------------


def test_a_restart_with_the_server_away_goes_on_with_the_answer_from_disk_and_says_so(
    server: WebServer, tmp_path: Path
) -> None:
    cache = tmp_path / ".confbus" / "http"
    inputs(remote(server, cache)).load()

    server.behave = says(status=503)
    again = inputs(remote(server, cache))
    merged = again.load()
    [failure] = again.failures.values()
    server.behave = conditional('{"x": 1}', etag='"one"')
    later = inputs(remote(server, cache)).load()

    assert merged.tree == {"x": 1}
    assert str(merged.merged.origins["x",]) == f"{server.url()}:1:2"
    assert "it answers 503" in str(failure)
    assert "What it said at 2" in str(failure)
    assert later.tree == {"x": 1}
    assert server.asked[-1].headers["if-none-match"] == '"one"'
    assert cache.stat().st_mode & 0o777 == 0o600


def test_an_answer_that_is_no_good_is_never_kept(server: WebServer, tmp_path: Path) -> None:
    cache = tmp_path / "http"
    source = remote(server, cache)
    source.load()

    server.behave = says('{"x": ')
    with pytest.raises(SourceFailed, match="no JSON"):
        source.refresh()

    assert inputs(remote(server, cache)).load().tree == {"x": 1}


@pytest.mark.parametrize("damage", [b"", b"confbus answer 1\n", b"confbus answer 1\nx\ny", b"\xff" * 100])
def test_a_damaged_file_is_as_good_as_none(
    server: WebServer, tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    cache = tmp_path / "http"
    cache.write_bytes(damage)

    first = inputs(remote(server, cache)).load()
    server.behave = GONE
    second = inputs(remote(server, cache)).load()

    assert (first.tree, second.tree) == ({"x": 1}, {"x": 1})
    assert f"{cache} is malformed" in caplog.text


def test_the_answer_of_another_url_is_not_taken(server: WebServer, tmp_path: Path) -> None:
    cache = tmp_path / "http"
    remote(server, cache).load()

    server.behave = GONE
    other = HttpSource(server.url("/other.json"), cache=cache)

    with pytest.raises(SourceFailed, match="404"):
        inputs(other).load()


def test_an_unchanged_document_is_not_written_again(server: WebServer, tmp_path: Path) -> None:
    cache = tmp_path / "http"
    source = remote(server, cache)
    source.load()
    before = cache.stat().st_ino

    server.behave = says('{"x": 1}', etag='"one"')
    source.refresh()
    same = cache.stat().st_ino
    server.behave = says('{"x": 2}')
    source.refresh()

    assert same == before
    assert cache.stat().st_ino != before


def test_a_place_that_cannot_be_written_takes_nothing_away(
    server: WebServer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")

    layer = remote(server, tmp_path / "file" / "http").load()

    assert layer.tree == {"x": 1}
    assert "the answer was not kept for a restart" in caplog.text
