"""The hosts of the guide, on loopback: documents by host and path, and a way to take a host down."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping


class GuideSite:
    """Serves `documents`, by `host/path`; a host in `down` answers 503. `headers` has those of the last request."""

    def __init__(self, documents: Mapping[str, Any]) -> None:
        self.documents = dict(documents)
        self.down: set[str] = set()
        self.headers: dict[str, str] = {}
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.headers = {name.lower(): value for name, value in self.headers.items()}
                place = self.path.lstrip("/")
                is_up = place in site.documents and place.partition("/")[0] not in site.down
                body = json.dumps(site.documents[place]).encode() if is_up else b""
                self.send_response(200 if is_up else 503)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 — its name there
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})

    def local(self, url: str) -> str:
        """Where a URL of the guide is found here."""
        parts = urlsplit(url)
        host, port = self._server.server_address[:2]
        return f"http://{host!s}:{port}/{parts.netloc}{parts.path}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
