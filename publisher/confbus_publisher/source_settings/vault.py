"""`vault:`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confbus_publisher.source_settings.kind import Kind
from confbus_publisher.source_settings.remote import KEYS, RemoteTerms, checked, optional_path, read_terms

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus_publisher.entry import Entry
    from confbus_publisher.sources.remote.vault import VaultSource


@dataclass(frozen=True, slots=True, kw_only=True)
class VaultSettings:
    """`vault:`."""

    path: str
    name: str
    priority: int
    address: str = field(repr=False)
    mount: str
    namespace: str
    token: str = field(repr=False)
    token_file: Path | None
    terms: RemoteTerms

    def build(self) -> VaultSource:
        from confbus_publisher.sources.remote.vault import VaultSource

        return VaultSource(
            self.path,
            name=self.name,
            priority=self.priority,
            address=self.address,
            mount=self.mount,
            namespace=self.namespace,
            token=self.token,
            token_file=self.token_file,
            **self.terms.options(),
        )


def _read(entry: Entry, base: Path) -> Iterator[VaultSettings]:
    from confbus_publisher.sources.remote.address import parse_address
    from confbus_publisher.sources.remote.vault import secret_address, vault_headers

    path, address = entry.text("vault"), entry.text("address")
    mount, namespace = entry.text("mount", default=""), entry.text("namespace", default="")
    token, token_file = entry.text("token", default=""), optional_path(entry, "token_file", base)
    checked(entry, "address", lambda: parse_address(address))
    checked(entry, "vault", lambda: secret_address(address, path, mount=mount))
    checked(entry, "namespace", lambda: vault_headers(token="", namespace=namespace))
    checked(entry, "token", lambda: vault_headers(token=token, namespace=""))
    if token and token_file:
        raise entry.refuse("there are two tokens", "Keep `token:` or `token_file:`.", at="token")
    yield VaultSettings(
        path=path,
        name=entry.text("name", default=f"vault:{path}"),
        priority=entry.whole("priority", default=0),
        address=address,
        mount=mount,
        namespace=namespace,
        token=token,
        token_file=token_file,
        terms=read_terms(entry, base, cache=None),
    )


KINDS = {"vault": Kind((*KEYS, "address", "mount", "namespace", "token", "token_file"), _read)}
