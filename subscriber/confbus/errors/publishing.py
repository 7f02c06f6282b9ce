"""The errors of whoever publishes: sources, checks, and the head that somebody else may move."""

from __future__ import annotations

from confbus.errors import ConfBusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


class SourceFailed(ConfBusError):
    """A source could not be read; its last good layer stays. `origin` is file:line:column, a variable or a URL."""

    def __init__(self, source: str, origin: str, reason: str, *, advice: str = "") -> None:
        self.source = source
        self.origin = origin
        self.reason = reason
        super().__init__(f"{origin or source}: {reason}.", advice=advice)


class ChecksFailed(ConfBusError):
    """The merged document did not pass; `problems` holds one line for each thing to mend, `rules` who says so."""

    def __init__(self, problems: Iterable[str], *, rules: Iterable[str] = ()) -> None:
        self.problems = tuple(problems)
        self.rules = tuple(rules)
        one_each = "".join(f"\n- {problem}" for problem in self.problems)
        super().__init__(f"Refused: {self.problems[0]}" if len(self.problems) == 1 else f"Refused:{one_each}")


class Conflict(ConfBusError):
    """Somebody else moved the head first; nothing was written."""

    def __init__(self, expected: str, found: str, by: str = "") -> None:
        self.expected = expected
        self.found = found
        self.by = by
        who = f" by {by}" if by else ""
        super().__init__(f"The head moved{who}: expected {expected}, found {found}.", advice="Read it again and retry.")


class OutcomeUnknown(ConfBusError):
    """The connection broke and stayed broken after the request was sent: it may or may not have been carried out."""

    def __init__(self, action: str, change_id: str, reason: str, *, told_by: str = "confbus history") -> None:
        self.action = action
        self.change_id = change_id
        self.reason = reason
        super().__init__(
            f"Whether {action} {change_id} was carried out is unknown: {reason}.",
            advice=f"`{told_by}` tells as soon as Redis answers.",
        )


class LeaseHeld(ConfBusError):
    """Another publisher is active."""

    def __init__(self, holder: str, *, advice: str = "Change its sources, or use --force.") -> None:
        self.holder = holder
        super().__init__(f"{holder} is the active publisher.", advice=advice)


class Quarantined(ConfBusError):
    """The merge holds content that was rolled back; `sections` names it."""

    def __init__(self, sections: Iterable[str]) -> None:
        self.sections = tuple(sections)
        super().__init__(
            f"Held: {', '.join(self.sections)} still has the content that was rolled back.",
            advice="Mend it in its source, or let it out with `confbus resume`.",
        )


class OnHold(ConfBusError):
    """The merge changes what somebody told publishers to leave alone; `holds` says what, by whom and why."""

    def __init__(self, holds: Iterable[str]) -> None:
        self.holds = tuple(holds)
        super().__init__(
            f"Held: {'; '.join(self.holds)}.", advice="Lift it with `confbus resume`, or go through with --force."
        )


class NoRelease(ConfBusError, LookupError):
    """The release is not kept, or there is nothing accepted to go back to."""

    def __init__(self, reason: str, *, advice: str = "`confbus history` lists what is kept.") -> None:
        self.reason = reason
        super().__init__(f"{reason}.", advice=advice)


class Lost(ConfBusError):
    """Redis lost data that live workers still run, and this publisher does not know it either."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(
            f"Redis lost data: {reason}.",
            advice="`confbus publish --adopt` makes what the sources say now the truth.",
        )


class Refused(ConfBusError):
    """Redis has something that must not be written over: a wrong type, a missing permission, a newer protocol."""

    def __init__(self, reason: str, *, advice: str = "") -> None:
        self.reason = reason
        super().__init__(f"Nothing was written: {reason}.", advice=advice)


class FleetLagging(ConfBusError):
    """Not enough of the fleet has applied a release in time. The release is out and stays, unless the reason says
    otherwise; `laggards` has a line for each instance that was waited for in vain."""

    def __init__(self, version: int, reason: str, laggards: Iterable[str] = (), *, advice: str = "") -> None:
        self.version = version
        self.reason = reason
        self.laggards = tuple(laggards)
        self.summary = f"Version {version}: {reason}."
        super().__init__(self.summary + "".join(f"\n- {laggard}" for laggard in self.laggards), advice=advice)


class EmbeddedFailed(ConfBusError):
    """The embedded server could not be found or started."""

    def __init__(self, reason: str, *, advice: str = "") -> None:
        self.reason = reason
        super().__init__(f"No embedded server: {reason}.", advice=advice)


class ListenFailed(ConfBusError):
    """The publisher cannot listen at `address`."""

    def __init__(self, address: str, reason: str, *, advice: str = "") -> None:
        self.address = address
        self.reason = reason
        super().__init__(f"{address}: cannot listen there: {reason}.", advice=advice)


class KeyLacking(ConfBusError):
    """What is published is sealed with a key that this publisher does not have, or does not use yet."""

    def __init__(self, section: str, key: str, reason: str) -> None:
        self.section = section
        self.key = key
        self.reason = reason
        super().__init__(
            f"{section} is sealed with the key {key}, which {reason}; nothing is sealed with an older one.",
            advice="Bring the newest keyring here, or `confbus publish --force` seals with the one that is.",
        )
