"""What `confbus keys` leaves in the audit trail, as far as a server can be reached: a keyring needs none."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError, OutcomeUnknown, Unreachable
from confbus_publisher.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Generator

    from confbus_publisher.ledger import Ledger, Why
    from confbus_publisher.opening import Named


def note(named: Named, why: Why) -> None:
    """Record what was done to a keyring. Where that cannot be done, somebody is told so, and no more."""
    from confbus_publisher.opening import site_of

    try:
        with site_of(named).ledger() as ledger:
            enter(ledger, why)
    except ConfBusError as error:
        _say_none(error)


def enter(ledger: Ledger, why: Why) -> None:
    """The same, in a ledger that is open already. Raises `Unreachable`."""
    try:
        ledger.store.note({"action": why.action, "author": why.author, "message": why.message})
    except Unreachable:
        raise
    except ConfBusError as error:
        _say_none(error)


@contextmanager
def recorded(named: Named, why: Why) -> Generator[None]:
    """Record what is refused inside, and let the refusal out as it is. Where that cannot be done, somebody is told."""
    from confbus_publisher.opening import site_of

    try:
        yield
    except (Unreachable, OutcomeUnknown):
        raise
    except ConfBusError as refusal:
        try:
            with site_of(named).ledger() as ledger:
                ledger.refused(why, refusal.message.removeprefix("Refused:").strip())
        except ConfBusError as error:
            _say_none(error)
        raise


def _say_none(error: ConfBusError) -> None:
    say(f"The audit trail has no entry of this: {error.message}")
