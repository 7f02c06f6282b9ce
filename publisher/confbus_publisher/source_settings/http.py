"""`http:`."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING

from confbus_publisher.source_settings.kind import Kind
from confbus_publisher.source_settings.remote import KEYS, RemoteTerms, checked, optional_path, read_terms

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from confbus_publisher.entry import Entry
    from confbus_publisher.sources.remote.http import HttpSource


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """`http:`. Only `name` is shown: the URL and the headers may hold secrets."""

    url: str = field(repr=False)
    name: str
    priority: int
    method: str
    headers: Mapping[str, str] = field(repr=False)
    bearer_file: Path | None
    format_name: str
    redirects: bool
    terms: RemoteTerms

    def build(self) -> HttpSource:
        from confbus_publisher.sources.remote.http import HttpSource

        return HttpSource(
            self.url,
            name=self.name,
            priority=self.priority,
            method=self.method,
            headers=self.headers,
            bearer_file=self.bearer_file,
            format_name=self.format_name,
            redirects=self.redirects,
            **self.terms.options(),
        )


def _read(entry: Entry, base: Path) -> Iterator[HttpSettings]:
    # Here, not above: most settings have no such source, and need nothing of it.
    from confbus_publisher.sources.remote.address import parse_address
    from confbus_publisher.sources.remote.media_type import FORMATS
    from confbus_publisher.sources.remote.request import check_credentials, checked_method

    url = entry.text("http")
    address = checked(entry, "http", lambda: parse_address(url))
    method = checked(entry, "method", lambda: checked_method(entry.text("method", default="GET")))
    headers, bearer_file = _headers(entry), optional_path(entry, "bearer_file", base)
    checked(entry, "http", lambda: check_credentials(address, headers, has_secret=bearer_file is not None))
    format_name = entry.text("format", default="").lower()
    if format_name and format_name not in FORMATS:
        raise entry.refuse("there is no such format", f"Use one of {', '.join(FORMATS)}.", at="format")
    known_by = sha256(f"{method} {url}".encode()).hexdigest()[:16]
    yield HttpSettings(
        url=url,
        name=entry.text("name", default=address.shown),
        priority=entry.whole("priority", default=0),
        method=method,
        headers=headers,
        bearer_file=bearer_file,
        format_name=format_name,
        redirects=entry.flag("redirects"),
        terms=read_terms(entry, base, cache=base / ".confbus" / f"http-{known_by}"),
    )


def _headers(entry: Entry) -> dict[str, str]:
    from confbus_publisher.sources.remote.request import checked_headers

    inner = entry.inner("headers")
    given = {name: inner.text(name, default="") for name in inner.values}
    headers: dict[str, str] = checked(entry, "headers", lambda: checked_headers(given))
    return headers


KINDS = {"http": Kind((*KEYS, "method", "headers", "bearer_file", "format", "redirects"), _read)}
