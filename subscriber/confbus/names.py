"""Names and words of machines, processes and people that strangers may have chosen: short, and harmless to a
terminal."""

from __future__ import annotations

import os

_MOST = 200


def host_name() -> str:
    """What this machine is called in the fleet, in the lease and at the server: at most 64 printable characters of
    ASCII without a blank, which is all that a connection may be called."""
    name = os.uname().nodename[:64]
    return "".join(char if "!" <= char <= "~" else "?" for char in name) or "?"


def printable(text: str) -> str:
    """The first 200 characters of `text`, each that is no letter or sign as a question mark."""
    return "".join(char if char.isprintable() else "?" for char in text[:_MOST])


def plain(text: str) -> str:
    """`text` on one line, without anything that a terminal could take for a command."""
    return "".join(char if char.isprintable() else " " if char.isspace() else "?" for char in text)


def on_a_line(text: str, *, most: int = _MOST) -> str:
    """The beginning of `text`, as `plain` and with one blank between its words; at most so many characters."""
    return " ".join(plain(text).split())[:most]
