"""From a URL, or a client of the caller's, to connections: which kind, to which database, and which word subscribes."""

from __future__ import annotations

from confbus import importing
from confbus.address import plain, redacted, with_password_file
from confbus.errors import InvalidSettings
from confbus.wire.record import field, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from redis import Redis

    from confbus.connection import Connection
    from confbus.wire.keys import Keys


@record(frozen=True, slots=True)
class Dial:
    """How to reach one server. `open` makes a connection that is logged in and in its database; it takes the name for
    CLIENT LIST and raises whatever the way there raises. Subscribers whose dials have equal keys share connections."""

    key: Hashable = field(repr=False)  # A URL may hold a password.
    where: str  # without a password
    database: int
    open: Callable[[str], Connection]
    subscribe: str = "SUBSCRIBE"


def dialled(url: str, keys: Keys, *, password_file: str = "", client: Callable[[], Redis] | None = None) -> Dial:
    """The way to the namespace of `keys`, whose database counts for nothing, at `url` or where `client` leads.

    Raises `InvalidSettings` for what is no URL of a Redis, and for what cannot go together.
    """
    if client is not None:
        if url or password_file:
            reason = "a URL or a password_file stands beside it"
            raise InvalidSettings("client=", reason, advice="It knows the place and the login; give it alone.")
        return _client_of_theirs(client)
    if password_file:
        url = with_password_file(url, password_file)
    return _MAKERS.get(url.partition(":")[0].lower(), _one_server)(url, keys)


def _client_of_theirs(make: Callable[[], Redis]) -> Dial:
    """Where it connects to and how it logs in is theirs; protocol, retries and waits are confbus' own."""
    from confbus.borrowed import BorrowedConnection
    from confbus.client import checked, keys_of

    def open_one(name: str) -> Connection:
        return BorrowedConnection(checked(make()), name=name)

    return Dial(make, "the server of client=", keys_of(checked(make()), "any").database, open_one)


def _one_server(url: str, _keys: Keys) -> Dial:
    def open_one(name: str) -> Connection:
        with importing.guard:
            from confbus.server import open_server

        return open_server(url, name)

    address = plain(url)
    return Dial(url, redacted(url), address.database if address else _database_of(url), open_one)


def _database_of(url: str) -> int:
    from confbus.client import keys_of, single_client

    return keys_of(single_client(url), "any").database


def _in_memory(url: str, _keys: Keys) -> Dial:
    from confbus.memory import server_at

    return Dial(url, url, 0, server_at(url).open)


def _of_files(url: str, keys: Keys) -> Dial:
    """Merging and watching files is a publisher's work, which a worker does not depend on: it is found by its name."""
    from importlib.metadata import entry_points

    try:
        (found,) = entry_points(group="confbus.dials", name="file")
        make: Callable[[str, Keys], Dial] = found.load()
    except (ValueError, ImportError) as error:
        reason = "reading files takes the publisher's packages, which are not installed"
        raise InvalidSettings(f"the URL {url}", reason, advice="pip install 'confbus[publisher]'") from error
    return make(url, keys)


def _by_sentinels(url: str, _keys: Keys) -> Dial:
    from confbus.sentinels import Sentinels
    from confbus.topology import topology

    found = topology(url)
    return Dial(url, redacted(url), found.database, Sentinels(found).open_master)


def _in_cluster(url: str, keys: Keys) -> Dial:
    """Namespaces may be on different nodes, so only subscribers of the same one share connections."""
    from confbus.cluster import Cluster
    from confbus.topology import topology

    cluster = Cluster(topology(url), keys.head)
    return Dial((url, keys.head), redacted(url), 0, cluster.open_node, "SSUBSCRIBE")


_MAKERS: dict[str, Callable[[str, Keys], Dial]] = {
    "memory": _in_memory,
    "file": _of_files,
    "redis+sentinel": _by_sentinels,
    "rediss+sentinel": _by_sentinels,
    "valkey+sentinel": _by_sentinels,
    "valkeys+sentinel": _by_sentinels,
    "redis+cluster": _in_cluster,
    "rediss+cluster": _in_cluster,
    "valkey+cluster": _in_cluster,
    "valkeys+cluster": _in_cluster,
}
"""By the scheme of the URL; any other one is that of a single server, or of none."""
