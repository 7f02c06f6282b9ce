"""The URL of a remote source, taken apart once: what is connected to, what is asked for, and what may be shown."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field
from urllib.parse import SplitResult, quote, unquote, urljoin, urlsplit

from confbus_publisher.formats.limits import Unfit

_PORTS = {"http": 80, "https": 443}
_IN_PATH = "/%:@!$&'()*+,;=~-._"
_HIDDEN = "***"
_LONGEST_HOST = 253


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """Where an http or https URL leads. Only `shown` is for messages: it has no password and no value of the query."""

    scheme: str
    host: str
    port: int
    target: str = field(repr=False)
    user: str = field(repr=False)
    path: str
    shown: str

    def __str__(self) -> str:
        return self.shown

    def __repr__(self) -> str:
        return f"Address({self.shown!r})"

    @property
    def site(self) -> tuple[str, str, int]:
        """What may see the headers of a request: scheme, host and port."""
        return self.scheme, self.host, self.port

    @property
    def authority(self) -> str:
        """Host and port as the Host header has them."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def credentials(self) -> dict[str, str]:
        """The header for the `user:password@` of the URL, if it has one."""
        if not self.user:
            return {}
        return {"authorization": f"Basic {base64.b64encode(unquote(self.user).encode()).decode()}"}

    def join(self, location: str) -> Address:
        """Where a redirect from here leads. Raises `Unfit`."""
        try:
            url = urljoin(f"{self.scheme}://{self.authority}{self.target}", location)
        except ValueError:
            raise _no_url() from None
        return parse_address(url)


def parse_address(url: str) -> Address:
    """Raises `Unfit`, showing nothing of the URL, for what is no http or https URL."""
    if any(ord(character) <= 0x20 or ord(character) == 0x7F for character in url):
        raise Unfit("the URL holds a blank or a control character", "Write it as %20, or remove it.")
    try:
        parts = urlsplit(url)
        port, host = parts.port, _ascii(parts.hostname or "")
    except ValueError:
        raise _no_url() from None
    if parts.scheme not in _PORTS:
        scheme = f"{parts.scheme}:" if parts.scheme else "a URL without a scheme"
        raise Unfit(f"{scheme} is not fetched", "Use http:// or https://.")
    if not host or port == 0:
        raise Unfit("the URL names no host", "Write http://host/path or https://host/path.")
    path = quote(parts.path or "/", safe=_IN_PATH)
    query = quote(parts.query, safe=_IN_PATH + "?")
    return Address(
        scheme=parts.scheme,
        host=host,
        port=port or _PORTS[parts.scheme],
        target=f"{path}?{query}" if query else path,
        user=parts.netloc.rpartition("@")[0],
        path=path,
        shown=_shown(parts, host, path),
    )


def _no_url() -> Unfit:
    return Unfit("this is no URL", "Write http://host/path or https://host/path.")


def _ascii(host: str) -> str:
    """The host as it is looked up. Raises `ValueError` for one that no name service could know."""
    if len(host) > _LONGEST_HOST:  # encoding it would take time quadratic in its length
        raise ValueError
    return host if ":" in host else host.encode("idna").decode()


def _shown(parts: SplitResult, host: str, path: str) -> str:
    place = f"[{host}]" if ":" in host else host
    port = f":{parts.port}" if parts.port else ""
    hidden = "&".join(
        f"{name}={_HIDDEN}" if is_named else _HIDDEN
        for name, is_named, _ in (each.partition("=") for each in parts.query.split("&") if each)
    )
    return f"{parts.scheme}://{place}{port}{path}{'?' if hidden else ''}{hidden}"
