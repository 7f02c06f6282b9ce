"""Where a value came from: the place that a person opens to change it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """One place: a position in a file or at a URL, a variable, or only the source's name.

    `str()` gives what a terminal makes clickable: `config/app.yaml:14:3`, `https://host/app.json:2:5`,
    `$APP_DATABASE_HOST`, the name. A variable may name the file that holds its value:
    `$APP_DATABASE_PASSWORD_FILE (/run/secrets/database)`. Lines and columns count from 1; 0 means unknown.
    """

    source: str = ""
    file: str = ""
    line: int = 0
    column: int = 0
    variable: str = ""
    url: str = ""

    def __str__(self) -> str:
        if self.variable:
            return f"${self.variable}{f' ({self.file})' if self.file else ''}"
        place = self.file or self.url
        return f"{place}:{self.line}:{self.column}" if place and self.line else place or self.source
