"""Views that are bound while releases are applied: none shows an older one than it was bound at, none stays behind."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import ViewFailed
from support.local_copy import bind, local, snapshot
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus import View
    from support.bus import Bus


@dataclass(frozen=True)
class Pair:
    left: int
    right: int


class Number:
    """Makes the number of a pair, each of these for a view of its own."""

    def __call__(self, pair: Any) -> int:
        return int(pair["left"])


@pytest.fixture(autouse=True)
def _threads_take_turns_all_the_time() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    yield
    sys.setswitchinterval(before)


def number_of(_thread: int, web: Any) -> int:
    return int(web["number"])


def pair(number: int) -> dict[str, Any]:
    return {"pair": {"left": number, "right": number}}


def test_a_view_bound_in_the_middle_of_an_apply_is_never_older_and_never_stays_behind() -> None:
    reader, last, threads = local(), scaled(500, 20_000), 4
    reader.offer(snapshot(pair(1), 1))
    views: list[View[Any]] = []

    def bind_again_and_again() -> None:
        for _ in range(30):
            assert reader.snapshot
            before = reader.snapshot.version
            view = bind(reader, "pair", Number())
            shown = [view.current for _ in range(20)]
            assert before <= shown[0]
            assert shown == sorted(shown)
            views.append(view)

    with ThreadPoolExecutor(threads) as others:
        binding = [others.submit(bind_again_and_again) for _ in range(threads)]
        for number in range(2, last + 1):
            assert reader.offer(snapshot(pair(number), number)) == ""
        for each in binding:
            each.result()

    assert [view.current for view in views] == [last] * threads * 30


def test_a_release_that_comes_while_a_view_is_bound_is_shown_by_it() -> None:
    reader = local()
    reader.offer(snapshot(pair(1), 1))
    applied = threading.Event()

    def apply() -> None:
        reader.offer(snapshot(pair(2), 2))
        applied.set()

    applying = threading.Thread(target=apply)

    def slowly(value: Any) -> int:
        if applying.ident is None:
            applying.start()
            applied.wait(0.05)  # in vain: were it applied by now, nobody would build this view of it
        return int(value["left"])

    view = bind(reader, "pair", slowly)
    applying.join()

    assert view.current == 2


def test_no_view_is_torn_and_one_that_fails_late_stops_nobody() -> None:
    reader, last = local(), scaled(500, 20_000)
    reader.offer(snapshot(pair(1), 1))
    view, is_over = bind(reader, "pair", Pair), threading.Event()

    def even_only(value: Any) -> int:
        if value["left"] % 2:
            raise ValueError("odd")
        return int(value["left"])

    def read() -> int:
        newest = 0
        while not is_over.is_set():
            shown: Pair = view.current
            assert shown.left == shown.right >= newest
            newest = shown.left
        return newest

    def fail() -> int:
        failures = 0
        while not (is_over.is_set() and failures):
            try:
                bind(reader, "pair", even_only)
            except ViewFailed:
                failures += 1
        return failures

    with ThreadPoolExecutor(3) as others:
        reading, failing = [others.submit(read) for _ in range(2)], others.submit(fail)
        for number in range(3, 2 * last, 2):  # odd, so that the third one never comes to have a say
            assert reader.offer(snapshot(pair(number), number)) == ""
        is_over.set()
        for each in reading:
            each.result()

    assert failing.result()
    assert reader.judges == 1
    assert view.current.left == 2 * last - 1


@pytest.mark.slow
def test_on_a_bus_views_that_are_bound_while_releases_come_all_agree_in_the_end(bus: Bus) -> None:
    bus.publish(1)
    config, last = bus.worker().config, scaled(200, 3000)
    views: list[View[Any]] = []

    def bind_again_and_again() -> None:
        for at in range(40):
            before = config["web.number"]
            view = config.bind("web", partial(number_of, at))
            assert view.current >= before
            views.append(view)

    with ThreadPoolExecutor(4) as others:
        binding = [others.submit(bind_again_and_again) for _ in range(4)]
        for number in range(2, last + 1):
            bus.publish(number)
        for each in binding:
            each.result()

    bus.agree(last)
    assert {view.current for view in views} == {last}
