"""The grammar of `${…}` in a text, as people know it from a shell and from compose files.

| written | means |
|---|---|
| `${A}` | the variable A, which must be set |
| `${A:b}` | b when A is not set |
| `${A:-b}` | b when A is not set or is empty |
| `${A:?why}` | A, which must be set and not be empty |
| `${file:path}` | the content of a file |
| `${ref:path}` | the value at another path of the document |
| `$${` | a plain `${`; any other `$` stands for itself |

Braces within are balanced, so a default may be JSON. A default is plain text: no reference stands in another.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MOST_CHARACTERS = 1024 * 1024

_BEGIN = re.compile(r"\$?\$\{")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_BRACE = re.compile(r"\$?\$\{|[{}]")
_LIKE_A_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_NO_REFERENCE = "Write ${NAME} or ${NAME:default}, and $${ for a plain ${."


@dataclass(frozen=True, slots=True)
class Reference:
    """One `${…}`. `name` is that of a variable, of a file or of a path; `rest` is the default, or why it is needed."""

    kind: Literal["variable", "file", "ref"]
    name: str
    how: Literal["", ":", ":-", ":?"] = ""
    rest: str = field(default="", repr=False)

    @property
    def is_doubtful(self) -> bool:
        """True for `${A:-5}`: the default is 5, and somebody may have meant -5."""
        return self.how == ":-" and _LIKE_A_NUMBER.fullmatch(self.rest) is not None


Template = tuple[str | Reference, ...]


def parse(text: str) -> Template:
    """The parts of `text` in their order, in time linear in its length. Raises `Unfit` for a `${` without a meaning."""
    parts: list[str | Reference] = []
    at = 0
    while begin := _BEGIN.search(text, at):
        parts.append(text[at : begin.start()])
        if begin[0] == "$${":
            parts.append("${")
            at = begin.end()
        else:
            reference, at = _reference(text, begin.end())
            parts.append(reference)
    parts.append(text[at:])
    return tuple(part for part in parts if part != "")


def is_reference(value: object) -> bool:
    """True for a string that is exactly one `${…}`."""
    if not isinstance(value, str) or not value.startswith("${"):
        return False
    try:
        template = parse(value)
    except Unfit:
        return False
    return len(template) == 1 and isinstance(template[0], Reference)


def interpolate(text: str, variables: Mapping[str, str], read_file: Callable[[str], str] | None = None) -> str:
    """`text` with every reference replaced once: what comes in is not looked into again.

    Raises `Unfit` naming the variable or the file, never what it holds; always for `${ref:…}`, which needs a document.
    """
    if "${" not in text:
        return text
    return joined(part if isinstance(part, str) else resolve(part, variables, read_file) for part in parse(text))


def resolve(reference: Reference, variables: Mapping[str, str], read_file: Callable[[str], str] | None) -> str:
    """The text that a reference to a variable or to a file stands for. Raises `Unfit` as `interpolate`."""
    if reference.kind == "ref":
        raise Unfit("${ref:…} cannot stand here", "It works in the files and values that make the configuration.")
    if reference.kind == "file":
        if read_file is None:
            raise Unfit("${file:…} cannot stand here", "Use a variable.")
        return read_file(reference.name)
    value = variables.get(reference.name)
    if value is None or (not value and reference.how in {":-", ":?"}):
        if reference.how in {":", ":-"}:
            return reference.rest
        raise _unset(reference)
    return value


def joined(pieces: Iterable[str]) -> str:
    """The pieces as one text. Raises `Unfit` before it grows beyond measure."""
    found: list[str] = []
    characters = 0
    for piece in pieces:
        characters += len(piece)
        if characters > MOST_CHARACTERS and found:
            raise Unfit(f"it becomes longer than {MOST_CHARACTERS:,} characters", "Keep large texts apart.")
        found.append(piece)
    return "".join(found)


def _reference(text: str, at: int) -> tuple[Reference, int]:
    """The reference whose `${` ends at `at`, and where it ends itself."""
    name = _NAME.match(text, at)
    after = text[name.end() : name.end() + 1] if name else ""
    if name is None or after not in {"}", ":"}:
        raise Unfit("a ${ begins no reference", _NO_REFERENCE)
    if after == "}":
        return Reference("variable", name[0]), name.end() + 1
    body, end = _body(text, name.end() + 1)
    if name[0] == "file":
        return Reference("file", body), end
    if name[0] == "ref":
        return Reference("ref", body), end
    if body.startswith("-"):
        return Reference("variable", name[0], ":-", body[1:]), end
    if body.startswith("?"):
        return Reference("variable", name[0], ":?", body[1:]), end
    return Reference("variable", name[0], ":", body), end


def _body(text: str, begin: int) -> tuple[str, int]:
    """What stands from `begin` to the brace that closes the reference, and where that ends."""
    depth = 1
    for brace in _BRACE.finditer(text, begin):
        if brace[0] == "${":
            raise Unfit("a ${ stands within another", "A default is plain text; write $${ for a plain ${ in it.")
        depth += -1 if brace[0] == "}" else 1
        if depth == 0:
            return text[begin : brace.start()].replace("$${", "${"), brace.end()
    raise Unfit("a ${ is never closed", _NO_REFERENCE)


def _unset(reference: Reference) -> Unfit:
    why = f": {reference.rest}" if reference.rest else ""
    is_empty_refused = "" if reference.how == "" else " or is empty"
    return Unfit(
        f"the variable {reference.name} is not set{is_empty_refused}{why}",
        f"Set it, or write ${{{reference.name}:default}}.",
    )
