"""What YAML must not do to a publisher: crash it, fill it, or surprise it."""

from __future__ import annotations

import subprocess
import sys
import threading

import pytest
import yaml

from confbus.errors import SourceFailed
from confbus_publisher.formats import events
from confbus_publisher.formats.yaml import load_yaml

SMALL_STACK = 512 * 1024


def doubling(levels: int, *, merged: bool) -> str:
    """A few hundred bytes that mean ten times more with each level."""
    text = "a0: &a0 {key: value}\n"
    for level in range(1, levels):
        many = ", ".join([f"*a{level - 1}"] * 10)
        text += f"a{level}: &a{level}\n  {'<<' if merged else 'x'}: [{many}]\n"
    return text


def stacked(levels: int) -> str:
    """Two values that are deep together, though neither is alone."""
    return f"a: &a {'{x: ' * levels}1{'}' * levels}\nb: {'{x: ' * levels}*a{'}' * levels}\n"


NASTY = {
    "? without a space": ("a: {b: 1,\n ?c: 2}", ":2:3", "a ? stands right before the key"),
    "%TAG lines without end": (
        "".join(f"%TAG !a{at}! tag:a\n" for at in range(17)) + "--- {}",
        ":1:1",
        "more than 16 %TAG lines",
    ),
    "alias bomb": (doubling(12, merged=False), ":13:", "more than 1,000,000 values"),
    "alias bomb of text": (f"a: &a {'x' * 100_000}\nb: [{', '.join(['*a'] * 400)}]", ":2:", "more than 32 Mi char"),
    "bomb of text in lists": (
        f"a: &a [{'x' * 100_000}]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: [{', '.join(['*b'] * 40)}]",
        *(":3:", "more than 32 Mi char"),
    ),
    "merge key bomb": (doubling(12, merged=True), ":13:", "more than 1,000,000 values"),
    "200,000 lists": ("[" * 200_000, ":1:1", "deeper than 100"),  # libyaml may refuse the 1,001st already
    "200,000 mappings": ("a: " + "{a: " * 200_000, ":1:", "deeper than 100"),
    "300 indents": ("\n".join(" " * depth + "a:" for depth in range(300)), ":101:101", "deeper than 100"),
    "depth through aliases": (stacked(60), ":2:", "deeper than 100"),
    "a list in itself": ("a: &a [*a]", ":1:8", "inside what it names"),
    "a mapping in itself": ("a: &a {b: *a}", ":1:11", "inside what it names"),
    "a merge with itself": ("a: &a\n  <<: *a", ":2:7", "inside what it names"),
    "unknown alias": ("a: *x", ":1:4", "no &x stands before"),
    "duplicate key": ("a: 1\nb:\n  c: 1\na: 3", ":4:1", "'a' stands on line 1 already"),
    "duplicate key in a list": ("a:\n- {b: 1, b: 2}", ":2:10", "'b' stands on line 2 already"),
    "two merge keys": ("x: &x {}\ny:\n  <<: *x\n  <<: *x", ":4:3", "Write <<: [*a, *b]"),
    "merge of a scalar": ("a:\n  <<: 3", ":2:7", "takes a mapping"),
    "merge of scalars": ("a:\n  <<: [3]", ":2:7", "takes a mapping"),
    "number as key": ("a:\n  8080: web", ":2:3", 'Write "8080" in quotes'),
    "boolean as key": ("true: 1", ":1:1", "the key is a bool"),
    "null as key": ("? \n: 1", ":1:", "the key is null"),
    "list as key": ("[a]: b", ":1:1", "the key is a list"),
    "mapping as key": ("{a: b}: c", ":1:1", "the key is a mapping"),
    "unknown tag": ("a: !vault x", ":1:4", "the tag !vault means nothing"),
    "python tag": ("a: !!python/object:os.system x", ":1:4", "means nothing"),
    "binary": ("a: !!binary aGk=", ":1:4", "!!binary means nothing"),
    "set": ("a: !!set {b, c}", ":1:4", "!!set means nothing"),
    "timestamp": ("a: !!timestamp 2001-01-01", ":1:4", "!!timestamp means nothing"),
    "tag on the wrong kind": ("a: !!str {b: 1}", ":1:4", "!!str means nothing here"),
    "tag that does not fit": ("a: !!int many", ":1:4", "cannot be read as !!int"),
    "NaN": ("a: .nan", ":1:4", "NaN and infinity"),
    "infinity": ("a: -.INF", ":1:4", "NaN and infinity"),
    "float out of range": ("a: 1e999", ":1:4", "NaN and infinity"),
    "integer above 64 bits": (f"a: {2**64}", ":1:4", "does not fit in 64 bits"),
    "integer below 64 bits": (f"a: {-(2**63) - 1}", ":1:4", "does not fit in 64 bits"),
    "5,000 digits": ("a: " + "9" * 5000, ":1:4", "does not fit in 64 bits"),
    "a list on top": ("- a", ":1:1", "no mapping"),
    "a string on top": ("hello", ":1:1", "no mapping"),
    "null on top": ("null", ":1:1", "no mapping"),
    "two documents": ("a: 1\n---\nb: 2", ":2:1", "second document"),
    "half a character": ("a: \ud800", ":1:4", "U+D800"),
    "control character": ("a: 1\nb: \x01", ":2:4", "U+0001"),
    "tab as indent": ("a:\n\tb: 1", ":2:", "spaces instead of a tab"),
    "colon in a value": ("a: b: c", ":1:5", "Quote a value that holds"),
    "open list": ("a: [1\n", ":", "expected"),
    "open quote": ('a: "x\n\n', ":", "usual cause"),
    "half a character, escaped": ('a: "\\ud800"', ":1:", "escape"),
    "no character": ('a: "\\UFFFFFFFF"', ":1:", ""),
    "YAML of the future": ("%YAML 9.1\n---\na: 1", ":1:1", "Remove the %YAML line"),
    "endless version": (f"%YAML 1.{'9' * 5000}\n---\na: 1", ":1:", ""),
}


@pytest.fixture(params=["C parser", "Python parser"])
def parser(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Either of the two parsers that PyYAML may have."""
    if request.param == "C parser":
        assert events.PARSER is not yaml.BaseLoader, "PyYAML has no C extension here"
    else:
        monkeypatch.setattr(events, "PARSER", yaml.BaseLoader)


def refusal(text: str) -> str:
    with pytest.raises(SourceFailed) as caught:
        load_yaml(text, origin_name="app.yaml")
    assert caught.value.origin.startswith("app.yaml:")
    return str(caught.value)


@pytest.mark.usefixtures("parser")
@pytest.mark.parametrize("case", NASTY)
def test_what_is_nasty_is_refused_with_its_place(case: str) -> None:
    text, place, reason = NASTY[case]

    told = refusal(text)

    assert told.startswith(f"app.yaml{place}")
    assert reason in told


@pytest.mark.slow
@pytest.mark.usefixtures("parser")
def test_nothing_nasty_hurts_a_thread_with_a_small_stack() -> None:
    told: list[str] = []
    before = threading.stack_size(SMALL_STACK)
    thread = threading.Thread(target=lambda: told.extend(refusal(text) for text, _, _ in NASTY.values()))

    try:
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()

    assert len(told) == len(NASTY)


def test_the_deepest_allowed_document_loads_in_a_small_stack() -> None:
    text = "{a: " * 100 + "1" + "}" * 100
    loaded: list[object] = []
    before = threading.stack_size(SMALL_STACK)
    thread = threading.Thread(target=lambda: loaded.append(load_yaml(text, origin_name="app.yaml")[0]))

    try:
        thread.start()
    finally:
        threading.stack_size(before)
    thread.join()

    assert len(loaded) == 1


def test_the_budget_counts_each_use_of_an_alias() -> None:
    text = "a: &a [1, 2, 3]\nb: [*a, *a]\n"

    tree, _ = load_yaml(text, origin_name="app.yaml", budget=13)
    with pytest.raises(SourceFailed, match="more than 12 values"):
        load_yaml(text, origin_name="app.yaml", budget=12)

    assert tree["b"] == [[1, 2, 3], [1, 2, 3]]


def test_an_error_shows_no_value() -> None:
    secret = "hunter2"
    texts = [f"a: !!int {secret}", f"a: '{secret}", f"a: {secret}: {secret}", f'a: "{secret}\\ud800"', f"- {secret}"]

    told = [refusal(text) for text in texts]

    assert not [line for line in told if secret in line]


def test_without_the_c_extension_the_python_parser_takes_over() -> None:
    script = """
import sys
sys.modules["yaml._yaml"] = None
from confbus_publisher.formats.yaml import load_yaml
print(load_yaml("a: [1, {b: NO}]", origin_name="app.yaml")[0])
"""

    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "{'a': [1, {'b': 'NO'}]}"
