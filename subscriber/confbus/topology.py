"""URLs of several servers, one of which is the right one: the master that Sentinels name, or a Cluster's node."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from confbus.errors import InvalidSettings

_URL = re.compile(
    r"(?P<scheme>rediss?|valkeys?)\+(?P<kind>sentinel|cluster)://(?:(?P<who>[^\s/?#@]*)@)?(?P<hosts>[^\s/?#@]+)"
    r"(?P<path>/[^\s?#@]*)?(?:\?(?P<options>[^\s#]*))?\Z"
)
_HOST = re.compile(r"(?P<host>[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{1,5}))?\Z")
_PORTS = {"sentinel": 26379, "cluster": 6379}
_MAX_PORT = 65535
_EXAMPLES = {
    "sentinel": "redis+sentinel://host-1:26379,host-2:26379/service/0",
    "cluster": "redis+cluster://host-1:6379,host-2:6379",
}

Place = tuple[str, int]
"""Host and port."""


@dataclass(frozen=True, slots=True)
class Topology:
    """Where to ask, and how to reach whoever is named there. Each server has a URL of its own, so that whatever a URL
    may say holds for it: the login, TLS and its certificates, limits."""

    places: tuple[Place, ...]
    service: str
    database: int
    _scheme: str
    _who: str = field(repr=False)
    _options: str = field(repr=False)
    _sentinel_who: str = field(repr=False)
    _sentinel_options: str = field(repr=False)

    def node_url(self, place: Place) -> str:
        """The URL of a server that keeps data."""
        options = f"?{self._options}" if self._options else ""
        return f"{self._scheme}://{self._who}{_written(place)}/{self.database}{options}"

    def sentinel_url(self, place: Place) -> str:
        """The URL of a Sentinel."""
        options = f"?{self._sentinel_options}" if self._sentinel_options else ""
        return f"{self._scheme}://{self._sentinel_who}{_written(place)}{options}"

    def __str__(self) -> str:
        return ", ".join(map(_written, self.places))


def topology(url: str) -> Topology:
    """What a URL of several servers says. Raises `InvalidSettings`."""
    kind = "cluster" if "+cluster:" in url.lower() else "sentinel"
    found = _URL.match(url)
    if found is None:
        raise _wrong("it cannot be read; write / and # in a password as %2F and %23", kind)
    options = [option for option in (found["options"] or "").split("&") if option]
    theirs = [option for option in options if option.startswith("sentinel_")]
    ours = [option for option in options if option not in theirs]
    service, database = _path(found["path"] or "", kind)
    sentinel_who, sentinel_options = _login(theirs)
    return Topology(
        places=tuple(_place(text, kind) for text in found["hosts"].split(",")),
        service=service,
        database=database,
        _scheme=found["scheme"],
        _who=f"{found['who']}@" if found["who"] else "",
        _options="&".join(ours),
        _sentinel_who=sentinel_who,
        _sentinel_options="&".join([*(each for each in ours if not _is_login(each)), *sentinel_options]),
    )


def _path(path: str, kind: str) -> tuple[str, int]:
    """The service and the number of the database."""
    service, _, database = path.removeprefix("/").partition("/") if kind == "sentinel" else ("", "", path.strip("/"))
    if kind == "sentinel" and not service:
        raise _wrong("it names no service", kind)
    if not re.fullmatch(r"[0-9]{0,9}", database):
        raise _wrong("its database is no number", kind)
    if kind == "cluster" and int(database or 0):
        raise _wrong("a Cluster has database 0 alone", kind)
    return service, int(database or 0)


def _place(text: str, kind: str) -> Place:
    found = _HOST.match(text)
    port = int((found and found["port"]) or _PORTS[kind])
    if found is None or port > _MAX_PORT:
        raise _wrong("its hosts cannot be read", kind)
    return found["host"].strip("[]"), port


def _login(options: list[str]) -> tuple[str, list[str]]:
    """Who to be for the Sentinels: the part of a URL before the host, and the options that say more."""
    given: dict[str, str] = {}
    for option in options:
        name, _, value = option.removeprefix("sentinel_").partition("=")
        given[name] = value
    unknown = given.keys() - {"username", "password", "password_file"}
    if unknown:
        raise _wrong(f"the option sentinel_{min(unknown)} is not known", "sentinel")
    file = [f"password_file={given['password_file']}"] if "password_file" in given else []
    username, password = given.get("username", ""), given.get("password", "")
    return (f"{username}:{password}@" if username or password else ""), file


def _is_login(option: str) -> bool:
    return option.partition("=")[0] in {"username", "password", "password_file", "db"}


def _written(place: Place) -> str:
    host, port = place
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _wrong(reason: str, kind: str) -> InvalidSettings:
    return InvalidSettings("the Redis URL", reason, advice=f"e.g. {_EXAMPLES[kind]}")
