"""The embedded server as a publisher lives with it: owned or another's, gone at times, always at the same URL.

A server's socket is in a directory of its own, which goes with it. A link beside the data leads to the socket of
whichever server has the data now: with that as its URL a worker outlives every change of the owner.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from confbus_publisher import embedded
from confbus_publisher.embedded.home import LONGEST_SOCKET_PATH, SOCKET

if TYPE_CHECKING:
    from confbus_publisher.embedded import EmbeddedServer


class Attachment:
    """The server that keeps its data in `directory`, started if there is none. Raises `EmbeddedFailed`.

    `url` may change in `renew`. Not thread-safe.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._server: EmbeddedServer | None = None
        self.url = self._attach()

    @property
    def is_owner(self) -> bool:
        """True when the server ends with this process."""
        return self._server is not None and self._server.owned

    def renew(self) -> bool:
        """Attach again, or start the next server, when the one that was there is gone; True when that was so."""
        if self._server is not None and embedded.running_url(self.directory) == self._server.url:
            return False
        self.close()
        self.url = self._attach()
        return True

    def close(self) -> None:
        """End the server if it is owned, its data on disk."""
        server, self._server = self._server, None
        if server is not None:
            server.stop()

    def _attach(self) -> str:
        self._server = embedded.attach_or_start(self.directory)
        if self._server.owned:
            _point(self.directory / SOCKET, Path(_socket(self._server.url)))
        return _stable(self.directory, self._server.url)


def running_url(directory: Path) -> str | None:
    """The URL of the server that keeps its data in `directory`, the lasting one where there is one, or None."""
    url = embedded.running_url(directory)
    return url and _stable(directory, url)


def _stable(directory: Path, url: str) -> str:
    """The URL of the link, when it leads to the socket of `url` and is short enough to connect to; else `url`."""
    link = directory / SOCKET
    is_short = len(os.fsencode(link)) <= LONGEST_SOCKET_PATH
    is_right = link.is_symlink() and os.fspath(link.readlink()) == _socket(url)
    return f"unix://{quote(str(link))}?db=0" if is_short and is_right else url


def _point(link: Path, socket: Path) -> None:
    draft = link.with_suffix(f".{os.getpid()}.new")
    draft.unlink(missing_ok=True)
    draft.symlink_to(socket)
    draft.replace(link)


def _socket(url: str) -> str:
    return unquote(urlsplit(url).path)
