"""From frozen values to typed ones: strict, with the place and the reason, and never with the value."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import InitVar, dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum, IntEnum
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any, ClassVar, Generic, Literal, NamedTuple, NewType, NotRequired, TypedDict, TypeVar
from uuid import UUID

import attrs
import pytest

from confbus.errors import InvalidSettings, ViewFailed
from confbus.wire.frozen import Frozen, FrozenList, freeze
from support.local_copy import built

Port = NewType("Port", int)
T = TypeVar("T")


class Level(Enum):
    LOW = "low"
    HIGH = "high"


class Step(IntEnum):
    ONE = 1


@dataclass(frozen=True)
class Pool:
    size: int
    kind: Literal["lifo", "fifo"] = "lifo"


@dataclass(frozen=True, kw_only=True)
class Database:
    host: str
    pool: Pool
    timeout: float = 1.0
    replicas: tuple[Pool, ...] = ()
    fallback: Pool | None = None
    seen: list[str] = field(default_factory=list[str])
    made: int = field(default=0, init=False)
    SHARED: ClassVar[int] = 1

    def __post_init__(self) -> None:
        if self.timeout > 60:
            raise ValueError(f"{self.timeout} is too long for {self.host}")


@dataclass(frozen=True)
class Tree:
    name: str
    below: list[Tree] = field(default_factory=list["Tree"])


@dataclass
class Sized:
    name: str
    factor: InitVar[int]
    size: int = field(default=0, init=False)

    def __post_init__(self, factor: int) -> None:
        self.size = 10 * factor


@dataclass
class Box(Generic[T]):
    content: T


class Point(NamedTuple):
    x: int
    y: int = 0


class Server(TypedDict):
    host: str
    port: NotRequired[int]
    since: NotRequired[date]


@attrs.frozen
class Cache:
    url: str
    _ttl: int = 60
    size: int = attrs.field(default=1, converter=int)


UUID_TEXT = "12345678-1234-5678-1234-567812345678"
FITS: list[tuple[Any, Any, Any]] = [
    (int, 5, 5),
    (float, 5, 5.0),
    (str, "5", "5"),
    (bool, True, True),
    (None, None, None),
    (Any, [1], [1]),
    (Port, 80, 80),
    (Literal[1, "a"], 1, 1),
    (Level, "high", Level.HIGH),
    (Step, 1, Step.ONE),
    (int | None, None, None),
    (int | str, "x", "x"),
    (float | int, 5, 5),
    (Pool | Point, {"x": 1}, Point(1)),
    (list[float], [1, 2.5], [1.0, 2.5]),
    (Sequence[int], [1], [1]),
    (tuple[int, ...], [1, 2], (1, 2)),
    (tuple[int, str], [1, "a"], (1, "a")),
    (tuple[()], [], ()),
    (set[int], [1, 1], {1}),
    (frozenset[str], ["a"], frozenset({"a"})),
    (dict[str, Pool], {"a": {"size": 1}}, {"a": Pool(1)}),
    (Mapping[Level, int], {"low": 1}, {Level.LOW: 1}),
    (datetime, "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)),
    (date, "2026-01-02", date(2026, 1, 2)),
    (time, "03:04", time(3, 4)),
    (timedelta, 1.5, timedelta(seconds=1.5)),
    (timedelta, "1h30m", timedelta(minutes=90)),
    (timedelta, "2d500ms", timedelta(days=2, milliseconds=500)),
    (Path, "/a/b", Path("/a/b")),
    (Decimal, "0.1", Decimal("0.1")),
    (Decimal, 0.1, Decimal("0.1")),
    (UUID, UUID_TEXT, UUID(UUID_TEXT)),
    (IPv4Address, "127.0.0.1", IPv4Address("127.0.0.1")),
    (Pool, {"size": 1, "kind": "fifo"}, Pool(1, "fifo")),
    (Point, {"x": 1}, Point(1, 0)),
    (Cache, {"url": "u", "ttl": 5, "size": "7"}, Cache("u", 5, 7)),
    (Server, {"host": "a", "since": "2026-01-02"}, {"host": "a", "since": date(2026, 1, 2)}),
    (Tree, {"name": "a", "below": [{"name": "b"}]}, Tree("a", [Tree("b")])),
    (Sized, {"name": "a", "factor": 2}, Sized("a", 2)),
]


@pytest.mark.parametrize(("kind", "value", "expected"), FITS, ids=lambda each: str(each)[:40])
def test_what_fits_becomes_what_was_asked_for(kind: Any, value: Any, expected: Any) -> None:
    made = built(kind, value)

    assert made == expected
    assert type(made) is type(expected) or isinstance(made, Frozen | FrozenList)


SECRET = "hunter2-hunter2"
MISFITS: list[tuple[Any, Any, str]] = [
    (int, "5", "it: expected int, found str"),
    (int, True, "it: expected int, found bool"),
    (int, 5.0, "it: expected int, found float"),
    (float, True, "it: expected float, found bool"),
    (float, "1.5", "it: expected float, found str"),
    (bool, 1, "it: expected bool, found int"),
    (str, None, "it: expected str, found null"),
    (None, 0, "it: expected null, found int"),
    (Literal[1, 2], True, "it: expected one of 1, 2, found bool"),
    (Literal["a", "b"], SECRET, "it: expected one of 'a', 'b', found another str"),
    (Level, SECRET, "it: expected one of 'low', 'high', found another str"),
    (list[int], ["1"], "it[0]: expected int, found str"),
    (list[int], {}, "it: expected a list, found a mapping"),
    (tuple[int, str], [1], "it: expected a list of 2, found one of 1"),
    (tuple[int, str], 1, "it: expected a list, found int"),
    (dict[str, int], {"a.b": "1"}, 'it["a.b"]: expected int, found str'),
    (dict[str, int], [], "it: expected a mapping, found a list"),
    (dict[Level, int], {"mid": 1}, "it.mid: expected one of 'low', 'high', found another str"),
    (int | None, "5", "it: expected int, found str"),
    (int | Pool, "5", "it: nothing it may be fits (expected int, found str; expected a mapping for Pool, found str)"),
    (datetime, SECRET, "it: expected datetime as ISO 8601 text, found another text"),
    (timedelta, SECRET, "it: expected a duration, in seconds or like '1h30m' or '500ms', found another text"),
    (timedelta, "1.2.3s", "it: expected a duration, in seconds or like '1h30m' or '500ms', found another text"),
    (timedelta, True, "it: expected a duration, in seconds or like '1h30m' or '500ms', found bool"),
    (UUID, SECRET, "it: expected UUID as text, found another text"),
    (Decimal, SECRET, "it: expected Decimal as text, found another text"),
    (Decimal, True, "it: expected Decimal as text, found bool"),
    (Path, 5, "it: expected Path as text, found int"),
    (Pool, {}, "it.size: Pool needs it, and it is not there"),
    (Pool, {"size": 1, "knd": "x"}, "it.knd: Pool has no such field; did you mean 'kind'?"),
    (Pool, {"size": 1, "zzzzz": "x"}, "it.zzzzz: Pool has no such field"),
    (Pool, SECRET, "it: expected a mapping for Pool, found str"),
    (Database, {"host": "a", "pool": {"size": "x"}}, "it.pool.size: expected int, found str"),
    (Database, {"host": "a", "pool": {"size": 1}, "made": 2}, "it.made: Database has no such field"),
    (
        Database,
        {"host": SECRET, "pool": {"size": 1}, "timeout": 99.5},
        "it: ValueError: … is too long for …",
    ),
    (Server, {"port": 1}, "it.host: Server needs it, and it is not there"),
    (
        Tree,
        {"name": "a", "below": [{"name": "b", "below": [{"name": 1}]}]},
        "it.below[0].below[0].name: expected str, found int",
    ),
]


@pytest.mark.parametrize(("kind", "value", "reason"), MISFITS, ids=lambda each: str(each)[:40])
def test_what_does_not_fit_is_told_with_its_place_and_without_its_value(kind: Any, value: Any, reason: str) -> None:
    with pytest.raises(ViewFailed) as failed:
        built(kind, value)

    assert f"{failed.value.path}: {failed.value.reason}" == reason
    assert SECRET not in str(failed.value)
    assert failed.value.__context__ is None


def test_keys_without_a_field_are_passed_over_when_asked_for_at_every_depth() -> None:
    value = {"host": "a", "more": 1, "pool": {"size": 1, "more": 2}, "replicas": [{"size": 2, "more": 3}]}

    made = built(Database, value, extra="ignore")

    assert made == Database(host="a", pool=Pool(1), replicas=(Pool(2),))


def test_what_stays_as_it_is_stays_the_very_object_and_nobody_can_change_it() -> None:
    section = freeze({"names": ["a"], "ports": {"web": 1}, "server": {"host": "a"}})

    for kind, key in ((list[str], "names"), (dict[str, int], "ports"), (Server, "server")):
        assert built(kind, section[key]) is section[key]
    with pytest.raises(TypeError, match="thaw"):
        built(list[float], [1]).append(2.0)


@dataclass
class Unbuildable:
    lock: bytearray


class Plain:
    def __init__(self, section: Mapping[str, Any]) -> None:
        self.names = sorted(section)


def test_a_field_that_no_configuration_becomes_is_refused_when_it_is_bound() -> None:
    with pytest.raises(InvalidSettings, match=r"Unbuildable\.lock: no configuration becomes a"):
        built(Unbuildable, {})


@pytest.mark.parametrize("hint", [Box[int], Box, Callable[[int], int], T], ids=str)
def test_a_hint_that_says_too_little_is_refused_when_it_is_bound(hint: Any) -> None:
    with pytest.raises(InvalidSettings):
        built(hint, {"content": 1})


def test_an_annotation_that_names_nothing_is_refused_when_it_is_bound() -> None:
    @dataclass
    class Broken:
        host: Nowhere  # type: ignore[name-defined]  # pyright: ignore[reportUndefinedVariable]  # noqa: F821 — it is the point

    with pytest.raises(InvalidSettings, match="name 'Nowhere'"):
        built(Broken, {})


def test_any_other_class_and_any_function_is_called_with_the_frozen_value() -> None:
    assert built(Plain, {"b": 1, "a": 2}).names == ["a", "b"]
    assert built(type, {"a": 1}) is Frozen


def test_what_a_function_raises_is_its_reason_with_the_values_blanked_out() -> None:
    def refuse(section: Mapping[str, Any]) -> None:
        raise ValueError(f"no {section['password']} for {section['user']} in {section}, by all means")

    with pytest.raises(ViewFailed) as failed:
        built(refuse, {"password": SECRET, "user": "me", "ports": [8080, "it's"]})

    assert "hunter2" not in failed.value.reason
    assert failed.value.reason.startswith("ValueError: no … for … in")
    assert "8080" not in failed.value.reason
    assert "it's" not in failed.value.reason
    assert failed.value.reason.endswith("by all means")
