"""The command line: publishing as a gate, which waits for the fleet and names who does not follow."""

from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
from typing import TYPE_CHECKING

import pytest

import confbus
from confbus.testing import Proxy
from confbus.wire.record import replace
from support.bus import TIMING
from support.eventually import eventually
from support.shop import CONFBUS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from confbus import Snapshot, Subscriber
    from support.server import Server
    from support.shop import Shop

CALM = replace(TIMING, report_s=30.0)
"""So that a machine that is busy does not make anybody silent."""
CHANGED = "number: 2\ndb: {host: a, port: 5433}\n"


def refuse(snapshot: Snapshot) -> None:
    """A validator that takes nothing but the first release."""
    if snapshot["number"] > 1:
        raise ValueError("the number is too large")


def accept(_snapshot: Snapshot) -> None:
    """A validator that takes everything."""


@pytest.fixture
def hire(shop: Shop) -> Iterator[Callable[..., Subscriber]]:
    """Makes workers of the shop, which has a first release; each has reported when it is there."""
    shop.confbus("publish")
    hired: list[Subscriber] = []

    def one(*validators: Callable[[Snapshot], object], url: str = "") -> Subscriber:
        worker = confbus.connect(url or str(shop.url), namespace=shop.namespace, validators=validators, timing=CALM)
        hired.append(worker)
        eventually(lambda: worker.instance in shop.confbus("fleet").out)
        return worker

    yield one
    for worker in hired:
        worker.close()


def test_it_ends_when_all_have_applied_the_release_and_says_by_what_they_judged_it(
    shop: Shop, hire: Callable[..., Subscriber]
) -> None:
    workers = [hire(accept), hire(accept)]
    shop.write(CHANGED)

    answer = shop.confbus("publish", "--wait", "30s")

    published, applied = answer.out.splitlines()
    assert answer.code == 0
    assert published == "Published version 2: top-level values (.), db."
    assert re.fullmatch(
        r"2 of 2 instances applied version 2 in \d\.\d+ s, judged by 1 view or validator each\.", applied
    )
    assert [worker["number"] for worker in workers] == [2, 2]


def test_who_refuses_it_is_named_with_the_reason_and_the_release_stays(
    shop: Shop, hire: Callable[..., Subscriber]
) -> None:
    refusing = hire(refuse)
    hire()
    shop.write(CHANGED)

    answer = shop.confbus("publish", "--wait", "30s")

    assert answer.code == 4
    assert re.search(r"error: Version 2: 1 of 2 instances applied it in \d\.\d+ s, 2 should\.", answer.err)
    assert f"       {refusing.instance} is vetoing at version 1: refuse: the number is too large" in answer.err
    assert "It is out and stays. `confbus rollback` takes it back." in answer.err
    assert shop.confbus("get", "number").out == "2\n"


def test_a_part_of_the_fleet_may_be_enough(shop: Shop, hire: Callable[..., Subscriber]) -> None:
    hire(refuse)
    hire()
    shop.write(CHANGED)

    assert shop.confbus("publish", "--wait", "30s", "--quorum", "50%").code == 0
    assert shop.confbus("publish", "--wait", "30s", "--quorum", "1").code == 0
    assert shop.confbus("publish", "--wait", "30s", "--quorum", "51%").code == 4


def test_programs_are_told_everything(shop: Shop, hire: Callable[..., Subscriber]) -> None:
    refusing, willing = hire(refuse), hire()
    shop.write(CHANGED)

    answer = shop.confbus("publish", "--wait", "30s", "--output", "json")

    fleet = answer.data["fleet"]
    assert (answer.code, answer.data["version"], answer.data["is_new"]) == (4, 2, True)
    assert (fleet["applied"], fleet["expected"], fleet["needed"], fleet["is_reached"]) == (1, 2, 2, False)
    assert fleet["laggards"] == [
        {
            "instance": refusing.instance,
            "state": "vetoing",
            "reason": "refuse: the number is too large",
            "running": 1,
            "seen": 2,
        }
    ]
    assert (fleet["appeared"], fleet["vanished"], fleet["superseded_by"], fleet["setback"]) == ([], [], None, None)
    assert fleet["took_ms"] >= 0
    assert willing["number"] == 2


def test_who_does_not_hear_it_is_named_when_the_time_is_over(
    shop: Shop, server: Server, hire: Callable[..., Subscriber]
) -> None:
    with Proxy(server.url) as proxy:
        deaf = hire(url=proxy.url)
        proxy.stall()
        shop.write(CHANGED)

        answer = shop.confbus("publish", "--wait", "200ms")

        assert answer.code == 4
        assert "0 of 1 applied, 1 to come" in answer.err
        assert f"{deaf.instance} is silent at version 1: " in answer.err
        proxy.flow()
        assert shop.confbus("publish", "--wait", "30s").out.startswith(
            "Nothing to publish: version 2 says the same.\n1 of 1"
        )


def test_a_rollback_waits_as_well(shop: Shop, hire: Callable[..., Subscriber]) -> None:
    worker = hire()
    shop.write(CHANGED)
    shop.confbus("publish", "--wait", "30s")

    answer = shop.confbus("rollback", "--wait", "30s")

    assert answer.code == 0
    assert answer.out.splitlines()[0] == "Version 3 has the content of version 1."
    assert answer.out.splitlines()[1].startswith("1 of 1 instance applied version 3 in ")
    assert worker["number"] == 1


def test_who_watches_a_release_as_well_is_told_of_the_fleet_afterwards(
    shop: Shop, hire: Callable[..., Subscriber]
) -> None:
    hire()
    shop.write(CHANGED)

    answer = shop.confbus("publish", "--guard", "300ms", "--wait", "30s")

    assert answer.code == 0
    assert answer.out.splitlines()[1].startswith("1 of 1 instance applied version 2 in ")


def test_nobody_is_waited_for_where_nobody_is(shop: Shop) -> None:
    answer = shop.confbus("publish", "--wait", "30s")

    assert (answer.code, len(answer.out.splitlines())) == (0, 1)
    assert "No instance was live, so nobody was waited for." in answer.err


def test_a_quorum_that_cannot_be_reached_is_refused_before_anything_goes_out(
    shop: Shop, hire: Callable[..., Subscriber]
) -> None:
    hire()
    shop.write(CHANGED)

    answer = shop.confbus("publish", "--wait", "30s", "--quorum", "2")

    assert (answer.code, answer.out) == (1, "")
    assert "Nothing was written: the quorum is 2 instances, the fleet has 1." in answer.err
    assert shop.confbus("get", "number").out == "1\n"


@pytest.mark.parametrize(
    "words", [["--quorum", "95%"], ["--wait", "30s", "--quorum", "most"], ["--wait", "soon"], ["--wait", "0s"]]
)
def test_misuse_is_told_before_anything_goes_out(shop: Shop, words: list[str]) -> None:
    answer = shop.confbus("publish", *words)

    assert (answer.code, answer.out) == (64, "")
    assert shop.confbus("history", "--output", "json").data == {"releases": []}


def test_without_a_publisher_a_set_that_must_arrive_fails(shop: Shop, hire: Callable[..., Subscriber]) -> None:
    hire()

    answer = shop.confbus("set", "db.port", "5433", "--wait", "30s")

    assert (answer.code, answer.out) == (4, "Set db.port; no version has it yet.\n")
    assert "No publisher is active" in answer.err


def test_without_a_publisher_nothing_that_was_held_arrives(shop: Shop, hire: Callable[..., Subscriber]) -> None:
    hire()
    shop.write(CHANGED)
    shop.confbus("publish")
    shop.confbus("rollback")

    answer = shop.confbus("resume", "--wait", "30s")

    assert (answer.code, answer.out) == (4, "No longer held: top-level values (.), db.\n")
    assert "No publisher is active" in answer.err


@pytest.mark.slow
def test_ctrl_c_ends_the_wait_and_leaves_the_release(
    shop: Shop, server: Server, hire: Callable[..., Subscriber]
) -> None:
    with Proxy(server.url) as proxy:
        hire(url=proxy.url)
        proxy.stall()
        shop.write(CHANGED)

        with shop.start("publish", "--wait", "10m") as running:
            running.says("0 of 1 applied, 1 to come")
            code = running.end(signal.SIGINT)

        assert code == 130
        assert "Version 2 is out and stays; `confbus fleet` shows who has it." in running.err
        assert "Traceback" not in running.err
        assert shop.confbus("get", "number").out == "2\n"


@pytest.mark.slow
def test_in_a_terminal_one_line_renews_itself_and_is_gone_in_the_end(
    shop: Shop, server: Server, hire: Callable[..., Subscriber]
) -> None:
    with Proxy(server.url) as proxy:
        hire(url=proxy.url)
        proxy.stall()
        shop.write(CHANGED)
        ours, theirs = pty.openpty()
        with os.fdopen(ours, "rb", 0) as terminal, os.fdopen(theirs, "wb", 0) as end:
            words = [CONFBUS, "publish", "--wait", "50ms"]
            subprocess.run(words, cwd=shop.directory, stdout=subprocess.DEVNULL, stderr=end, timeout=60, check=False)
            said = terminal.read(65536).decode()

    start, line, rest = said.split("\r\x1b[K")
    assert (start, line) == ("", "0 of 1 applied, 1 to come")
    assert "Version 2: 0 of 1 instance applied it in" in rest
