"""What type checkers see of views. Not run: each line says what it is taken for, or, with `refused`, that it must be
refused."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, TypedDict, assert_type

import attrs
import msgspec
import pydantic

import confbus

if TYPE_CHECKING:
    from confbus import View


@dataclass(frozen=True)
class Database:
    host: str
    port: int


@attrs.frozen
class Cache:
    url: str


class Payment(pydantic.BaseModel):
    port: int


class Pool(msgspec.Struct, frozen=True):
    size: int


class Server(TypedDict):
    host: str


class Point(NamedTuple):
    x: int


def dsn(section: dict[str, Any]) -> str:
    return f"{section['host']}:{section['port']}"


config = confbus.Subscriber("redis://localhost", namespace="checkout", views={"database": Database, "dsn": dsn})

assert_type(config.bind("database", Database), "View[Database]")
assert_type(config.bind(("database",), Database).current, Database)
assert_type(config.bind("database", Database).pinned.port, int)
assert_type(config.bind("database", Database, extra="ignore").current.host, str)
assert_type(config.bind("database", Database, default=None).current, Database | None)
assert_type(config.bind("cache", Cache).current.url, str)
assert_type(config.bind("payment", Payment).current.port, int)
assert_type(config.bind("pool", Pool).current.size, int)
assert_type(config.bind("server", Server).current["host"], str)
assert_type(config.bind("point", Point).current.x, int)
assert_type(config.bind("database", dsn), "View[str]")
assert_type(config.bind("database", lambda section: len(section)).current, int)  # noqa: PLW0108 — a lambda is the point
assert_type(config.bind("database.port", int).current, int)
assert_type(config.bind("carriers", list[str]).current, list[str])
assert_type(config.bind("pools", dict[str, Pool]).current, dict[str, Pool])
assert_type(config.bind("payments", pydantic.TypeAdapter(list[Payment])).current, list[Payment])
union: View[Any] = config.bind("pool", Pool | None)
assert_type([change.path for changes in config.changes() for change in changes], list[str])


def takes_any_view(view: View[object]) -> View[object]:
    return view


takes_any_view(config.bind("database", Database))


async def changed() -> None:
    async for changes in config.changes("database"):
        assert_type(changes, list[confbus.Change])


config.bind("database", 5)  # refused
config.bind("database", Database, None)  # refused
config.bind("database", Database).current.hots  # refused
config.bind("database", Database).current = Database("db-1", 5432)  # refused
config.bind("database", Database, default=None).current.host  # refused
config.bind("database", int).current.host  # refused
confbus.connect("redis://localhost", namespace="checkout").bind("database", Database).current.hots  # refused
