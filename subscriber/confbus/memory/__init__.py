"""A server in the memory of this process, for whoever wants no Redis: `memory:NAME`.

Everything above the connection is what it is over Redis. A forked child has a copy of it, which goes its own way.
"""

from __future__ import annotations

import threading
import weakref

from confbus.memory.server import MemoryServer

__all__ = ["MemoryServer", "server_at"]

_servers: weakref.WeakValueDictionary[str, MemoryServer] = weakref.WeakValueDictionary()
_lock = threading.Lock()


def server_at(url: str) -> MemoryServer:
    """The server at a `memory:` URL; it is there as long as somebody holds it."""
    with _lock:
        server = _servers.get(url)
        if server is None:
            server = _servers[url] = MemoryServer()
        return server
