"""Where a publisher answers HTTP: `host:port`, as settings and the command line write it."""

from __future__ import annotations

import errno
import os
import socket
from dataclasses import dataclass

from confbus.errors import ListenFailed

FORM = "Write host:port, such as 127.0.0.1:9630, or [::]:9630 for every address of this machine."
_HIGHEST_PORT = 65_535
_BACKLOG = 128
_ADVICE = {
    errno.EADDRINUSE: "Stop what listens there, perhaps another `confbus run`, or name another port: --listen.",
    errno.EADDRNOTAVAIL: "Name an address of this machine: 127.0.0.1 for itself alone, 0.0.0.0 for everybody.",
    errno.EACCES: "Name a port above 1023.",
}


@dataclass(frozen=True, slots=True)
class Listen:
    """An address of this machine, or its name, and a port; 0 is any free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    def open(self) -> socket.socket:
        """A socket that listens there. Raises `ListenFailed`."""
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        is_both = self.host == "::" and socket.has_dualstack_ipv6()
        try:
            return socket.create_server((self.host, self.port), family=family, backlog=_BACKLOG, dualstack_ipv6=is_both)
        except OSError as error:
            number = error.errno or 0
            if number < 0:  # What the resolver says; `create_server` makes an OSError of it.
                raise ListenFailed(str(self), "there is no address of that name", advice=FORM) from error
            # Not `strerror`, to which Python adds what is said already.
            raise ListenFailed(str(self), os.strerror(number), advice=_ADVICE.get(number, "")) from error


def parse_listen(text: str) -> Listen | None:
    """What `host:port` means, an IPv6 address in brackets; None when it means nothing."""
    host, colon, port = text.strip().rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        return None
    is_port = port.isascii() and port.isdigit() and len(port) <= 5 and int(port) <= _HIGHEST_PORT
    is_host = bool(host) and host.isascii() and host.isprintable() and not set(host) & set(" /@?#[]")
    return Listen(host, int(port)) if colon and is_host and is_port else None
