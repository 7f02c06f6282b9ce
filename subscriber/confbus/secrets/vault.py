"""`vault:mount/data/path#field`: secrets of HashiCorp Vault, or of what speaks like it, asked for over HTTP.

VAULT_ADDR says where it is; VAULT_TOKEN_FILE, read at each request, or VAULT_TOKEN who asks; VAULT_NAMESPACE and
VAULT_CACERT count as they do for Vault's own tools. Certificates are checked, and no redirect is followed.
"""

from __future__ import annotations

import json
import os
import ssl
from http.client import HTTPException
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import quote, urlsplit

from confbus import small_file
from confbus.line import Line
from confbus.secrets.unresolved import Unresolved
from confbus.wire.frozen import is_mapping

if TYPE_CHECKING:
    from collections.abc import Mapping

"localhost".encode("idna")  # looking up a name would import the codec else, in a thread, at any moment

DEADLINE_S = 5.0
MAX_BYTES = 1024 * 1024
_MAX_TOKEN = 16 * 1024
_EXCUSES = {
    400: "it does not understand the request: check the path",
    403: "it forbids this: is the token valid, and may it read this path?",
    404: "there is no secret at this path",
    429: "it is busy, or a standby",
    503: "it is sealed, or down for maintenance",
}


class Secret(NamedTuple):
    """The fields at one path, and for how many seconds they are good (0: nobody says)."""

    fields: Mapping[str, Any]
    lease_s: float = 0.0

    def field(self, name: str) -> Any:
        """Raises `Unresolved` when there is none, or one that is no single value."""
        value = self.fields.get(name)
        if not isinstance(value, str | int | float):
            raise Unresolved(f"there is no single value in the field {name!r}")
        return value


def fetch(path: str, *, deadline_s: float = DEADLINE_S) -> Secret:
    """The secret at `path`, whole, within `deadline_s`. Raises `Unresolved` without any secret."""
    address = os.environ.get("VAULT_ADDR", "")
    if not address:
        raise Unresolved("the variable VAULT_ADDR is not set here", is_final=True)
    with Line(deadline_s) as line:
        try:
            status, body = _asked(line, address, path)
        except (OSError, HTTPException, ValueError) as error:
            raise _failure(error, line, deadline_s) from None
        if line.is_cut:  # a body without a length just ends then
            raise _failure(TimeoutError(), line, deadline_s)
    return _secret(status, body)


def _asked(line: Line, address: str, path: str) -> tuple[int, bytes]:
    scheme, host, port, prefix = _parted(address)
    connection = line.connection(host, port, _tls() if scheme == "https" else None)
    try:
        connection.request("GET", f"{prefix}/v1/{quote(path, safe='/')}", headers=_headers())
        with connection.getresponse() as response:
            return response.status, response.read(MAX_BYTES + 1)
    finally:
        connection.close()


def _failure(error: OSError | HTTPException | ValueError, line: Line, deadline_s: float) -> Unresolved:
    if line.is_cut or isinstance(error, TimeoutError):
        return Unresolved(f"the vault did not answer within {deadline_s:.1f} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unresolved(f"the vault's certificate is refused: {error.verify_message}")
    if isinstance(error, ssl.SSLError):
        return Unresolved(f"the vault speaks no TLS that is known here ({error.reason})")
    if isinstance(error, OSError):
        return Unresolved(f"the vault is unreachable: {error.strerror or type(error).__name__}")
    return Unresolved(f"the vault speaks no HTTP ({type(error).__name__})")


def _secret(status: int, body: bytes) -> Secret:
    if status != 200:
        raise Unresolved(f"the vault answers {status}: {_EXCUSES.get(status, 'it does not give the secret')}")
    if len(body) > MAX_BYTES:
        raise Unresolved(f"the vault answers with more than {MAX_BYTES:,} bytes")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise Unresolved("the vault answers with no JSON") from None
    found = said.get("data") if is_mapping(said) else None
    if not is_mapping(found):
        raise Unresolved("the vault answers without a secret")
    inner = found.get("data")
    if "metadata" in found and is_mapping(inner):  # the second version of its key-value store wraps once more
        return Secret(inner)
    lease_s = said.get("lease_duration")
    if not said.get("lease_id") or not isinstance(lease_s, int | float):
        return Secret(found)
    return Secret(found, max(0.0, float(lease_s)))


def _parted(address: str) -> tuple[str, str, int, str]:
    try:
        parts = urlsplit(address)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = urlsplit(""), None, None
    if parts.scheme not in {"http", "https"} or not host or parts.query or parts.fragment or parts.username:
        raise Unresolved("VAULT_ADDR is no address such as https://vault.example.com:8200", is_final=True)
    return parts.scheme, host, port or (443 if parts.scheme == "https" else 80), parts.path.rstrip("/")


def _headers() -> dict[str, str]:
    namespace = os.environ.get("VAULT_NAMESPACE", "")
    more = {"x-vault-namespace": namespace} if namespace else {}
    return {"x-vault-token": _token(), "x-vault-request": "true", "connection": "close", **more}


def _token() -> str:
    file = os.environ.get("VAULT_TOKEN_FILE", "")
    name = "the file that VAULT_TOKEN_FILE names" if file else "the variable VAULT_TOKEN"
    text = os.environ.get("VAULT_TOKEN", "")
    if file:
        try:
            text = small_file.read(file, most_bytes=_MAX_TOKEN)[0].decode("ascii", "replace")
        except OSError as error:
            raise Unresolved(f"{name} is unreadable: {error.strerror or type(error).__name__}") from None
    token = text.strip()
    if not token or len(token) > _MAX_TOKEN or not all("!" <= char <= "~" for char in token):
        raise Unresolved(f"there is no token in {name}")
    return token


def _tls() -> ssl.SSLContext:
    authorities = os.environ.get("VAULT_CACERT") or None
    try:
        return ssl.create_default_context(cafile=authorities)
    except (OSError, ValueError):
        raise Unresolved("the authorities that VAULT_CACERT names are of no use") from None
