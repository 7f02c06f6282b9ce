"""The last good answer of a server on disk, so that a publisher can start while the server is away."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from confbus.errors import Malformed
from confbus.wire import codec
from confbus_publisher.checked_file import CheckedFile
from confbus_publisher.sources.remote.answer import OK, Answer

if TYPE_CHECKING:
    from pathlib import Path

    from confbus_publisher.sources.remote.request import Request

_MAGIC = b"confbus answer 1\n"
_log = logging.getLogger("confbus.publisher")


class AnswerCache:
    """What `request` was answered, at `path`. A file that cannot be used is a warning in the log, no more.

    It belongs to the method and the URL with its query, known by their digest: a token in the URL is not written.
    """

    def __init__(self, path: Path, request: Request) -> None:
        self._file = CheckedFile(path, magic=_MAGIC, advice="Remove it; it is written again with the next answer.")
        address = request.address
        self._asked = codec.digest(f"{request.method} {address.scheme}://{address.authority}{address.target}".encode())

    def recall(self) -> Answer | None:
        """The answer that was kept, if it is this request's own and whole."""
        try:
            body = self._file.read()
            return None if body is None else self._answer(body)
        except (Malformed, OSError) as error:
            _log.warning("%s", error)
            return None

    def keep(self, answer: Answer) -> None:
        """Save it in place of the one before."""
        facts = {
            "asked": self._asked,
            "headers": dict(answer.headers),
            "body": answer.body,
            "received_ms": answer.received_ms,
        }
        try:
            self._file.write(codec.pack(facts))
        except OSError as error:
            _log.warning("the answer was not kept for a restart: %s", error)

    def _answer(self, packed: bytes) -> Answer | None:
        facts = codec.unpack(packed, what=str(self._file.path))
        try:
            if facts["asked"] != self._asked:  # The URL was changed, and what was said at the old one counts no more.
                return None
            headers, body = dict(facts["headers"]), facts["body"]
            if not isinstance(body, bytes) or not set(map(type, (*headers, *headers.values()))) <= {str}:
                raise TypeError  # noqa: TRY301 — told below, as whatever else is wrong with it
            return Answer(OK, headers, body, received_ms=int(facts["received_ms"]))
        except (ValueError, KeyError, TypeError, OverflowError) as error:
            raise self._file.malformed(type(error).__name__) from None
