"""Why there was no answer, in words for people: never the text of an error, which may hold a URL or a header."""

from __future__ import annotations

import socket
import ssl
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from typing import TYPE_CHECKING

from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from confbus.line import Line


def is_passing(failure: BaseException, line: Line) -> bool:
    """Whether another attempt may end better."""
    is_final = isinstance(failure, Unfit | ssl.SSLCertVerificationError | PermissionError)
    return isinstance(failure, OSError | HTTPException) and not is_final and not line.is_cut


def refusal_of(failure: OSError | HTTPException | ValueError, line: Line, *, timeout_s: float) -> Unfit:
    """The failure in our words."""
    if isinstance(failure, Unfit):
        return failure
    if line.is_cut or isinstance(failure, TimeoutError):
        return Unfit(f"no whole answer within {timeout_s:g} s", "Is the server well? Else raise `timeout:`.")
    if isinstance(failure, socket.gaierror):
        return Unfit("the name of its host is not known", "Check the URL and the name service.")
    if isinstance(failure, ssl.SSLCertVerificationError):
        message = failure.verify_message.rstrip(".")
        return Unfit(f"its certificate is refused: {message}", "Name who signed it with `ca:`, or mend it.")
    if isinstance(failure, ssl.SSLError):
        reason = (failure.reason or "broken off").lower().replace("_", " ")
        return Unfit(f"no TLS connection: {reason}", "Does this port speak TLS, and want a `certificate:`?")
    if isinstance(failure, RemoteDisconnected):
        return Unfit("it closed the connection without an answer", "Is the server well?")
    if isinstance(failure, IncompleteRead):
        return Unfit("the answer broke off", "Is the server well?")
    if isinstance(failure, OSError):
        reason = (failure.strerror or "the connection broke").lower()
        return Unfit(f"not reached: {reason}", "Check the URL, the server and the network.")
    return Unfit("what it says is no HTTP", "Check the URL and the port.")
