"""Probes: what they object to, how often in a row, and that none of them is waited for."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING

import pytest

from confbus.wire.snapshot import Snapshot
from confbus_publisher.guard.probe import Probe, http_objection, python_objection
from confbus_publisher.guard.probing import Probing
from confbus_publisher.sources.remote.address import parse_address
from support.clock import Clock
from support.eventually import eventually
from support.http_server import Talk, WebServer, drips, hangs, raw, says

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SNAPSHOT = Snapshot(
    {"db": {"password": "hunter2", "host": "db-1"}}, version=3, revision=3, epoch="e", digest="d", at_ms=0
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def probing(gate: Callable[[Snapshot], object], clock: Clock, *, failures: int = 3, timeout_s: float = 60.0) -> Probing:
    probe = Probe(name="shop", objection=python_objection(gate), failures=failures, timeout_s=timeout_s)
    return Probing(probe, lambda: SNAPSHOT, clock=clock)


def looked(probe: Probing) -> bool:
    probe.look()
    return True


def test_a_probe_is_asked_about_the_release_and_is_content(clock: Clock) -> None:
    calls: list[Snapshot] = []
    probe = probing(calls.append, clock)
    before = probe.is_content

    eventually(lambda: looked(probe) and (probe.is_content))

    assert not before
    assert calls[0] is SNAPSHOT
    assert probe.objection == ""


def test_it_is_asked_again_when_its_interval_is_over_and_not_before(clock: Clock) -> None:
    calls: list[Snapshot] = []
    probe = probing(calls.append, clock)
    eventually(lambda: looked(probe) and (probe.is_content))

    for _ in range(10):
        probe.look()
    before = len(calls)
    clock.advance(1)
    eventually(lambda: looked(probe) and (len(calls) > before))

    assert before == 1


def test_only_failures_in_a_row_make_a_release_bad(clock: Clock) -> None:
    answers = iter([False, False, True, False, False, False])
    probe = probing(lambda _: next(answers), clock)
    objections: list[str] = []

    for _ in range(6):
        clock.advance(1)
        probe.look()
        eventually(lambda: looked(probe) and (not probe.is_out))
        objections.append(probe.objection)

    assert objections[:5] == [""] * 5
    assert objections[5].startswith("the probe shop failed 3 times in a row: ")
    assert not probe.is_content


def test_who_objects_at_length_fills_no_page(clock: Clock) -> None:
    def gate(_snapshot: Snapshot) -> None:
        raise ValueError("no\n" * 10_000)

    probe = probing(gate, clock, failures=1)

    eventually(lambda: looked(probe) and probe.objection)

    assert len(probe.objection) < 500
    assert "no no" in probe.objection


@pytest.mark.parametrize("error", [ValueError("no money"), SystemExit(3), KeyError()])
def test_whatever_it_raises_is_its_objection(clock: Clock, error: BaseException) -> None:
    def gate(_: Snapshot) -> None:
        raise error

    probe = probing(gate, clock, failures=1)

    eventually(lambda: looked(probe) and (probe.objection))

    assert (str(error) or type(error).__name__) in probe.objection


def test_what_it_raises_is_told_on_one_line_and_without_the_secrets_of_the_document(clock: Clock) -> None:
    def gate(snapshot: Snapshot) -> None:
        raise ValueError(f"no login\n\x1b[31mwith {snapshot['db.password']} at {snapshot['db.host']}")

    probe = probing(gate, clock, failures=1)

    eventually(lambda: looked(probe) and probe.objection)

    assert probe.objection.endswith(": no login ?[31mwith *** at db-1")


def test_a_coroutine_that_never_ends_fails_at_its_deadline(clock: Clock) -> None:
    async def gate(_: Snapshot) -> None:
        await asyncio.Event().wait()

    probe = probing(gate, clock, failures=1, timeout_s=0.05)

    eventually(lambda: looked(probe) and (probe.objection))

    assert "no answer in time" in probe.objection


@pytest.fixture
def stuck() -> Iterator[threading.Event]:
    """What keeps a probe, until the test is over."""
    event = threading.Event()
    yield event
    event.set()


def test_a_probe_that_hangs_is_not_waited_for_and_fails_as_often_as_its_time_passes(
    clock: Clock, stuck: threading.Event
) -> None:
    probe = probing(lambda _: stuck.wait(30), clock, failures=2, timeout_s=0.05)

    probe.look()
    before = probe.objection
    eventually(lambda: looked(probe) and (probe.objection))

    assert before == ""
    assert probe.objection == "the probe shop failed 2 times in a row: no answer within 0.05 s"
    assert not probe.is_content


def test_a_server_that_is_not_there_is_told_without_a_secret(clock: Clock) -> None:
    address = parse_address("http://ann:hunter2@127.0.0.1:9/health?key=hunter2")
    probe = Probing(
        Probe(name="web", objection=http_objection(address, timeout_s=1.0), failures=1), lambda: SNAPSHOT, clock=clock
    )

    eventually(lambda: looked(probe) and (probe.objection))

    assert "not reached" in probe.objection
    assert "hunter2" not in probe.objection


ANSWERS: dict[str, tuple[Callable[[Talk], None], str]] = {
    "well": (says("fine", status=200), ""),
    "empty": (says(status=204), ""),
    "ill": (says("no", status=503), "answers 503"),
    "elsewhere": (says(status=302, location="/login"), "answers 302"),
    "not there": (says(status=404), "answers 404"),
    "mute": (hangs(), "no whole answer within 0.3 s"),
    "dripping": (drips(b"HTTP/1.1 200 OK"), "no whole answer within 0.3 s"),
    "no HTTP": (raw(b"220 mail.example.com ESMTP\r\n"), "no HTTP"),
    "gone": (raw(b""), "closed the connection"),
}


@pytest.mark.parametrize(("behave", "objection"), ANSWERS.values(), ids=ANSWERS.keys())
def test_a_server_is_well_when_it_says_so_in_time(clock: Clock, behave: Callable[[Talk], None], objection: str) -> None:
    with WebServer(behave) as server:
        address = parse_address(server.url("/health"))
        asks = http_objection(address, timeout_s=0.3)
        probe = Probing(Probe(name="web", objection=asks, failures=1), lambda: SNAPSHOT, clock=clock)

        eventually(lambda: looked(probe) and (probe.is_content or probe.objection))

    assert objection in probe.objection
    assert probe.is_content is (not objection)
    assert {(asked.method, asked.target) for asked in server.asked} == {("GET", "/health")}
