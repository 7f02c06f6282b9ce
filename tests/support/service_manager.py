"""What systemd is to a service: a socket that hears datagrams."""

from __future__ import annotations

import socket

from support.eventually import eventually


class ServiceManager:
    """Starts nothing, and listens at `name`, which begins with an @ in the abstract namespace."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.bind(name.replace("@", "\0"))
        self._socket.setblocking(False)

    def heard(self) -> list[list[str]]:
        """The lines of each datagram since the last time."""
        heard: list[list[str]] = []
        while True:
            try:
                heard.append(self._socket.recv(4096).decode().split("\n"))
            except BlockingIOError:
                return heard

    def hears(self, text: str) -> list[str]:
        """Wait until a line begins like that; gives its datagram."""

        def datagram() -> list[str]:
            found = (lines for lines in self.heard() if any(line.startswith(text) for line in lines))
            return next(found, list[str]())

        return eventually(datagram)

    def close(self) -> None:
        self._socket.close()
