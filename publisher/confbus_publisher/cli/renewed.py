"""A line on stderr that renews itself while something takes long, where somebody looks at it in a terminal."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Self

import click

from confbus_publisher.cli.columns import shortened
from confbus_publisher.cli.output import talk_width

if TYPE_CHECKING:
    from types import TracebackType


def is_watched() -> bool:
    """Whether somebody sees a line renew itself."""
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


class RenewedLine:
    """A context manager; the line is there from the first text to the end. Elsewhere than in a terminal it is never."""

    def __init__(self) -> None:
        self._is_watched = is_watched()
        self._text = ""

    def show(self, text: str) -> None:
        """Put `text` in place of what the line said."""
        if self._is_watched and text != self._text:
            self._text = text
            click.echo(f"\r\x1b[K{shortened(text, talk_width() - 1)}", err=True, nl=False)

    def clear(self) -> None:
        """Take the line away."""
        if self._text:
            self._text = ""
            click.echo("\r\x1b[K", err=True, nl=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.clear()
