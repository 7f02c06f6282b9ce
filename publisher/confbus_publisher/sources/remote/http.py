"""A document on a web server as a source."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from confbus.errors import InvalidSettings
from confbus_publisher.formats.format import load
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.formats.text import decode
from confbus_publisher.layer import deletions
from confbus_publisher.origin import Origin
from confbus_publisher.sources.remote.address import parse_address
from confbus_publisher.sources.remote.answer import LIMIT_BYTES, OK, REDIRECTS, UNCHANGED
from confbus_publisher.sources.remote.answer_cache import AnswerCache
from confbus_publisher.sources.remote.media_type import format_of
from confbus_publisher.sources.remote.remote import INTERVAL_S, Reading, RemoteSource
from confbus_publisher.sources.remote.request import (
    TIMEOUT_S,
    Request,
    SecretFile,
    check_credentials,
    checked_headers,
    checked_method,
)
from confbus_publisher.sources.remote.tls import SYSTEM_TLS, Tls

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from confbus_publisher.sources.remote.answer import Answer

_EXCUSES = {
    401: ("it wants other credentials", "Check the token and the headers."),
    403: ("it forbids this", "Check the token, and what it may read."),
    404: ("there is nothing at this URL", "Check the URL."),
    429: ("it is asked too often", "Raise `interval:`."),
    UNCHANGED: ("it says 'unchanged', and was not asked whether", "Mend the server, or the proxy before it."),
}


class HttpSource(RemoteSource):
    """What `url` is answered: JSON, YAML or TOML, by its type, else by the suffix of the URL; or by `format_name`.

    `headers`, the token in `bearer_file` (read at each request) and a `user:password@` in the URL are told to its own
    site alone, and to nobody in a message. `timeout_s` is for everything together. `redirects` are followed only
    when asked for, and never to another scheme. `ca` is trusted in place of the system's authorities. `cache` names
    a file for the last good answer. Raises `InvalidSettings` for what could never be asked, and `InvalidPath`.
    """

    kind = "http"

    def __init__(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        method: str = "GET",
        timeout_s: float = TIMEOUT_S,
        interval_s: float = INTERVAL_S,
        priority: int = 0,
        name: str = "",
        format_name: str = "",
        bearer_file: Path | None = None,
        limit_bytes: int = LIMIT_BYTES,
        redirects: bool = False,
        tls: Tls = SYSTEM_TLS,
        cache: Path | None = None,
        interpolate: bool = False,
        delete: Iterable[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        try:
            request = Request(
                address=parse_address(url),
                method=checked_method(method),
                headers=checked_headers(headers or {}),
                secret=SecretFile(bearer_file, "authorization", "Bearer") if bearer_file else None,
                timeout_s=timeout_s,
                limit_bytes=limit_bytes,
                redirects=redirects,
                tls=tls,
            )
            check_credentials(request.address, request.headers, has_secret=bearer_file is not None)
        except Unfit as unfit:
            raise InvalidSettings(name or "an http source", unfit.reason, advice=unfit.advice) from None
        super().__init__(
            request,
            name=name or request.address.shown,
            priority=priority,
            interpolates=interpolate,
            deletes=deletions(delete),
            interval_s=interval_s,
            cache=AnswerCache(cache, request) if cache else None,
            clock=clock,
        )
        self._format_name = format_name

    def _read(self, answer: Answer) -> Reading:
        if answer.status != OK:
            raise self._excuse(answer)
        address = self._request.address
        name = format_of(answer, path=address.path, given=self._format_name)
        text = decode(answer.body, origin_name=address.shown)
        tree, places = load(text, format_name=name, origin_name=address.shown)
        origins = {path: Origin(url=address.shown, line=at.line, column=at.column) for path, at in places.items()}
        return Reading(tree, origins)

    def _excuse(self, answer: Answer) -> Unfit:
        if answer.status in REDIRECTS:
            try:
                leads_to = f" to {self._request.address.join(answer.headers.get('location', ''))}"
            except Unfit:
                leads_to = ""
            return Unfit(f"it redirects{leads_to}", "Name that URL, or say `redirects: true`.")
        reason, advice = _EXCUSES.get(answer.status, ("this is no document", "Check the URL and the server."))
        return Unfit(f"it answers {answer.status}: {reason}", advice)
