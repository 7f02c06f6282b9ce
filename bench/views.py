"""What one read of a typed view costs, beside plain dicts.

`db.current` is a slot of the view and `.host` one of the object: two loads that the interpreter specialises, as it does
the two subscripts of exact dicts. Pydantic's models keep their fields in a dict of the instance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

import attrs
import msgspec
import pydantic

from bench.rounds import Row, interleave, rows
from bench.timer import timer
from bench.worlds import published


@dataclass(frozen=True, slots=True)
class Slotted:
    host: str


@dataclass(frozen=True)
class Plain:
    host: str


class Struct(msgspec.Struct, frozen=True):
    host: str


@attrs.frozen
class Attrs:
    host: str


class Model(pydantic.BaseModel, frozen=True):
    host: str


class Typed(TypedDict):
    host: str


def run() -> list[Row]:
    """Nanoseconds for each kind of view to read one value two levels deep."""
    document = {"a": {"host": "db-1"}}
    kinds: dict[str, Any] = {
        "dataclass": Plain,
        "dataclass(slots=True)": Slotted,
        "msgspec.Struct": Struct,
        "attrs.frozen": Attrs,
        "pydantic.BaseModel": Model,
    }
    with published(document) as config:
        contestants = {'d["a"]["host"]': timer('d["a"]["host"]', {"d": document})}
        contestants |= {
            f"db.current.host, {name}": timer("db.current.host", {"db": config.bind("a", kind)})
            for name, kind in kinds.items()
        }
        typed = {"db": config.bind("a", Typed)}
        contestants['db.current["host"], TypedDict'] = timer('db.current["host"]', typed)
        contestants["db.pinned.host, dataclass, no pin"] = timer("db.pinned.host", {"db": config.bind("a", Plain)})
        targets = {f"db.current.host, {name}": "<= 1.0" for name in kinds if not name.startswith("pydantic")}
        return rows(interleave(contestants, 25), unit="ns", targets=targets)
