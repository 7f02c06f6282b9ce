"""What `http:` and `vault:` may say alike: how long, how often, over which TLS, and what becomes of the answer."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from confbus_publisher.source_settings.terms import read_delete

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confbus_publisher.entry import Entry

KEYS = (
    "name",
    "timeout",
    "interval",
    "limit",
    "ca",
    "certificate",
    "certificate_key",
    "cache",
    "interpolate",
    "delete",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoteTerms:
    """Paths are absolute, or start at the directory of the settings file already."""

    timeout_s: float
    interval_s: float
    limit_bytes: int
    ca: Path | None
    certificate: Path | None
    certificate_key: Path | None
    cache: Path | None
    interpolate: bool
    delete: tuple[str, ...] = field(default=())

    def options(self) -> dict[str, Any]:
        """The keywords of a source."""
        from confbus_publisher.sources.remote.tls import Tls

        return {
            "timeout_s": self.timeout_s,
            "interval_s": self.interval_s,
            "limit_bytes": self.limit_bytes,
            "tls": Tls(self.ca, self.certificate, self.certificate_key),
            "cache": self.cache,
            "interpolate": self.interpolate,
            "delete": self.delete,
        }


def read_terms(entry: Entry, base: Path, *, cache: Path | None) -> RemoteTerms:
    """What `entry` says; `cache` is where the last good answer is kept unless it says so. Raises `InvalidSettings`."""
    from confbus_publisher.sources.remote.answer import LIMIT_BYTES
    from confbus_publisher.sources.remote.remote import INTERVAL_S
    from confbus_publisher.sources.remote.request import TIMEOUT_S

    certificate, key = optional_path(entry, "certificate", base), optional_path(entry, "certificate_key", base)
    if key and not certificate:
        raise entry.refuse("there is a key and no certificate", "Add `certificate:`.", at="certificate_key")
    if entry.values.get("cache") is False:
        cache = None
    elif "cache" in entry:
        cache = base / entry.text("cache")
    return RemoteTerms(
        timeout_s=entry.seconds("timeout", default=TIMEOUT_S),
        interval_s=entry.seconds("interval", default=INTERVAL_S),
        limit_bytes=entry.bytes("limit", default=LIMIT_BYTES),
        ca=optional_path(entry, "ca", base),
        certificate=certificate,
        certificate_key=key,
        cache=cache,
        interpolate=entry.flag("interpolate"),
        delete=read_delete(entry),
    )


def optional_path(entry: Entry, key: str, base: Path) -> Path | None:
    """The file named under `key`, if there is one."""
    return base / entry.text(key) if key in entry else None


def checked(entry: Entry, key: str, check: Callable[[], Any]) -> Any:
    """What `check` returns. What it finds unfit is refused with the line of `key`."""
    from confbus_publisher.formats.limits import Unfit

    try:
        return check()
    except Unfit as unfit:
        raise entry.refuse(unfit.reason, unfit.advice, at=key) from None
