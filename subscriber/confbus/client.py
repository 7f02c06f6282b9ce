"""redis-py's client, with every default that matters set: for whatever needs more than a plain socket.

Importing it takes longer than everything else a worker does at its start, so nothing on a plain URL comes here.
"""

from __future__ import annotations

import importlib
import os
import re
from typing import TYPE_CHECKING, Any

from confbus.address import keepalive, read_password, split_password_file, unescaped
from confbus.connection import CONNECT_TIMEOUT_S, TIMEOUT_S
from confbus.errors import InvalidSettings
from confbus.wire.keys import Keys

if TYPE_CHECKING:
    from redis import Redis

_FILES = ("ssl_ca_certs", "ssl_certfile", "ssl_keyfile", "ssl_ca_path")


def make_client(url: str, *, timeout_s: float = TIMEOUT_S, name: str = "", namespace: str = "") -> Redis:
    """A client that finds the right server, and leaves it when it says that it is none any more: for Sentinels the
    master, in a Cluster the node of `namespace`. Raises as `single_client`."""
    from confbus.led import led, unled

    if "+" not in url.partition(":")[0]:
        client = single_client(url, timeout_s=timeout_s, name=name)
        pool: Any = client.connection_pool
        pool.connection_class = unled(pool.connection_class)
        return client
    from confbus.cluster import Cluster
    from confbus.sentinels import Sentinels
    from confbus.topology import topology

    found = topology(url)
    client = single_client(found.node_url(found.places[0]), timeout_s=timeout_s, name=name)
    pool = client.connection_pool
    if found.service:
        sentinels = Sentinels(found)
        pool.connection_class = led(pool.connection_class, sentinels.master, is_right=sentinels.still_name)
    else:
        cluster = Cluster(found, Keys(namespace or "any").head)
        pool.connection_class = led(
            pool.connection_class,
            cluster.node,
            is_right=lambda _place: True,  # a node that is not any more says so itself
            notice_word="SPUBLISH",
        )
    return client


def single_client(url: str, *, timeout_s: float = TIMEOUT_S, name: str = "") -> Redis:
    """A client of one server with every default that matters set: RESP2, no retries of its own, bytes, bounded waits.

    RESP3 would format each payload for a debug log (slow, and configuration in logs); redis-py's retries would run a
    script again that ran already. Raises `InvalidSettings` for a URL that redis-py cannot read.
    """
    import redis

    url, password_file = split_password_file(re.sub(r"\Avalkey(s?):", r"redis\1:", url))
    login: dict[str, Any] = {}
    if password_file:
        url, username = _split_username(url)
        login["credential_provider"] = _filed(password_file, username)
    try:
        client = redis.Redis.from_url(
            url,
            decode_responses=False,
            socket_timeout=timeout_s,
            socket_connect_timeout=min(timeout_s, CONNECT_TIMEOUT_S),
            client_name=name or None,
            **own_settings(name),
            **login,
            **({} if url.startswith("unix:") else {"socket_keepalive": True, "socket_keepalive_options": keepalive()}),
        )
        if "?" in url:
            # An option that no connection knows would else come to light as a TypeError of the first command.
            client.connection_pool.connection_class(**client.connection_pool.connection_kwargs)
    except (ValueError, TypeError) as error:
        reason = str(error)
        if "Port" in reason:  # It quotes what stands there, which is a password that was not escaped as often as not.
            reason = "its port is no number; write / and # in a password as %2F and %23"
        raise InvalidSettings("the Redis URL", reason, advice="e.g. redis://localhost:6379/0") from None
    _ensure_files(client)
    return client


def notice_word(client: Redis) -> str:
    """The command that sends notices where the client leads: a Cluster's nodes keep theirs to themselves."""
    return str(getattr(client.connection_pool.connection_class, "notice_word", "PUBLISH"))


def own_settings(name: str) -> dict[str, Any]:
    """What each connection of redis-py's has here, whoever made it; `name` is what it will be called, if anything."""
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    own: dict[str, Any] = {"protocol": 2, "retry": Retry(NoBackoff(), 0), "health_check_interval": 0}
    # Over TLS, redis-py takes a connection on which nothing was asked yet for one with an answer that nobody wants.
    return {**own, **_unintroduced()} if name else own


def checked(client: object) -> Redis:
    """A client of the caller's, when it is of the kind that can be followed. Raises `InvalidSettings` else."""
    import redis

    if isinstance(client, redis.Redis):
        return client
    kind = type(client)
    advice = "Return a redis.Redis; for a Cluster give its URL, redis+cluster://host:port."
    raise InvalidSettings("client=", f"it made a {kind.__module__}.{kind.__qualname__}", advice=advice)


def keys_of(client: Redis, namespace: str, *, prefix: str = "confbus") -> Keys:
    """The keys of a namespace in the client's database. Raises `InvalidNamespace`."""
    settings: dict[str, Any] = client.connection_pool.connection_kwargs
    return Keys(namespace, int(settings.get("db") or 0), prefix)


def _unintroduced() -> dict[str, Any]:
    """What keeps redis-py from telling its own name: a user who may not say it would stand in ACL LOG each time."""
    try:
        importlib.import_module("redis.driver_info")
    except ImportError:  # before redis-py 7.2
        return {"lib_name": None, "lib_version": None}
    return {"driver_info": None}


def _ensure_files(client: Redis) -> None:
    """redis-py would say of a file that is not there no more than that."""
    settings: dict[str, Any] = client.connection_pool.connection_kwargs
    for option in _FILES:
        path = settings.get(option)
        if path and not os.path.exists(path):  # noqa: PTH110 — pathlib is an import that no start needs
            reason = f"{option} names {path}, which is not there"
            raise InvalidSettings("the Redis URL", reason, advice="Mend the path, or put the file there.")


def _split_username(url: str) -> tuple[str, str]:
    """The URL without its user, who logs in with what a file says."""
    found = re.match(r"(\w+://)([^/?#@:]*):?@", url)
    return (found[1] + url[found.end() :], unescaped(found[2])) if found else (url, "")


def _filed(path: str, username: str) -> Any:
    """What gives redis-py the password in a file, read for each new connection."""
    from redis.credentials import CredentialProvider
    from redis.exceptions import ConnectionError as RedisConnectionError

    class Filed(CredentialProvider):
        def get_credentials(self) -> tuple[str] | tuple[str, str]:
            try:
                password = read_password(path)
            except ConnectionError as error:
                raise RedisConnectionError(str(error)) from None
            return (username, password) if username else (password,)

    return Filed()
