"""What the references of a merged document become."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus.wire.frozen import Frozen, freeze
from confbus.wire.path import parse
from confbus_publisher.expansion.expander import Expanded, Expander
from confbus_publisher.expansion.file_roots import FileRoots
from confbus_publisher.origin import Origin
from confbus_publisher.shape import Shape

if TYPE_CHECKING:
    from pathlib import Path as FilePath

    from confbus.wire.path import Path

VARIABLES = {
    "HOST": "db-1",
    "PORT": "5432",
    "VERSION": "1.10",
    "EMPTY": "",
    "FLAGS": '{"new": true, "note": "${HOST}"}',
    "BROKEN": "[hunter2",
    "SECRET": "hunter2",
    "BYTES": "hunter2\udcff",
}


def place(path: Path) -> Origin:
    return Origin(file="app.yaml", line=len(path), column=1)


def always(_path: Path) -> bool:
    return True


def expand(tree: Any, *, schema: dict[str, Any] | None = None, expander: Expander | None = None) -> Expanded:
    used = expander or Expander(variables=VARIABLES)
    shape = None if schema is None else Shape(schema)
    return used.expand(Frozen(freeze(tree)), origin=place, interpolates=always, shape=shape)


def value_of(text: str, **other: Any) -> Any:
    expanded = expand({"it": text, **other})
    assert expanded.errors == ()
    return expanded.tree["it"]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("${HOST}", "db-1"),
        ("${PORT}", 5432),
        ("${VERSION}", "1.10"),
        ("${EMPTY}", ""),
        ("${NONE:null}", None),
        ("${NONE:a,b}", "a,b"),
        ("${NONE:[1, 2]}", [1, 2]),
        ('${NONE:{"a": {"b": 1}}}', {"a": {"b": 1}}),
        ("${FLAGS}", {"new": True, "note": "${HOST}"}),
        ("tcp://${HOST}:${PORT}", "tcp://db-1:5432"),
        ("${PORT}${EMPTY}", "5432"),
        ("$${PORT}", "${PORT}"),
        ("${ref:number}", 7),
        ("${ref:list}", [1, "db-1"]),
        ("${ref:list[1]}!", "db-1!"),
        ("${ref:mapping.inner}", "7"),
        ("${ref:mapping}", {"inner": "7", "deep": {"own": 5432}}),
        ("${ref:alias.deep.own}", 5432),
        ("${ref:flags.new}", True),
        ("is ${ref:flags.new} and ${ref:nothing}", "is true and null"),
    ],
)
def test_a_lone_reference_has_a_type_and_all_else_is_a_string(text: str, value: Any) -> None:
    other = {
        "number": 7,
        "nothing": None,
        "list": [1, "${HOST}"],
        "mapping": {"inner": "7", "deep": {"own": "${PORT}"}},
        "alias": "${ref:mapping}",
        "flags": "${FLAGS}",
    }

    expanded = value_of(text, **other)

    assert repr(expanded) == repr(value)


@pytest.mark.parametrize(
    ("text", "types", "value"),
    [
        ("${PORT}", "string", "5432"),
        ("${VERSION}", "number", 1.1),
        ("1${PORT}", "integer", 15432),
        ("1${PORT}", ["string", "integer"], "15432"),
        ("${NONE:a,b}", "array", ["a", "b"]),
        ("${BROKEN}", "string", "[hunter2"),
        ("${ref:port}", "integer", 99),
    ],
)
def test_the_schema_decides_where_there_is_one(text: str, types: Any, value: Any) -> None:
    schema = {"properties": {"it": {"type": types}}}

    expanded = expand({"it": text, "port": "99"}, schema=schema)

    assert repr(expanded.tree["it"]) == repr(value)


FAILING = {
    "${NONE}": "the variable NONE is not set",
    "${NONE:?ask us}": "NONE is not set or is empty: ask us",
    "${BROKEN}": "with the variable BROKEN, it begins like JSON and breaks at 1:2",
    "${BYTES}": "the variable BYTES is no UTF-8",
    "a ${": "begins no reference",
    "${ref:nowhere.near}": "it refers to nowhere.near, where nothing is",
    "${ref:mapping.innr}": "Did you mean mapping.inner?",
    "${ref:a..b}": "'a..b' is not a path",
    "a ${ref:mapping}": "a mapping cannot stand within a text",
    "${ref:it}": "in a circle: it → it",
    "${ref:wrong}": "it refers to wrong, which has no value",
    "${file:/etc/passwd}": "${file:…} cannot stand here",
}


@pytest.mark.parametrize("text", FAILING)
def test_a_failure_names_place_path_and_reason_and_no_value(text: str) -> None:
    tree = {"it": text, "mapping": {"inner": "hunter2"}, "wrong": "${SECRET}${NONE}"}

    told = [str(error) for error in expand(tree).errors]

    assert told[0].startswith("app.yaml:1:1: it: ")
    assert FAILING[text] in told[0]
    assert told[-1] == "app.yaml:1:1: wrong: the variable NONE is not set. Set it, or write ${NONE:default}."
    assert "hunter2" not in str(told)


def test_what_does_not_fit_the_schema_is_told_by_the_variable() -> None:
    schema = {"properties": {"it": {"type": "integer"}}}

    [error] = expand({"it": "${SECRET}"}, schema=schema).errors

    assert "it: with the variable SECRET, an integer is wanted." in str(error)
    assert "hunter2" not in str(error)


def test_with_a_failure_the_tree_stays_as_it_was() -> None:
    tree = {"good": {"port": "${PORT}"}, "bad": "${NONE}"}

    expanded = expand(tree)

    assert expanded.tree == tree
    assert len(expanded.errors) == 1


@pytest.mark.parametrize(
    ("tree", "circles"),
    [
        ({"a": "${ref:b}", "b": "${ref:a}"}, ["a → b → a", "a → b → a"]),
        ({"a": {"b": "${ref:a}"}}, ["a.b → a → a.b"]),
        ({"a": "${ref:b.c}", "b": ["x", "${ref:a}"]}, []),
        ({"all": ["${ref:all[1]}", "${ref:all[0]}", "${PORT}"]}, ["all[0] → all[1] → all[0]"] * 2),
        ({"x": "-${ref:y}", "y": "${ref:z}", "z": "${ref:y}", "fine": "${PORT}"}, ["y → z → y"] * 3),
        ({"a": '${ref:["b.c"]}', "b.c": "${ref:a}"}, ['a → ["b.c"] → a'] * 2),
    ],
)
def test_a_circle_is_told_to_each_that_is_in_it_or_leads_there(tree: Any, circles: list[str]) -> None:
    told = [error.reason for error in expand(tree).errors]

    assert [each.partition("circle: ")[2] for each in told if "circle" in each] == circles


def test_the_longest_circle_is_shown_short() -> None:
    tree = {f"k{number}": f"${{ref:k{(number + 1) % 5000}}}" for number in range(5000)}

    errors = expand(tree).errors

    assert len(errors) == 5000
    assert len(errors[0].reason) < 100


def test_a_chain_may_be_long() -> None:
    tree = {f"k{number}": f"${{ref:k{number + 1}}}" for number in range(5000)} | {"k5000": "${PORT}"}

    expanded = expand(tree)

    assert expanded.tree["k0"] == 5432


@pytest.mark.parametrize("is_text", [True, False])
def test_references_that_double_and_double_are_refused(is_text: bool) -> None:
    levels: dict[str, Any] = {"k60": "${HOST}"}
    for number in range(60):
        one = f"${{ref:k{number + 1}}}"
        levels[f"k{number}"] = one + one if is_text else [one, one]

    errors = expand(levels).errors

    assert "more than 32 MiB" in errors[-1].reason or "longer than" in errors[-1].reason


def test_references_cannot_nest_without_end() -> None:
    tree = {f"k{number}": {"in": {"in": f"${{ref:k{number + 1}}}"}} for number in range(60)} | {"k60": {"in": 1}}

    errors = expand(tree).errors

    assert "nested deeper than 100 levels" in errors[-1].reason


def test_a_layer_that_does_not_interpolate_is_left_as_it_is() -> None:
    tree = Frozen(freeze({"remote": "${SECRET}", "broken": "${", "mine": "${ref:remote}"}))

    expanded = Expander(variables=VARIABLES).expand(tree, origin=place, interpolates=lambda path: path == parse("mine"))

    assert expanded.tree == {"remote": "${SECRET}", "broken": "${", "mine": "${SECRET}"}
    assert [expanded.is_expanded((key,)) for key in tree] == [False, False, True]


def test_steps_tell_what_was_written_and_what_went_in_by_name() -> None:
    tree = {"url": "${HOST}:${MORE:1}${EMPTY:-2}", "list": ["${ref:url}"], "plain": 1}

    steps = expand(tree).steps

    assert steps["url",].used == ("variable HOST", "default of MORE", "default of EMPTY")
    assert steps["url",].template == tree["url"]
    assert steps["list", 0].used == ("ref url",)
    assert "db-1" not in repr(steps)


def test_a_number_behind_the_shells_dash_is_a_doubt_with_its_place() -> None:
    tree = {"db": {"port": "${PORT:-5432}"}, "fine": "${PORT:5432}"}

    [doubt] = expand(tree).doubts

    assert (doubt.path, str(doubt.origin)) == (("db", "port"), "app.yaml:2:1")
    assert "PORT" in doubt.reason


def test_files_are_read_below_their_roots(tmp_path: FilePath) -> None:
    (tmp_path / "pw").write_text("hunter2\n")
    expander = Expander(FileRoots([tmp_path], base=tmp_path), variables={})

    good = expand({"pw": "${file:pw}", "url": "x:${file:pw}@y"}, expander=expander)
    bad = expand({"pw": "${file:/etc/hostname}"}, expander=expander)

    assert good.tree == {"pw": "hunter2", "url": "x:hunter2@y"}
    assert good.steps["pw",].used == ("file pw",)
    assert "is not below" in bad.errors[0].reason
