"""What a route for health answers, whatever speaks HTTP around it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from confbus.health import health

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from http import HTTPStatus

    from confbus.subscriber import Subscriber

    Found = Subscriber | Mapping[str, Any] | None

_METHODS = ("GET", "HEAD")
_NOTHING = {"status": "unhealthy", "reason": "there is no configuration yet"}


class Answer(NamedTuple):
    """One answer: its status, its headers by name, and its body."""

    status: HTTPStatus
    headers: dict[str, str]
    body: bytes


def answer(method: str, config: Subscriber | Callable[[Any], Found], request: Any, max_age_s: float | None) -> Answer:
    """200 with what `health` says while `config` is healthy, 503 while not; 405 for what is neither GET nor HEAD.

    `config` is a subscriber, or finds the one of `request`. It may also give such a mapping itself, or None.
    """
    from http import HTTPStatus  # only whoever is asked needs it

    if method not in _METHODS:
        return _made(HTTPStatus.METHOD_NOT_ALLOWED, {"error": "only GET and HEAD"}, {"Allow": ", ".join(_METHODS)})
    named: Any = config
    found: Any = named if hasattr(named, "measure") else named(request)
    facts: Any = health(found, max_age_s=max_age_s) if hasattr(found, "measure") else found or _NOTHING
    status = HTTPStatus.OK if facts["status"] == "healthy" else HTTPStatus.SERVICE_UNAVAILABLE
    made = _made(status, facts, {"Cache-Control": "no-store"})
    return made._replace(body=b"") if method == "HEAD" else made


def _made(status: HTTPStatus, facts: Mapping[str, Any], headers: dict[str, str]) -> Answer:
    body = json.dumps(facts).encode()
    return Answer(status, {"Content-Type": "application/json", "Content-Length": str(len(body)), **headers}, body)
