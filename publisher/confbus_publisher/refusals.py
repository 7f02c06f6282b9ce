"""What a person or a pipeline wanted and did not get, in the audit trail."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError, OutcomeUnknown, Unreachable

if TYPE_CHECKING:
    from collections.abc import Generator

    from confbus_publisher.ledger import Ledger, Why

_log = logging.getLogger("confbus.publisher")


@contextmanager
def recorded(ledger: Ledger, why: Why, *, path: str = "") -> Generator[None]:
    """Record what is refused inside, and let the refusal out as it is.

    Where the record cannot be made (Redis is away, this user may not write there), that is logged, and no more.
    """
    try:
        yield
    except (Unreachable, OutcomeUnknown):
        raise
    except ConfBusError as error:
        record(ledger, why, error.message, path=path)
        raise


def record(ledger: Ledger, why: Why, reason: str, *, path: str = "") -> None:
    """Record that what `why` tells of was refused. Where that cannot be done, it is logged, and no more."""
    try:
        ledger.refused(why, reason.removeprefix("Refused:").strip(), path=path)
    except ConfBusError as failure:
        _log.warning("the refusal is not in the audit trail: %s", failure)
