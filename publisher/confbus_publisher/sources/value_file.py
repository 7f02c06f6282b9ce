"""A file that holds one value, as Docker and Kubernetes mount secrets."""

from __future__ import annotations

from pathlib import Path

from confbus_publisher.formats.limits import VALUE_BYTES, Unfit
from confbus_publisher.sources.content import read_content

SECRETS = Path("/run/secrets")
"""Where they are mounted."""


def read_value(path: Path) -> str:
    """The text in the file at `path`. Raises `Unfit` as `read_content` and `value_text` do, and when it is missing."""
    content = read_content(path, most_bytes=VALUE_BYTES)
    if content is None:
        raise Unfit("unreadable: No such file or directory", "Check the path and its permissions.")
    return value_text(content)


def value_text(content: bytes) -> str:
    """The text that a file holds, without one line break at its end. Raises `Unfit`, telling nothing of it, when it is
    no UTF-8."""
    try:
        text = content.decode()
    except UnicodeDecodeError as failure:
        raise Unfit(f"the byte at offset {failure.start} is no UTF-8", "Save it as UTF-8.") from None
    return text.removesuffix("\n").removesuffix("\r") if text.endswith("\n") else text
