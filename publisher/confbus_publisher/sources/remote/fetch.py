"""One fetch over HTTP: retried with jitter, redirected only when that is allowed, over at its deadline.

The standard library's client and nothing on top of it: no pool, no retries, redirects or unpacking of its own that
would have to be turned off, and nobody who logs a URL with a token in it.
"""

from __future__ import annotations

from http.client import HTTPException
from typing import TYPE_CHECKING

from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    retry_if_result,
    stop_after_attempt,
    stop_before_delay,
    wait_random_exponential,
)

from confbus.line import Line
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.sources.remote.answer import BUSY, REDIRECTS, Answer, read_answer
from confbus_publisher.sources.remote.fetch_failure import is_passing, refusal_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus_publisher.sources.remote.address import Address
    from confbus_publisher.sources.remote.request import Request

ATTEMPTS = 3
MOST_REDIRECTS = 5
_FIRST_WAIT_S, _LONGEST_WAIT_S = 0.2, 2.0


def fetch(request: Request, conditions: Mapping[str, str]) -> Answer:
    """What the server says, whatever its status, within the deadline of `request`; `conditions` are more headers.

    Only the look-up of the name and the attempt to reach each of its addresses may take longer. Raises `Unfit`
    without any secret when there is no whole answer.
    """
    with Line(request.timeout_s) as line:
        attempts = Retrying(
            stop=stop_after_attempt(ATTEMPTS) | stop_before_delay(request.timeout_s),
            wait=wait_random_exponential(multiplier=_FIRST_WAIT_S, max=_LONGEST_WAIT_S),
            retry=retry_if_result(_is_busy) | retry_if_exception(lambda failure: is_passing(failure, line)),
            retry_error_callback=_last,
            sleep=line.pause,
        )
        try:
            return attempts(_attempt, request, conditions, line)
        except (OSError, HTTPException, ValueError) as failure:
            raise refusal_of(failure, line, timeout_s=request.timeout_s) from None


def _is_busy(answer: Answer) -> bool:
    return answer.status in BUSY


def _last(state: RetryCallState) -> Answer:
    """The outcome of the last attempt, whatever it was."""
    assert state.outcome is not None  # noqa: S101 — tenacity calls this after an attempt
    answer: Answer = state.outcome.result()
    return answer


def _attempt(request: Request, conditions: Mapping[str, str], line: Line) -> Answer:
    headers = {**request.public_headers(), **conditions}
    own = request.own_headers()
    address = request.address
    for _ in range(MOST_REDIRECTS + 1):
        is_own = address.site == request.address.site
        answer = _exchange(request, address, {**headers, **own} if is_own else headers, line)
        if answer.status not in REDIRECTS or not request.redirects or request.method != "GET":
            return answer
        address = _next(address, answer)
    raise Unfit(f"it redirects more than {MOST_REDIRECTS} times", "Name the URL that it should lead to.")


def _exchange(request: Request, address: Address, headers: Mapping[str, str], line: Line) -> Answer:
    tls = request.tls.context() if address.scheme == "https" else None
    connection = line.connection(address.host, address.port, tls)
    try:
        connection.request(request.method, address.target, headers={"host": address.authority, **headers})
        with connection.getresponse() as response:
            answer = read_answer(response, limit_bytes=request.limit_bytes)
        if line.is_cut:  # A body without a length just ends then.
            raise TimeoutError
        return answer
    finally:
        connection.close()


def _next(address: Address, answer: Answer) -> Address:
    """Where a redirect leads. Raises `Unfit` for one into another scheme: from https it would give secrets away."""
    following = address.join(answer.headers.get("location", ""))
    if following.scheme != address.scheme:
        reason = f"it redirects from {address.scheme} to {following.scheme}"
        raise Unfit(reason, "Name the URL that it should lead to.")
    return following
