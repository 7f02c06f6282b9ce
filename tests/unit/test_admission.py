"""The door of a manager: what comes in of sources that are away, or that depend on others."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import ChecksFailed, SourceFailed
from confbus_publisher.manager.admission import BoundAdmission, RemoteAdmission, absences, admitted
from confbus_publisher.manager.native import NativeConfigSource
from confbus_publisher.sources import DictSource

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confbus_publisher.layer import Layer


def layer(**values: Any) -> Layer:
    return DictSource(values, name="inner").load()


class Far:
    """A source on another machine: gives `said`, or fails while there is none. `last_good` is of an earlier life."""

    name = "inner"
    priority = 0
    watched: tuple[Path, ...] = ()
    health = "well"

    def __init__(self, said: Layer | None, last_good: Layer | None = None) -> None:
        self.said = said
        self.last_good = last_good
        self.due_in_s = 3.0
        self.calls: list[str] = []

    def load(self) -> Layer:
        self.calls.append("load")
        if self.said is None:
            raise SourceFailed(self.name, "https://far", "no answer")
        return self.said

    def refresh(self) -> Layer:
        self.calls.append("refresh")
        return self.load()

    def begin(self) -> None:
        self.calls.append("begin")

    def listen(self, wake: Callable[[], object]) -> None:
        wake()


class Dependent(Far):
    """A source whose layer depends on a context: gives that."""

    begin = None  # type: ignore[assignment]  # it asks nobody

    def bind(self, context: Layer) -> Layer:
        return context


class Careful(NativeConfigSource):
    """Refuses `bad`, and counts how often it was asked."""

    asked = 0

    async def validate_config(self, config: dict[str, Any]) -> tuple[bool, list[str]]:
        self.asked += 1
        return "bad" not in config, ["bad is bad"]


def remote(inner: Far, *, may_be_absent: bool = False) -> RemoteAdmission:
    admission = admitted(Careful(inner), may_be_absent=may_be_absent)
    assert isinstance(admission, RemoteAdmission)
    return admission


def test_a_remote_source_that_is_away_at_the_start_says_nothing_where_that_is_allowed() -> None:
    far = Far(None)
    admission = remote(far, may_be_absent=True)

    nothing = admission.load()

    assert nothing.tree == {}
    assert admission.load() is nothing
    assert str(absences((admission,))["inner"]) == "https://far: no answer."
    far.said = layer(a=1)
    assert admission.load() is far.said
    assert absences((admission,)) == {}
    far.said = None
    with pytest.raises(SourceFailed):  # from now on it has something to lose
        admission.load()


def test_a_remote_source_that_is_away_fails_where_its_keys_would_seem_removed() -> None:
    with pytest.raises(SourceFailed, match="no answer"):
        remote(Far(None)).load()


def test_what_an_earlier_process_got_is_better_than_nothing() -> None:
    far = Far(None, last_good=layer(a=1))
    admission = remote(far, may_be_absent=True)

    with pytest.raises(SourceFailed):
        admission.load()

    assert admission.last_good is far.last_good
    assert absences((admission,)) == {}


def test_what_an_earlier_process_got_is_judged_too() -> None:
    assert remote(Far(None, last_good=layer(bad=1))).last_good is None


def test_what_a_remote_source_has_beside_the_rest_is_there() -> None:
    far, woken = Far(layer(a=1)), threading.Event()
    admission = remote(far)

    admission.begin()
    admission.listen(woken.set)

    assert (far.calls, admission.due_in_s, admission.health, woken.is_set()) == (["begin"], 3.0, "well", True)


def test_a_remote_source_is_asked_now_when_a_reload_says_so() -> None:
    far = Far(layer(a=1))
    admission = remote(far)

    admission.expire()
    admission.load()
    admission.load()

    assert far.calls == ["refresh", "load", "load"]


def test_a_layer_is_judged_once_and_refused_as_often_as_it_comes() -> None:
    far = Far(layer(a=1))
    source = Careful(far)
    admission = admitted(source, may_be_absent=False)
    admission.load()
    far.said = layer(bad=1)

    for _ in range(3):
        with pytest.raises(SourceFailed) as caught:
            admission.load()
        assert isinstance(caught.value.__cause__, ChecksFailed)

    far.said = layer(a=2)
    assert admission.load() is admission.load() is far.said
    assert source.asked == 3


def test_what_depends_on_others_is_judged_as_it_turns_out() -> None:
    dependent = Dependent(layer(a=1))
    source = Careful(dependent)
    admission = admitted(source, may_be_absent=False)
    assert isinstance(admission, BoundAdmission)
    good = layer(a=2)

    assert admission.bind(good) is admission.bind(good) is good
    assert not asyncio.run(source.is_modified())
    with pytest.raises(SourceFailed, match="bad is bad"):
        admission.bind(layer(bad=1))
    assert source.asked == 2
