"""A health gate: something that is asked how it is while a release is watched."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from confbus.names import on_a_line
from confbus_publisher.checks.hiding import without_secrets
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.guard.verdict import MOST_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from confbus.wire.snapshot import Snapshot
    from confbus_publisher.sources.remote.address import Address

TIMEOUT_S, INTERVAL_S, FAILURES = 2.0, 1.0, 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """`objection` tells what is wrong, or nothing; it may raise, and hang. After `failures` in a row the release is
    bad."""

    name: str
    objection: Callable[[Snapshot], Awaitable[str]] = field(repr=False)
    timeout_s: float = TIMEOUT_S
    interval_s: float = INTERVAL_S
    failures: int = FAILURES


def http_objection(address: Address, *, timeout_s: float) -> Callable[[Snapshot], Awaitable[str]]:
    """Asks with GET: any status but 2xx is an objection, and so is no answer in time. Redirects are not followed."""

    async def objection(_snapshot: Snapshot) -> str:  # It blocks, in the thread that is its own.
        try:
            status = _status(address, timeout_s)
        except Unfit as unfit:
            return f"{address}: {unfit.reason}"
        return "" if 200 <= status < 300 else f"{address} answers {status}"

    return objection


def python_objection(gate: Callable[[Snapshot], object]) -> Callable[[Snapshot], Awaitable[str]]:
    """Asks `gate`, a function or a coroutine function; see `said`."""
    return partial(said, gate)


async def said(gate: Callable[[Snapshot], object], snapshot: Snapshot) -> str:
    """What `gate` objects to `snapshot`: it returns False or raises; else the empty text. On one line, not at
    length, and without the secrets in `snapshot`: it goes into the audit trail."""
    name = getattr(gate, "__qualname__", type(gate).__name__)
    try:
        answer = gate(snapshot)
        if inspect.isawaitable(answer):
            answer = await answer
    except (Exception, SystemExit) as error:  # noqa: BLE001 — a user's code; whatever it raises is its objection
        text = on_a_line(without_secrets(str(error), dict(snapshot)), most=MOST_CHARACTERS)
        return f"{name}: {text or type(error).__name__}"
    return f"{name}: it said no" if answer is False else ""


def _status(address: Address, timeout_s: float) -> int:
    """What the server answers. Raises `Unfit` when it does not, without any secret."""
    import ssl
    from http.client import HTTPException

    from confbus.line import Line
    from confbus_publisher.sources.remote.fetch_failure import refusal_of

    tls = ssl.create_default_context() if address.scheme == "https" else None
    headers = {"host": address.authority, "user-agent": "confbus", "connection": "close", **address.credentials}
    with Line(timeout_s) as line:
        connection = line.connection(address.host, address.port, tls)
        try:
            connection.request("GET", address.target, headers=headers)
            with connection.getresponse() as response:
                if line.is_cut:  # The end of what was cut looks like the end of an answer.
                    raise TimeoutError
                return response.status
        except (OSError, HTTPException, ValueError) as failure:
            raise refusal_of(failure, line, timeout_s=timeout_s) from None
        finally:
            connection.close()
