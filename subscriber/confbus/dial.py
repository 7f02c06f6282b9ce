"""From a URL to connections: which kind of connection, to which database, and which word subscribes there.

A plain URL is followed over `resp`, without redis-py; any other one over `borrowed`, with the same promises.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus.address import plain

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from confbus.connection import Connection


@dataclass(frozen=True, slots=True)
class Dial:
    """How to reach one server. `open` makes a connection that is logged in and in its database; it takes the name for
    CLIENT LIST and raises whatever the way there raises. Subscribers whose dials have equal keys share connections."""

    key: Hashable
    database: int
    open: Callable[[str], Connection]
    subscribe: str = "SUBSCRIBE"


def dialled(url: str) -> Dial:
    """The way to the server at `url`. Raises `InvalidSettings` for what is no URL of a Redis."""
    address = plain(url)
    if address is not None:
        from confbus.resp import open_plain

        return Dial(url, address.database, lambda name: open_plain(address, name=name))
    from confbus.borrowed import BorrowedConnection
    from confbus.client import keys_of, make_client

    # redis-py gives a connection its name when the client is made: one client for each name.
    client = make_client(url)
    return Dial(url, keys_of(client, "any").database, lambda name: BorrowedConnection(make_client(url, name=name)))
