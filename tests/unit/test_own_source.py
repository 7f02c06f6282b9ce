"""Other people's sources: a subclass of `ConfigSource`, or one function."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import ChecksFailed, SourceFailed
from confbus_publisher.sources.function import function_source
from confbus_publisher.sources.own import OwnSource
from support.eventually import eventually
from support.said import Said

if TYPE_CHECKING:
    from confbus_publisher.layer import Layer

FAILURES: dict[str, tuple[BaseException, str]] = {
    "an error": (ValueError("the service is moody"), "ValueError: the service is moody"),
    "an error without a text": (KeyError(), "KeyError"),
    "the end of the program": (SystemExit(1), "SystemExit: 1"),
    "a cancellation": (asyncio.CancelledError(), "CancelledError"),
    "its own timeout": (TimeoutError("the service is slow"), "TimeoutError: the service is slow"),
}
NONSENSE: dict[str, tuple[Any, str]] = {
    "a list": ([1], "load_config gave a value of type list, not a mapping"),
    "nothing": (None, "load_config gave a value of type NoneType, not a mapping"),
    "a set inside": ({"a": {"b": {1}}}, "a.b: a set is no configuration value"),
    "a number as key": ({1: 2}, "a key is of type int"),
}


def loaded_again(source: OwnSource) -> Layer:
    """What a source says when it is asked anew."""
    source.expire()
    return source.load()


def failure_of(source: OwnSource) -> SourceFailed:
    source.expire()
    with pytest.raises(SourceFailed) as caught:
        source.load()
    return caught.value


def test_a_source_becomes_a_layer_with_its_name_at_every_path() -> None:
    said = Said({"a": {"b": [1, 2]}}, name="mine", priority=7)

    layer = OwnSource(said).load()

    assert (layer.tree, layer.source, layer.priority, layer.kind) == ({"a": {"b": [1, 2]}}, "mine", 7, "own")
    assert {path: str(origin) for path, origin in layer.origins.items()} == dict.fromkeys(
        [(), ("a",), ("a", "b")], "mine"
    )
    assert not layer.interpolates


def test_equal_values_are_the_very_same_layer() -> None:
    said = Said({"a": 1})
    source = OwnSource(said)
    before = source.load()

    said.tree = {"a": 1}

    assert loaded_again(source) is before
    said.tree = {"a": 1.0}
    assert loaded_again(source) is not before


def test_a_source_that_is_not_modified_is_not_loaded() -> None:
    said = Said({"a": 1})
    source = OwnSource(said)
    before = source.load()

    assert eventually(lambda: source.load() is before)
    assert said.loads == 1


def test_a_source_without_a_name_has_that_of_its_class() -> None:
    class Nameless(Said):
        def __init__(self) -> None:  # as the guide's own example: it calls nobody
            self.tree = {"a": 1}
            self.failure, self.errors, self.hangs, self.gate, self.loads = None, [], False, None, 0

    assert OwnSource(Nameless()).load().source == "Nameless"


@pytest.mark.parametrize("case", FAILURES)
def test_whatever_a_source_raises_is_its_own_failure(case: str) -> None:
    said = Said({"a": 1})
    source = OwnSource(said)
    source.load()
    said.failure, reason = FAILURES[case]

    failure = failure_of(source)

    assert failure.source == "said"
    assert failure.reason == reason


@pytest.mark.parametrize("case", NONSENSE)
def test_what_is_no_configuration_is_a_failure(case: str) -> None:
    said = Said({"a": 1})
    source = OwnSource(said)
    source.load()
    said.tree, reason = NONSENSE[case]

    assert reason in str(failure_of(source))


def test_values_that_the_source_refuses_are_not_taken() -> None:
    said = Said({"a": 1})
    source = OwnSource(said)
    source.load()
    said.tree, said.errors = {"a": 2}, ["a must be 1"]

    failure = failure_of(source)

    assert failure.reason == "its values were refused: a must be 1"
    assert isinstance(failure.__cause__, ChecksFailed)


@pytest.mark.parametrize("verdict", [None, True, (True,), (False, 3)])
def test_a_verdict_that_is_none_is_a_failure(verdict: Any) -> None:
    class Vague(Said):
        async def validate_config(self, config: dict[str, Any]) -> tuple[bool, list[str]]:  # noqa: ARG002 — the name is the guide's
            return verdict  # type: ignore[no-any-return]  # the point of the test

    with pytest.raises(SourceFailed):
        OwnSource(Vague({"a": 1})).load()


def test_a_refused_source_is_loaded_again_though_it_says_that_nothing_changed() -> None:
    class Consuming(Said):
        async def is_modified(self) -> bool:
            return False

    said = Consuming({"a": 1})
    source = OwnSource(said)
    source.load()
    said.tree, said.errors = {"a": 2}, ["not yet"]
    failure_of(source)

    said.errors = []

    assert eventually(lambda: source.load().tree == {"a": 2})


def test_a_coroutine_that_hangs_fails_at_its_deadline_and_recovers() -> None:
    said = Said({"a": 1})
    said.timeout_s = 0.1
    said.hangs = True
    source = OwnSource(said)

    assert failure_of(source).reason == "no answer within 0.1 s"

    said.hangs = False
    assert loaded_again(source).tree == {"a": 1}


@pytest.mark.slow
def test_a_thread_that_hangs_is_waited_for_once_only() -> None:
    said = Said({"a": 1})
    source = OwnSource(said)
    said.timeout_s = 0.1
    source = OwnSource(said)
    source.load()
    said.gate = threading.Event()
    failure_of(source)

    for _ in range(3):
        with pytest.raises(SourceFailed, match=r"no answer within 0\.1 s"):
            source.load()
    assert sum(thread.name == "confbus-errand-said" for thread in threading.enumerate()) == 1

    said.gate.set()
    said.gate = None
    assert eventually(lambda: recovered(source)) == {"a": 1}


def recovered(source: OwnSource) -> Any:
    try:
        return source.load().tree
    except SourceFailed:
        return None


def test_a_slow_source_delays_nobody_once_it_was_loaded() -> None:
    said = Said({"a": 1})
    source = OwnSource(said)
    before = source.load()
    said.tree, said.gate = {"a": 2}, threading.Event()

    assert source.load() is before

    said.gate.set()
    assert eventually(lambda: source.load().tree == {"a": 2})


def test_all_calls_of_a_source_run_in_one_event_loop() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    async def values() -> dict[str, Any]:
        loops.append(asyncio.get_running_loop())
        return {"calls": len(loops)}

    source = OwnSource(function_source(values))
    source.load()

    assert loaded_again(source).tree == {"calls": 2}
    assert loops[0] is loops[1]


def test_a_function_is_a_source_under_its_name() -> None:
    def defaults() -> dict[str, Any]:
        return {"a": 1}

    source = OwnSource(function_source(defaults, priority=3))

    layer = source.load()

    assert (layer.source, layer.priority, layer.tree) == ("defaults", 3, {"a": 1})


def test_a_function_is_asked_again_after_its_interval_only() -> None:
    answers = iter(range(100))
    often = OwnSource(function_source(lambda: {"a": next(answers)}, name="often", interval_s=0))
    seldom = OwnSource(function_source(lambda: {"a": next(answers)}, name="seldom", interval_s=3600))
    first, fixed = often.load(), seldom.load()

    assert eventually(lambda: often.load() is not first)
    assert seldom.load() is fixed
    assert loaded_again(seldom).tree != fixed.tree


def test_asking_a_function_whether_it_changed_consumes_nothing() -> None:
    answers = {"a": 1}
    source = function_source(lambda: dict(answers), name="answers", interval_s=0)
    own = OwnSource(source)
    own.load()
    answers["a"] = 2

    asked = [asyncio.run(source.is_modified()) for _ in range(2)]
    asyncio.run(source.load_config())

    assert asked == [True, True]
    assert eventually(lambda: own.load().tree == {"a": 2})
    assert not asyncio.run(source.is_modified())
