"""Where a plain Redis is: the URLs that need nothing but a socket, read as redis-py reads them.

What is not plain (TLS, options in the query, anything odd) has no `Address`: redis-py reads that one itself. What a URL
says beyond redis-py, `password_file=` and Valkey's names, is understood here for both.
"""

from __future__ import annotations

from confbus.errors import InvalidSettings
from confbus.wire.record import record

TYPE_CHECKING = False
if TYPE_CHECKING:
    import socket
    from typing import Any

_USER = r"(?:(?P<username>[^\s:@/?#\[\]]*)(?::(?P<password>[^\s@/?#\[\]]*))?@)?"
_DATABASE = r"(?:\?db=(?P<query>[0-9]{1,9}))?\Z"
_TCP = (
    rf"(?:redis|valkey)://{_USER}(?P<host>[A-Za-z0-9._-]*|\[[0-9A-Fa-f:.]+\])(?::(?P<port>[0-9]{{1,5}}))?(?:/(?P<database>[0-9]{{0,9}}))?"
    + _DATABASE
)
_UNIX = rf"unix://{_USER}(?P<path>/[^\s?#;]*)" + _DATABASE
_ESCAPES = rb"%([0-9A-Fa-f]{2})"
_FILE_OPTION = r"(?<=[?&])password_file=([^&#]*)&?"
_LOGIN = r"://[^/?#@]*:[^/?#@]+@|[?&]password="
_MAX_PORT = 65535
_MAX_DIGITS = 9
_MAX_PASSWORD = 64 * 1024
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3, "TCP_USER_TIMEOUT": 15_000}


@record(frozen=True, slots=True)
class Address:
    """A server on a socket, with who to be and which database to use there. A `path` is a unix socket's; a
    `password_file` stands in for the password."""

    path: str = ""
    host: str = "localhost"
    port: int = 6379
    database: int = 0
    username: str = ""
    password: str = ""
    password_file: str = ""

    def connect(self, timeout_s: float) -> socket.socket:
        """A connected socket. Raises `OSError`."""
        import socket

        if not self.path:
            # As bytes: a text goes through the codec for domain names, whose import takes longer than the connection.
            host: Any = self.host.encode()
            tcp = socket.create_connection((host, self.port), timeout_s)
            try:
                tcp.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                tcp.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
                for option, value in keepalive().items():
                    tcp.setsockopt(socket.IPPROTO_TCP, option, value)
            except BaseException:  # of a peer that is gone again
                tcp.close()
                raise
            return tcp
        unix = socket.socket(socket.AF_UNIX)
        try:
            unix.settimeout(timeout_s)
            unix.connect(self.path)
        except BaseException:
            unix.close()
            raise
        return unix

    def credentials(self) -> tuple[str, ...]:
        """What AUTH takes; nothing when the URL names nobody. Raises `ConnectionError` for a file that gives none."""
        password = read_password(self.password_file) if self.password_file else self.password
        if self.username:
            return (self.username, password)
        return (password,) if password else ()

    def __repr__(self) -> str:
        return f"Address({self.path or f'{self.host}:{self.port}'}, database={self.database})"


def plain(url: str) -> Address | None:
    """The address in a `redis://` or `unix://` URL; None for one that only redis-py can follow.

    Raises `InvalidSettings` for a password beside a file with one.
    """
    bare = _bare(url)
    if bare is not None:
        return bare
    import re

    url, password_file = split_password_file(url)
    parts = (re.match(_TCP, url) or re.match(_UNIX, url)) if url.isascii() else None
    if parts is None:
        return None
    found = {name: text for name, text in parts.groupdict().items() if text}
    port = int(found.get("port", 0)) or 6379
    if port > _MAX_PORT:
        return None
    return Address(
        path=unescaped(found.get("path", "")),
        host=found.get("host", "localhost").strip("[]").lower(),
        port=port,
        database=int(found.get("query") or found.get("database", 0)),
        username=unescaped(found.get("username", "")),
        password=unescaped(found.get("password", "")),
        password_file=password_file,
    )


def _bare(url: str) -> Address | None:
    """The address in a URL of a host, a port and a database at most, as most are; the rest takes patterns to read."""
    scheme, _, rest = url.partition("://")
    place, _, database = rest.partition("/")
    host, colon, port = place.partition(":")
    is_host = url.isascii() and host.replace(".", "").replace("-", "").isalnum()
    is_port = port.isdecimal() and len(port) <= len(str(_MAX_PORT)) if colon else True
    if scheme not in {"redis", "valkey"} or not is_host or not is_port or int(port or 0) > _MAX_PORT:
        return None
    if database and not (database.isdecimal() and len(database) <= _MAX_DIGITS):
        return None
    return Address(host=host.lower(), port=int(port or 0) or 6379, database=int(database or 0))


def split_password_file(url: str) -> tuple[str, str]:
    """The URL without its `password_file`, and the path of that; empty when there is none.

    Raises `InvalidSettings` when there is a password as well.
    """
    if "password_file=" not in url:
        return url, ""
    import re

    found = re.search(_FILE_OPTION, url)
    if found is None:
        return url, ""
    rest = (url[: found.start()] + url[found.end() :]).rstrip("?&")
    if re.search(_LOGIN, rest):
        reason = "it has a password, and a file with one"
        raise InvalidSettings("the Redis URL", reason, advice="Keep one of them.")
    return rest, unescaped(found[1])


def with_password_file(url: str, path: str) -> str:
    """The URL with `password_file=` of that path, which is read for each new connection."""
    import re

    escaped = re.sub(r"[^A-Za-z0-9._/~-]", lambda odd: "".join(f"%{byte:02X}" for byte in odd[0].encode()), path)
    return f"{url}{'&' if '?' in url else '?'}password_file={escaped}"


def read_password(path: str) -> str:
    """The password in a file, without the end of its line. Raises `ConnectionError` when there is none."""
    from confbus import small_file

    try:
        password = small_file.read(path, most_bytes=_MAX_PASSWORD)[0].decode().rstrip("\r\n")
    except (OSError, ValueError) as error:
        reason = (error.strerror if isinstance(error, OSError) else "") or "it is no text"
        raise ConnectionError(f"the password file {path} cannot be read: {reason}") from None
    if not password:
        raise ConnectionError(f"the password file {path} is empty")
    return password


def redacted(url: str) -> str:
    """The URL without its passwords, for messages. Of one that was not escaped nothing is shown up to the last @."""
    if "@" not in url and "?" not in url:
        return url
    import re

    url = re.sub(r"(?i)(password=)[^&]*", r"\1***", url)
    return re.sub(r"(?s)(://[^:/?#@]*):.*@", r"\1:***@", url)


def keepalive() -> dict[int, int]:
    """Socket options that find out about a peer that is gone within half a minute, as far as this system has them."""
    import socket

    return {getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)}


def unescaped(text: str) -> str:
    """A part of a URL as it is meant."""
    if "%" not in text:
        return text
    import re

    return re.sub(_ESCAPES, lambda escape: bytes([int(escape[1], 16)]), text.encode()).decode("utf-8", "replace")
