"""One server: from its URL to a connection. A plain URL is followed over `resp`, without redis-py; any other one over
`borrowed`, with the same promises."""

from __future__ import annotations

from confbus import importing
from confbus.address import plain
from confbus.connection import TIMEOUT_S

TYPE_CHECKING = False
if TYPE_CHECKING:
    from confbus.connection import Connection


def open_server(url: str, name: str, *, timeout_s: float = TIMEOUT_S) -> Connection:
    """A connection that is logged in and in its database. `name` is for CLIENT LIST. Raises whatever the way there
    raises."""
    address = plain(url)
    if address is not None:
        with importing.guard:
            from confbus.resp import open_plain

        return open_plain(address, name=name, timeout_s=timeout_s)
    with importing.guard:
        from confbus.borrowed import BorrowedConnection
        from confbus.client import single_client

        client = single_client(url, timeout_s=timeout_s)  # which imports redis-py

    return BorrowedConnection(client, name=name)
