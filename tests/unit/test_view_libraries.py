"""Models of pydantic and structs of msgspec build themselves; what they say of a failure loses its values."""

from __future__ import annotations

import re
import subprocess
import sys
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import msgspec
import pydantic
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic.dataclasses import dataclass as pydantic_dataclass

from confbus.errors import InvalidSettings, ViewFailed
from confbus.views.misfit import misfit_of, without_values
from support.local_copy import built

SECRET = "hunter2-hunter2"


class Credit(pydantic.BaseModel):
    kind: Literal["credit"]


class Cash(pydantic.BaseModel):
    kind: Literal["cash"]


class Payment(pydantic.BaseModel, frozen=True):
    password: pydantic.SecretStr = pydantic.SecretStr("")
    port: int = pydantic.Field(default=1, ge=1)
    ways: list[Annotated[Credit | Cash, pydantic.Field(discriminator="kind")]] = []

    @pydantic.field_validator("password")
    @classmethod
    def _is_long(cls, password: pydantic.SecretStr) -> pydantic.SecretStr:
        if password.get_secret_value().startswith("hunter"):
            raise ValueError(f"{password.get_secret_value()} is known to everybody")
        return password


@pydantic_dataclass(frozen=True)
class Limits:
    size: int


class Pool(msgspec.Struct, frozen=True):
    size: Annotated[int, msgspec.Meta(ge=1)]
    kind: Literal["lifo", "fifo"] = "lifo"


class Database(msgspec.Struct, frozen=True):
    pool: Pool
    pools: dict[str, Pool] = {}


@dataclass(frozen=True)
class Mixed:
    payment: Payment
    pool: Pool | None
    password: pydantic.SecretStr


def test_each_library_builds_its_own_types() -> None:
    ports = pydantic.TypeAdapter(dict[str, Annotated[int, pydantic.Field(ge=1)]])

    assert built(Payment, {"port": 5, "ways": [{"kind": "cash"}]}) == Payment(port=5, ways=[Cash(kind="cash")])
    assert built(Limits, {"size": 1}) == Limits(1)
    assert built(ports, {"web": 80}) == {"web": 80}
    assert built(Database, {"pool": {"size": 1}}) == Database(Pool(1))
    assert built(Mixed, {"payment": {}, "pool": {"size": 2}, "password": "x"}) == Mixed(
        Payment(), Pool(2), pydantic.SecretStr("x")
    )


def paid(section: dict[str, Any]) -> Payment:
    return Payment(**section)


OF_A_TAG = "Input tag '…' found using 'kind' does not match any of the expected tags: 'credit', 'cash'"
OF_A_NUMBER = "Input should be a valid integer, unable to parse string as an integer"
CASES: list[tuple[Any, Any, str]] = [
    (Payment, {"port": 0}, "it.port: Input should be greater than or equal to 1"),
    (Payment, {"port": SECRET, "ways": 1}, f"it.port: {OF_A_NUMBER} (and 1 more)"),
    (Payment, {"password": SECRET}, "it.password: Value error, … is known to everybody"),
    (Limits, {"size": None}, "it.size: Input should be a valid integer"),
    (Database, {"pool": {"size": "5"}}, "it.pool.size: Expected `int`, got `str`"),
    (Database, {"pool": {"size": 1, "kind": SECRET}}, "it.pool.kind: Invalid enum value '…'"),
    (Database, {"pool": {"size": 2}, "pools": {"web": {"size": 0}}}, "it.pools[...].size: Expected `int` >= 1"),
    (Database, {}, "it: Object missing required field `pool`"),
    (Mixed, {"payment": {"port": "x"}, "pool": None}, f"it.payment.port: {OF_A_NUMBER}"),
    (paid, {"password": SECRET}, "it.password: Value error, … is known to everybody"),
    (Payment.model_validate, {"ways": [{"kind": SECRET}]}, f"it.ways[0]: {OF_A_TAG}"),
]


@pytest.mark.parametrize(("kind", "value", "reason"), CASES)
def test_what_a_library_refuses_is_told_with_its_place_and_without_its_value(
    kind: Any, value: Any, reason: str
) -> None:
    with pytest.raises(ViewFailed) as failed:
        built(kind, value)

    assert f"{failed.value.path}: {failed.value.reason}" == reason
    assert SECRET not in str(failed.value)
    assert failed.value.__context__ is None


def test_a_model_that_names_what_is_not_there_is_refused_when_it_is_bound() -> None:
    fields: Any = {"host": "Nowhere"}
    unfinished = pydantic.create_model("Unfinished", **fields)

    with pytest.raises(InvalidSettings, match="Unfinished: its annotations name what is not to be found"):
        built(unfinished, {"host": "a"})


def test_of_the_whole_document_the_path_begins_at_its_root() -> None:
    with pytest.raises(msgspec.ValidationError) as failed:
        msgspec.convert({"pool": {"size": "5"}}, Database)

    assert misfit_of(failed.value, {}, ()).place == "pool.size"


def test_no_library_is_imported_that_no_type_comes_from() -> None:
    program = """
import sys, dataclasses
from confbus.views import View
@dataclasses.dataclass
class Pool:
    size: int
view = View("pool", Pool, default=None, extra="refuse", wait=print, find_pinned=print)
print(sorted({"pydantic", "msgspec", "attr", "attrs", "cattrs", "uuid", "decimal", "ipaddress"} & sys.modules.keys()))
"""

    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"


def test_a_function_is_bound_without_the_machinery_of_records() -> None:
    program = """
import sys
from confbus.views import View
for kind in (len, list[int], int):
    View("pool", kind, default=None, extra="refuse", wait=print, find_pinned=print)
print(sorted({"dataclasses", "inspect", "difflib"} & sys.modules.keys()))
"""

    assert subprocess.check_output([sys.executable, "-c", program], text=True) == "[]\n"


# Of characters that the sentences below do without.
VALUES = st.text('ΓΔΘ05-_ \\"', min_size=1, max_size=12).filter(str.strip) | st.integers() | st.floats(0, 1e300)


@given(st.lists(VALUES, min_size=1, max_size=5), st.sampled_from(["{}", "'{}'", "{!r}", "got {}, sorry", "({})\nb"]))
def test_no_value_is_left_in_what_others_say(values: list[Any], sentence: str) -> None:
    said = "; ".join(sentence.format(value) for value in values)

    left = without_values(said, {"key": values})

    texts = [str(value).strip() for value in values]
    assert [text for text in texts if re.search(rf"(?<!\w){re.escape(text)}(?!\w)", left)] == []
