"""Whether a publisher is up: what it answers over HTTP, asked from beside."""

from __future__ import annotations

import json
from typing import Any, NamedTuple, cast

from confbus.errors import ConfBusError, InvalidSettings, Malformed
from confbus.names import printable

PLACE = "127.0.0.1:9630"
_EVERYBODY = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 — nobody listens here: it is asked at loopback
_MOST_BYTES = 64 * 1024
_OK = 200


class Verdict(NamedTuple):
    """`is_good` as the page says; `facts` are all that it says."""

    is_good: bool
    facts: dict[str, Any]

    def __str__(self) -> str:
        """In a few words."""
        words = [str(self.facts.get("status", "no status")), str(self.facts.get("state", ""))]
        reason = self.facts.get("reason", "")
        return printable(", ".join(filter(None, words)) + (f": {reason}" if reason else ""))


def ask(place: str, *, wants_ready: bool, timeout_s: float) -> Verdict:
    """What the publisher that listens at `place` says: whether it lives, or, with `wants_ready`, whether it is at work.

    Raises `InvalidSettings` for what is no host:port, `Malformed` when it is no publisher, and `ConfBusError` when
    nobody answers there.
    """
    from http.client import HTTPConnection, HTTPException

    host, port = _parsed(place)
    connection = HTTPConnection(_EVERYBODY.get(host, host), port, timeout=timeout_s)
    try:
        connection.request("GET", "/readyz" if wants_ready else "/healthz")
        answer = connection.getresponse()
        return Verdict(answer.status == _OK, read_page(answer.read(_MOST_BYTES)))
    except (OSError, HTTPException, UnicodeError) as error:
        reason = printable(str(error)) or type(error).__name__
        advice = "Does it run, and was it started with http: or --listen?"
        raise ConfBusError(f"No publisher answers at http://{place}: {reason}.", advice=advice) from error
    finally:
        connection.close()


def read_page(raw: bytes) -> dict[str, Any]:
    """What a page says. Raises `Malformed`."""
    try:
        facts: Any = json.loads(raw)
    except (ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict) or "status" not in facts:
        raise Malformed("the answer", "no publisher says that", advice="Is it the address of its http.listen?")
    return cast("dict[str, Any]", facts)


def _parsed(place: str) -> tuple[str, int]:
    host, _, port = place.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    is_host = bool(host) and host.isprintable() and " " not in host
    if not (is_host and port.isascii() and port.isdigit() and 0 < int(port[:6]) < 65_536):
        raise InvalidSettings(place, "this is no place to ask", advice=f"Write host:port, such as {PLACE}.")
    return host, int(port)
