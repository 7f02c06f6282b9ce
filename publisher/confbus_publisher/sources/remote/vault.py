"""A secret in Vault's KV store, version 2, as a source."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from confbus.errors import InvalidSettings, SourceFailed
from confbus.wire.frozen import Frozen
from confbus_publisher.formats.json import read_json
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.formats.text import decode
from confbus_publisher.formats.tree import paths
from confbus_publisher.layer import deletions
from confbus_publisher.origin import Origin
from confbus_publisher.sources.remote.address import Address, parse_address
from confbus_publisher.sources.remote.answer import LIMIT_BYTES, OK
from confbus_publisher.sources.remote.answer_cache import AnswerCache
from confbus_publisher.sources.remote.remote import INTERVAL_S, Reading, RemoteSource
from confbus_publisher.sources.remote.request import TIMEOUT_S, Request, SecretFile, SecretVariable, checked_headers
from confbus_publisher.sources.remote.tls import SYSTEM_TLS, Tls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from confbus_publisher.sources.remote.answer import Answer

_TOKEN = "x-vault-token"  # noqa: S105 — the name of a header
_NOTHING = 404
_EXCUSES = {
    400: ("it does not understand the request", "Check the path and the namespace."),
    403: ("it forbids this", "Is the token valid, and may it read this path?"),
    503: ("it is sealed, or down for maintenance", "Unseal it."),
}


class VaultSource(RemoteSource):
    """The newest version of the secret at `path`: `secret/data/app`, or `app` with the `mount` `secret`.

    The token is `token`, or what `token_file` says at each request (an agent may renew it), or the variable
    VAULT_TOKEN. The rest is as with `HttpSource`; without a `cache` nothing is written to disk. Raises
    `InvalidSettings` for what could never be asked.
    """

    kind = "vault"

    def __init__(
        self,
        path: str,
        *,
        address: str,
        mount: str = "",
        namespace: str = "",
        token: str = "",
        token_file: Path | None = None,
        timeout_s: float = TIMEOUT_S,
        interval_s: float = INTERVAL_S,
        priority: int = 0,
        name: str = "",
        limit_bytes: int = LIMIT_BYTES,
        tls: Tls = SYSTEM_TLS,
        cache: Path | None = None,
        interpolate: bool = False,
        delete: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name or f"vault:{path}"
        try:
            request = Request(
                address=secret_address(address, path, mount=mount),
                headers=vault_headers(token=token, namespace=namespace),
                secret=None if token else SecretFile(token_file, _TOKEN) if token_file else _OF_THE_ENVIRONMENT,
                timeout_s=timeout_s,
                limit_bytes=limit_bytes,
                tls=tls,
            )
        except Unfit as unfit:
            raise InvalidSettings(self.name, unfit.reason, advice=unfit.advice) from None
        super().__init__(
            request,
            name=self.name,
            priority=priority,
            interpolates=interpolate,
            deletes=deletions(delete),
            interval_s=interval_s,
            cache=AnswerCache(cache, request) if cache else None,
            clock=clock,
        )

    def _read(self, answer: Answer) -> Reading:
        if answer.status != OK:
            raise self._excuse(answer)
        shown = self._request.address.shown
        said = read_json(decode(answer.body, origin_name=shown), origin_name=shown)
        tree, metadata = _member(said, "data", "data"), _member(said, "data", "metadata")
        if not isinstance(tree, Frozen) or not isinstance(metadata, Frozen):
            raise Unfit("this is no answer of a KV store, version 2", "Check the path, and the version of the mount.")
        here = Origin(url=shown)
        return Reading(tree, dict.fromkeys(paths(tree), here))

    def _excuse(self, answer: Answer) -> Unfit:
        if answer.status == _NOTHING:
            return self._nothing(answer)
        reason, advice = _EXCUSES.get(answer.status, ("this is no secret", "Check the address, and Vault's health."))
        return Unfit(f"it answers {answer.status}: {reason}", advice)

    def _nothing(self, answer: Answer) -> Unfit:
        """Vault answers alike for a path without a secret and for one whose newest version was taken back."""
        try:
            metadata = _member(read_json(answer.body.decode(), origin_name=""), "data", "metadata")
        except (SourceFailed, UnicodeDecodeError):
            metadata = None
        version = _member(metadata, "version")
        if not isinstance(version, int):
            return Unfit("there is no secret at this path", "Check path and mount; KV version 2 has /data/ after it.")
        how = "destroyed" if _member(metadata, "destroyed") is True else "deleted"
        return Unfit(f"its newest version, {version}, was {how}", "Write a new one, or undelete it.")


def secret_address(address: str, path: str, *, mount: str = "") -> Address:
    """Where the API has the secret. Raises `Unfit` when it cannot be told which mount `path` is in."""
    path = path.strip("/")
    if not mount:
        mount, _, path = path.removeprefix("v1/").partition("/data/")
    steps = [*mount.strip("/").split("/"), *path.split("/")]
    if not all(steps) or {".", ".."} & set(steps):
        raise Unfit("the path names no secret of a KV store, version 2", "Write secret/data/app, or app and `mount:`.")
    if "?" in address or "#" in address:
        raise Unfit("the address holds more than scheme, host, port and path", "Write https://vault.example.com:8200.")
    target = quote(f"{mount.strip('/')}/data/{path}", safe="/")
    return parse_address(f"{address.rstrip('/')}/v1/{target}")


def vault_headers(*, token: str, namespace: str) -> dict[str, str]:
    """What each request says. Raises `Unfit`, showing no value."""
    named = {"x-vault-request": "true", "x-vault-namespace": namespace, _TOKEN: token}
    return checked_headers({name: value for name, value in named.items() if value})


_OF_THE_ENVIRONMENT = SecretVariable("VAULT_TOKEN", _TOKEN)


def _member(value: Any, *keys: str) -> Any:
    """What is under `keys`, or None when that is nowhere."""
    for key in keys:
        value = value.get(key) if isinstance(value, Frozen) else None
    return value
