"""A Redis of one's own, for development, demos and tests: nothing to install, nothing to stop.

`start()` gives a throwaway server; `attach_or_start(directory)` one that keeps its data, shared by all who
name that directory. Neither outlives its owner, however that ends. Production has a server of its own.
"""

from confbus_publisher.embedded.binary import find_binary
from confbus_publisher.embedded.server import EmbeddedServer, attach_or_start, running_url, start

__all__ = ["EmbeddedServer", "attach_or_start", "find_binary", "running_url", "start"]
