"""A view shows what runs, as an object of a type; what it cannot show does not run."""

from __future__ import annotations

import gc
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidSettings, UnknownPath, ViewFailed
from support.local_copy import bind, local, objections, snapshot

if TYPE_CHECKING:
    from confbus.wire.frozen import Frozen


@dataclass(frozen=True)
class Pool:
    size: int


@dataclass(frozen=True)
class Database:
    host: str
    pool: Pool


GOOD: dict[str, Any] = {"database": {"host": "db-1", "pool": {"size": 5}}, "other": 1}
BAD: dict[str, Any] = {"database": {"host": "db-2", "pool": {"size": "hunter2"}}, "other": 2}


def test_a_view_shows_the_newest_accepted_release() -> None:
    reader = local()
    view = bind(reader, "database", Database)

    assert objections(reader, [GOOD, {"database": {"host": "db-2", "pool": {"size": 6}}}]) == ["", ""]

    assert view.current == Database("db-2", Pool(6))


def test_what_does_not_fit_a_view_is_refused_with_path_and_reason_and_without_its_value() -> None:
    reader = local()
    view = bind(reader, "database", Database)

    said = objections(reader, [GOOD, BAD])

    assert said == ["", "database.pool.size: expected int, found str"]
    assert view.current == Database("db-1", Pool(5))
    assert reader.snapshot == GOOD


def test_one_view_that_fails_keeps_all_others_where_they_are() -> None:
    reader = local()
    other = bind(reader, "other", int)
    bind(reader, "database", Database)
    last = bind(reader, "database.host", str)

    objections(reader, [GOOD, BAD])

    assert (other.current, last.current) == (1, "db-1")


def test_a_validator_refuses_what_every_view_took() -> None:
    def refuse_six(candidate: Any) -> None:
        if candidate["other"] == 6:
            raise ValueError("no six")

    reader = local(refuse_six)
    view = bind(reader, "other", int)

    said = objections(reader, [{"other": 5}, {"other": 6}])

    assert said[1].endswith("refuse_six: no six")
    assert view.current == 5


def test_a_path_that_is_not_there_is_refused() -> None:
    reader = local()
    bind(reader, "database", Database)

    assert objections(reader, [{"databse": {}}]) == ["database: a view needs it, and it is not there"]


def test_a_view_with_a_default_shows_it_while_nothing_is_there() -> None:
    reader = local()
    view = bind(reader, "database.host", str, default=None)
    shown: list[Any] = []

    assert objections(reader, [{"other": 1}]) == [""]
    shown.append(view.current)
    assert objections(reader, [GOOD]) == [""]
    shown.append(view.current)
    assert objections(reader, [{"database": {}}]) == [""]
    shown.append(view.current)

    assert shown == [None, "db-1", None]


def test_a_null_is_no_absence() -> None:
    reader = local()
    bind(reader, "host", str, default="localhost")

    assert objections(reader, [{"host": None}]) == ["host: expected str, found null"]


def test_before_the_first_release_there_is_nothing_to_show() -> None:
    view = bind(local(), "database", Database)

    with pytest.raises(LookupError, match="no release yet"):
        _ = view.current

    assert repr(view) == "View('database', Database)"


def test_binding_late_shows_what_runs_and_fails_nobody_else() -> None:
    reader = local()
    objections(reader, [BAD])

    with pytest.raises(ViewFailed) as failed:
        bind(reader, "database", Database)
    with pytest.raises(UnknownPath, match="Did you mean 'database'"):
        bind(reader, "databse", Database)

    assert str(failed.value) == "Version 1 does not fit at database.pool.size: expected int, found str."
    assert failed.value.__cause__ is failed.value.__context__ is None
    assert reader.judges == 0
    assert bind(reader, "other", int).current == 2


def test_the_same_object_is_shown_as_long_as_its_part_of_the_configuration_is_the_same() -> None:
    made: list[Any] = []

    def count(section: Any) -> int:
        made.append(section)
        return len(made)

    reader = local()
    view = bind(reader, "database", count)
    first = snapshot(GOOD)

    reader.offer(first)
    reader.offer(snapshot({**dict(first), "other": 7}, 2))
    assert (view.current, len(made)) == (1, 1)

    reader.offer(snapshot(GOOD, 3))
    assert (view.current, len(made)) == (2, 2)


def test_binding_the_same_again_gives_the_same_view() -> None:
    reader = local()

    views = [bind(reader, "database", Database), bind(reader, ("database",), Database)]
    others = [bind(reader, "database", dict[str, Any]), bind(reader, "database", Database, default=None)]

    assert views[0] is views[1]
    assert len({id(each) for each in [*views, *others]}) == reader.judges == 3


def test_the_whole_document_may_be_viewed() -> None:
    reader = local()
    view = bind(reader, "", sorted)

    objections(reader, [{"a.b": 1, "a": {"b": 2}}])

    assert view.current == ["a", "a.b"]


def test_what_builds_a_view_may_bind_another_of_the_same_candidate() -> None:
    reader = local()
    hosts: list[Any] = []

    def database(section: Frozen) -> str:
        hosts.append(bind(reader, "database.host", str))
        return str(section["host"])

    view = bind(reader, "database", database)
    second = {"database": {"host": "db-2", "pool": {"size": 5}}}

    assert objections(reader, [GOOD, second]) == ["", ""]

    assert view.current == hosts[0].current == "db-2"
    assert hosts[0] is hosts[1]


def test_a_validator_may_bind_a_view_of_what_it_judges() -> None:
    bound: list[Any] = []
    reader = local(lambda _: bound.append(bind(reader, "other", int)))

    objections(reader, [{"other": 1}, {"other": 2}])

    assert bound[0].current == 2


def test_in_a_pin_a_view_shows_the_pinned_version_and_always_the_same_object() -> None:
    reader, pinned = local(), list[Any]()
    view = bind(reader, "database", Database, pinned=pinned)
    old, new = snapshot(GOOD), snapshot({"database": {"host": "db-2", "pool": {"size": 6}}}, 2)
    reader.offer(old)
    assert view.pinned is view.current
    pinned.append(old)
    first = view.pinned

    reader.offer(new)

    assert first == Database("db-1", Pool(5))
    assert view.pinned is first
    assert view.current == Database("db-2", Pool(6))
    pinned.append(new)
    assert view.pinned is view.current


def test_in_a_pin_of_an_older_version_a_younger_view_is_built_once_or_fails_its_reader() -> None:
    reader, pinned = local(), [snapshot(GOOD)]
    objections(reader, [{"database": {"host": "db-2", "pool": {"size": 6}}}])
    view = bind(reader, "database", Database, pinned=pinned)
    assert view.pinned is view.pinned == Database("db-1", Pool(5))

    pinned.append(snapshot(BAD))
    with pytest.raises(ViewFailed):
        _ = view.pinned
    pinned.append(snapshot({}))
    with pytest.raises(UnknownPath):
        _ = view.pinned

    assert bind(reader, "database", Database, default=None, pinned=pinned).pinned is None


def test_of_many_pinned_versions_few_are_kept() -> None:
    reader, pinned = local(), list[Any]()
    view = bind(reader, "database", Database, pinned=pinned)
    objections(reader, [GOOD])
    gc.collect()
    before = sys.getallocatedblocks()

    for version in range(300):
        pinned[:] = [snapshot(GOOD, version)]
        _ = view.pinned
    gc.collect()

    assert sys.getallocatedblocks() - before < 300


def test_what_is_neither_a_type_nor_a_function_cannot_be_bound() -> None:
    nothing: Any = 5

    with pytest.raises(InvalidSettings, match="neither a type nor a function"):
        bind(local(), "database", nothing)
    with pytest.raises(InvalidSettings, match="'refuse' or 'ignore'"):
        bind(local(), "database", Database, extra="forbid")


def test_no_release_is_kept_by_a_view() -> None:
    reader = local()
    bind(reader, "database", Database)
    objections(reader, [GOOD, GOOD])
    gc.collect()
    before = sys.getallocatedblocks()

    objections(reader, [GOOD] * 300)
    gc.collect()

    assert sys.getallocatedblocks() - before < 300
