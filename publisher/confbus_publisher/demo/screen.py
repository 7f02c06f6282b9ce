"""How the demo looks: 80 columns of plain text; colours and pauses only where a person watches."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import TextIO

WIDTH = 79
_STYLES = {"bold": "1", "dim": "2", "red": "31", "green": "32", "yellow": "33"}


class Screen:
    """Writes to `out`. `is_watched` is true when that is a terminal: then the story is worth telling slowly."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self.is_watched = out.isatty()
        self._is_coloured = self.is_watched and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def title(self, text: str) -> None:
        """The first line of a step."""
        self._line("")
        self._line(text, "bold")

    def say(self, text: str = "", style: str = "") -> None:
        """A paragraph, wrapped."""
        for line in textwrap.wrap(text, WIDTH - 3) or [""]:
            self._line(f"   {line}", style)

    def show(self, text: str, style: str = "") -> None:
        """Something to be seen as it is: a line of a file, a command, a path."""
        self._line(f"     {text}", style)

    def row(self, name: str, text: str, style: str = "") -> None:
        """What somebody says, beside their name; the further lines under the first."""
        lines = textwrap.wrap(text, WIDTH - 16, break_long_words=False, break_on_hyphens=False) or [""]
        for label, line in zip([name] + [""] * len(lines), lines, strict=False):
            self._line(f"   {label:<11}  {self._styled(line, style)}")

    def _line(self, text: str, style: str = "") -> None:
        print(self._styled(text, style).rstrip(" "), file=self._out, flush=True)

    def _styled(self, text: str, style: str) -> str:
        return f"\x1b[{_STYLES[style]}m{text}\x1b[0m" if style and self._is_coloured else text
