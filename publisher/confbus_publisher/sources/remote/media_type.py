"""What an answer is written in: as somebody said by hand, as the server says, as the URL ends."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from confbus_publisher.formats import format as formats
from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from confbus_publisher.sources.remote.answer import Answer

FORMATS = ("json", "toml", "yaml")

_TYPE = re.compile(r"(?:application|text)/(?:x-|vnd\.)?(json|toml|yaml)|[^/]+/.+\+(json|toml|yaml)")
_SAYS_NOTHING = frozenset({"", "text/plain", "application/octet-stream", "binary/octet-stream"})
_BY_HAND = "Say `format: json`, yaml or toml, if it is one of them."


def format_of(answer: Answer, *, path: str, given: str = "") -> str:
    """Which of `FORMATS` the body of `answer` to a request for `path` has; `given`, when it is, decides.

    Raises `Unfit` when nothing says it, and for a body that may be cut off without anybody noticing.
    """
    name = given or _of_type(answer.media_type) or _of_suffix(path)
    if name != "json" and not answer.has_end:  # The half of a YAML is a YAML.
        reason = "the body has no declared length, so nobody can tell whether it is whole"
        raise Unfit(reason, "Let the server send Content-Length, or JSON.")
    return name


def _of_type(media_type: str) -> str:
    if found := _TYPE.fullmatch(media_type):
        return str(found[1] or found[2])
    if media_type in _SAYS_NOTHING:
        return ""
    shown = media_type if re.fullmatch(r"[\w.+/-]{1,60}", media_type) else "something else"
    raise Unfit(f"it is {shown}, and that is no configuration", _BY_HAND)


def _of_suffix(path: str) -> str:
    name = formats.format_of(posixpath.basename(path))
    if name not in FORMATS:
        raise Unfit("neither its type nor its URL says what it is written in", _BY_HAND)
    return name
