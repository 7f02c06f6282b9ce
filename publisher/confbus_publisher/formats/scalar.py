"""What a YAML scalar means: the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema).

So `NO`, `on`, dates and `12:30:45` are strings, `0777` is 777, `0o17` is 15 and `1e3` is 1000.0.
"""

from __future__ import annotations

import math
import re
from types import NoneType

from confbus_publisher.formats.limits import Unfit, fit_float, read_int

CORE = "tag:yaml.org,2002:"

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_STARTS_A_NUMBER = frozenset("-+.0123456789")
_NUMBER = re.compile(
    r"(?P<int>[-+]?[0-9]+)|(?P<float>[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?)"
    r"|0o(?P<octal>[0-7]+)|0x(?P<hex>[0-9a-fA-F]+)|(?P<endless>[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))"
)
_BASES = {"int": 10, "octal": 8, "hex": 16}
_READ_AS: dict[str, tuple[type, ...]] = {
    "int": (int,),
    "float": (int, float),
    "bool": (bool,),
    "null": (NoneType,),
}

Scalar = str | int | float | bool | None


def plain(text: str) -> Scalar:
    """The value of an unquoted scalar without a tag. Raises `Unfit` for a number that no document can hold."""
    if text in _WORDS:
        return _WORDS[text]
    if text[0] in _STARTS_A_NUMBER and (number := _NUMBER.fullmatch(text)):
        return _number(number)
    return text


def tagged(tag: str, text: str) -> Scalar:
    """The value of a scalar with one of the core tags. Raises `Unfit` for another tag, or a text that it cannot be."""
    name = tag.removeprefix(CORE)
    if tag == "!" or (name == "str" and tag != name):
        return text
    if tag == name or name not in _READ_AS:
        raise unknown_tag(tag)
    value = plain(text)
    if type(value) not in _READ_AS[name]:
        raise Unfit(f"the text cannot be read as !!{name}", "Mend it, or remove the tag.")
    return float(value) if name == "float" and value is not None else value


def unknown_tag(tag: str) -> Unfit:
    short = f"!!{tag.removeprefix(CORE)}" if tag.startswith(CORE) else tag
    return Unfit(
        f"the tag {short} means nothing here",
        "Remove it; only !secret, !!str, !!int, !!float, !!bool, !!null, !!map and !!seq are known, each on its kind.",
    )


def _number(number: re.Match[str]) -> int | float:
    kind = number.lastgroup or ""
    digits = number[kind]
    if kind in _BASES:
        return read_int(digits, base=_BASES[kind])
    return fit_float(float(digits) if kind == "float" else math.nan)
