"""A stand-in for Vault that speaks what its KV store, version 2, speaks to a reader."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from support.http_server import says

if TYPE_CHECKING:
    from support.http_server import Talk

_CREATED = "2025-11-24T10:00:0{}.123456789Z"


@dataclass(slots=True)
class Secret:
    """The versions of one secret, oldest first."""

    versions: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])

    def put(self, data: dict[str, Any]) -> None:
        number = len(self.versions) + 1
        metadata = {
            "created_time": _CREATED.format(number),
            "custom_metadata": None,
            "deletion_time": "",
            "destroyed": False,
            "version": number,
        }
        self.versions.append({"data": data, "metadata": metadata})

    def take_back(self, *, destroy: bool = False) -> None:
        """Delete the newest version, in a way that can be undone or not."""
        newest = self.versions[-1]
        newest["data"] = None
        newest["metadata"] |= {"deletion_time": _CREATED.format(9), "destroyed": destroy}


@dataclass(slots=True)
class Vault:
    """`behave` is for a `WebServer`. Secrets are known by namespace and path of the API."""

    tokens: set[str] = field(default_factory=lambda: {"hvs.good"})
    secrets: dict[tuple[str, str], Secret] = field(default_factory=dict[tuple[str, str], Secret])
    is_sealed: bool = False

    def secret(self, path: str, *, namespace: str = "") -> Secret:
        return self.secrets.setdefault((namespace, f"/v1/{path}"), Secret())

    def behave(self, talk: Talk) -> None:
        status, body = self._answer(talk)
        says(json.dumps(body), status=status, cache_control="no-store")(talk)

    def _answer(self, talk: Talk) -> tuple[int, dict[str, Any]]:
        headers = talk.asked.headers
        if self.is_sealed:
            return 503, {"errors": ["Vault is sealed"]}
        if headers.get("x-vault-request") != "true":
            return 412, {"errors": ["missing 'X-Vault-Request' header"]}
        if headers.get("x-vault-token") not in self.tokens:
            return 403, {"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}
        secret = self.secrets.get((headers.get("x-vault-namespace", ""), talk.asked.target))
        if secret is None or not secret.versions:
            return 404, {"errors": []}
        newest = secret.versions[-1]
        return (200 if newest["data"] is not None else 404), {
            "request_id": str(uuid4()),
            "lease_id": "",
            "renewable": False,
            "lease_duration": 0,
            "data": newest,
            "wrap_info": None,
            "warnings": None,
            "auth": None,
            "mount_type": "kv",
        }
