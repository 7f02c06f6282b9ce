"""What all sources say now."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import MergeConflict, SourceFailed
from confbus_publisher.checks.schema import SchemaCheck
from confbus_publisher.inputs import Inputs
from confbus_publisher.layers import Layers
from confbus_publisher.sources import DictSource, EnvSource, FileSource

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from confbus_publisher.checks import Check
    from confbus_publisher.sources.source import Source

LIMIT = 1024 * 1024


def document(*sources: Source, checks: Sequence[Check] = ()) -> Any:
    return Inputs(sources, limit_bytes=LIMIT, checks=checks).load().tree


def test_a_variable_is_placed_and_typed_by_what_the_others_say() -> None:
    others = DictSource({"pool": {"max_size": 5, "name": "main"}})
    variables = EnvSource("APP_", priority=1, environ={"APP_POOL_MAX_SIZE": "7", "APP_POOL_NAME": "8"})

    assert document(others, variables) == {"pool": {"max_size": 7, "name": "8"}}
    assert document(variables) == {"pool": {"max": {"size": 7}, "name": 8}}


def test_a_schema_knows_better_than_the_others(tmp_path: Path) -> None:
    (tmp_path / "schema.yaml").write_text("properties: {pool_max: {type: string}}")
    schema = SchemaCheck(tmp_path / "schema.yaml")
    variables = EnvSource("APP_", priority=1, environ={"APP_POOL_MAX": "7"})

    assert document(variables, DictSource({"pool": {"max": 5}}), checks=[schema]) == {
        "pool_max": "7",
        "pool": {"max": 5},
    }


def test_an_edit_of_the_schema_alone_reads_variables_anew(tmp_path: Path) -> None:
    file = tmp_path / "schema.yaml"
    file.write_text("properties: {pool_max: {type: string}}")
    inputs = Inputs([EnvSource("APP_", environ={"APP_POOL_MAX": "7"})], limit_bytes=LIMIT, checks=[SchemaCheck(file)])
    before = inputs.load()

    file.write_text("properties: {pool_max: {type: integer}}")
    after = inputs.load()
    file.write_text("properties: {pool_max: {type: ")
    broken = inputs.load()

    assert (before.tree, after.tree) == ({"pool_max": "7"}, {"pool_max": 7})
    assert broken is after
    assert tmp_path in inputs.watched


def test_layers_come_in_the_order_of_their_sources() -> None:
    variables = EnvSource("APP_", environ={"APP_A": "1"})
    layers = Layers([variables, DictSource({"a": 2}, name="two"), DictSource({"a": 3}, name="three")])

    assert [layer.source for layer in layers.load()] == ["env:APP_", "two", "three"]


def test_nothing_new_gives_the_very_same_merge(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("a: {b: 1}\n")
    environ = {"APP_A_B": "2"}
    sources: list[Source] = [FileSource(tmp_path / "app.yaml"), EnvSource("APP_", priority=1, environ=environ)]
    inputs = Inputs(sources, limit_bytes=LIMIT)

    before = inputs.load()
    again = inputs.load()
    environ["APP_A_B"] = "3"
    after = inputs.load()

    assert again is before
    assert (before.tree, after.tree) == ({"a": {"b": 2}}, {"a": {"b": 3}})


def test_a_variable_that_cannot_be_placed_any_more_keeps_its_last_place(tmp_path: Path) -> None:
    file = tmp_path / "app.yaml"
    file.write_text("a_b: {c: 1}\n")
    inputs = Inputs([FileSource(file), EnvSource("APP_", priority=1, environ={"APP_A_B_C": "2"})], limit_bytes=LIMIT)
    inputs.load()

    file.write_text("a_b: {c: 1}\na: {b_c: 1}\n")
    merge = inputs.load()

    assert merge.tree == {"a_b": {"c": 2}, "a": {"b_c": 1}}
    assert "APP_A_B_C" in str(inputs.failures["env:APP_"])


def test_a_source_that_never_succeeded_is_an_error(tmp_path: Path) -> None:
    inputs = Inputs([FileSource(tmp_path / "no.yaml")], limit_bytes=LIMIT)

    with pytest.raises(SourceFailed):
        inputs.load()


def test_others_that_do_not_go_together_are_told_as_such() -> None:
    one, two = DictSource({"a": 1}, name="one"), DictSource({"a": {"b": 1}}, name="two")

    with pytest.raises(MergeConflict):
        document(one, two, EnvSource("APP_", environ={}))
