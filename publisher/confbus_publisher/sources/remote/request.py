"""What a source asks of a server, each time the same."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from confbus_publisher.formats.limits import Unfit
from confbus_publisher.sources.content import read_content
from confbus_publisher.sources.remote.answer import LIMIT_BYTES
from confbus_publisher.sources.remote.tls import SYSTEM_TLS, Tls

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from confbus_publisher.sources.remote.address import Address

METHODS = ("GET", "POST")
TIMEOUT_S = 10.0

_MOST_OF_TOKEN = 16 * 1024
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_VALUE = re.compile(r"[\t\x20-\x7e\xa0-\xff]{0,16384}")
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_OURS = frozenset({"accept-encoding", "connection", "content-length", "host", "transfer-encoding"})
_ACCEPT = "application/json, application/yaml, application/toml, text/*;q=0.9, */*;q=0.5"


class Secret(Protocol):
    """A header that is looked up at each request, because its value changes."""

    def header(self) -> dict[str, str]:
        """The header as it is now. Raises `Unfit` when it cannot be had."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """`headers`, and the `secret` one, are seen by the address' own site alone.

    Names of headers are in lower case. `timeout_s` is for everything together: retries, redirects, the body.
    """

    address: Address
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secret: Secret | None = None
    timeout_s: float = TIMEOUT_S
    limit_bytes: int = LIMIT_BYTES
    redirects: bool = False
    tls: Tls = SYSTEM_TLS

    def public_headers(self) -> dict[str, str]:
        """What any server may see that a redirect leads to."""
        return {
            "accept": self.headers.get("accept", _ACCEPT),
            "accept-encoding": "gzip",
            "connection": "close",
            "user-agent": self.headers.get("user-agent", "confbus"),
        }

    def own_headers(self) -> dict[str, str]:
        """What only the address' own site may see. Raises `Unfit` when the secret cannot be had."""
        secret = self.secret.header() if self.secret else {}
        return {**self.address.credentials, **self.headers, **secret}


@dataclass(frozen=True, slots=True)
class SecretFile:
    """A token that rotates in a file; `scheme` goes before it."""

    path: Path
    name: str
    scheme: str = ""

    def header(self) -> dict[str, str]:
        """The header as the file says it now. Raises `Unfit`, naming the file."""
        try:
            secret = (read_content(self.path, most_bytes=_MOST_OF_TOKEN) or b"").decode("ascii").strip()
        except Unfit as unfit:
            reason = unfit.reason.removeprefix("unreadable: ")
            raise Unfit(f"the token in {self.path} is unreadable: {reason}", "Check the file.") from None
        except ValueError:
            raise Unfit(f"the token in {self.path} is unreadable: it is no ASCII text", "Check the file.") from None
        if not _TOKEN.fullmatch(secret):
            raise Unfit(f"there is no token in {self.path}", "Write the token, and nothing else, into it.")
        return {self.name: f"{self.scheme} {secret}".lstrip()}


@dataclass(frozen=True, slots=True)
class SecretVariable:
    """A token in a variable of the environment."""

    variable: str
    name: str

    def header(self) -> dict[str, str]:
        """The header. Raises `Unfit`, naming the variable."""
        secret = os.environ.get(self.variable, "")
        if not _TOKEN.fullmatch(secret):
            raise Unfit(f"there is no token in the variable {self.variable}", "Set it, or name a file with the token.")
        return {self.name: secret}


def check_credentials(address: Address, headers: Mapping[str, str], *, has_secret: bool) -> None:
    """Raises `Unfit` when it is said in two ways who is asking."""
    if sum((bool(address.user), "authorization" in headers, has_secret)) > 1:
        raise Unfit("there are several credentials: in the URL, in a header or in a file", "Keep one of them.")


def checked_method(method: str) -> str:
    """`method` in capitals. Raises `Unfit` for one that does not ask for a document."""
    if method.upper() not in METHODS:
        raise Unfit("the method does not ask for a document", f"Use {' or '.join(METHODS)}.")
    return method.upper()


def checked_headers(headers: Mapping[str, str]) -> dict[str, str]:
    """`headers` under their names in lower case. Raises `Unfit`, showing no value, for what could break a request."""
    checked: dict[str, str] = {}
    for name, value in headers.items():
        if not _NAME.fullmatch(name):
            raise Unfit(f"{name!r} is no name of a header", "Use letters, digits and dashes.")
        if name.lower() in _OURS:
            raise Unfit(f"the header {name} is made by confbus itself", "Remove it.")
        if name.lower() in checked:
            raise Unfit(f"the header {name} is there twice", "Remove one of them.")
        if not _VALUE.fullmatch(value):
            raise Unfit(f"the value of the header {name} holds a line break or a strange character", "Mend it.")
        checked[name.lower()] = value.strip()
    return checked
