"""What a link needs of a connection to Redis; `resp` and `borrowed` are the two kinds.

A connection belongs to one thread. Whatever it raises but `ErrorReply` means that it is of no use any more.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any, Protocol

TIMEOUT_S = 5.0
CONNECT_TIMEOUT_S = 3.0

Word = str | bytes | int
"""One part of a command."""


class ErrorReply(Exception):
    """The server said no; its words are the text. The connection is as good as before."""


if TYPE_CHECKING:

    class Connection(Protocol):
        """A connection that is made and logged in."""

        def send(self, *commands: Sequence[Word]) -> None:
            """Send commands in one go; `receive` gives their replies in order."""
            ...

        def receive(self) -> Any:
            """The next reply, waited for: bytes, int, None, a list, or an `ErrorReply` (returned, not raised)."""
            ...

        def has_more(self) -> bool:
            """True when more came with the last reply than that: no descriptor becomes ready for it."""
            ...

        def is_readable(self) -> bool:
            """True when there is something to receive, be it the news that the connection is of no use any more:
            closed, or to a server that is not the right one now."""
            ...

        def fileno(self) -> int:
            """The descriptor to wait on, unless `has_more`."""
            ...

        def close(self) -> None: ...


def ask(connection: Connection, *commands: Sequence[Word]) -> list[Any]:
    """The replies to commands. All are received before the first error among them is raised."""
    connection.send(*commands)
    replies = [connection.receive() for _ in commands]
    for reply in replies:
        if isinstance(reply, ErrorReply):
            raise reply
    return replies
