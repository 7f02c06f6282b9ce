"""Every error this project raises on purpose: one class for each thing a caller would do differently.

Messages say what failed, on what, why; `advice` says what to do next and is part of `str()`. Attributes keep what
the message was built from. No message ever holds a configuration value. What only those meet who publish stands in
`publishing.py`, and is loaded when somebody asks for it here: a worker's start does not wait for it.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from confbus.errors.publishing import ChecksFailed as ChecksFailed
    from confbus.errors.publishing import Conflict as Conflict
    from confbus.errors.publishing import EmbeddedFailed as EmbeddedFailed
    from confbus.errors.publishing import FleetLagging as FleetLagging
    from confbus.errors.publishing import KeyLacking as KeyLacking
    from confbus.errors.publishing import LeaseHeld as LeaseHeld
    from confbus.errors.publishing import ListenFailed as ListenFailed
    from confbus.errors.publishing import Lost as Lost
    from confbus.errors.publishing import NoRelease as NoRelease
    from confbus.errors.publishing import OnHold as OnHold
    from confbus.errors.publishing import OutcomeUnknown as OutcomeUnknown
    from confbus.errors.publishing import Quarantined as Quarantined
    from confbus.errors.publishing import Refused as Refused
    from confbus.errors.publishing import SourceFailed as SourceFailed


class ConfBusError(Exception):
    """The root of all errors of confbus."""

    def __init__(self, message: str, *, advice: str = "") -> None:
        self.message = message
        self.advice = advice
        super().__init__(f"{message} {advice}".strip())

    def __str__(self) -> str:
        return f"{self.message} {self.advice}".strip()


# --- paths and reads ---------------------------------------------------------------------------------------------


class InvalidPath(ConfBusError, ValueError):
    """The text is not a path: `a.b`, `a["k.with.dots"]`, `hosts[0]`."""

    def __init__(self, text: str, column: int, reason: str) -> None:
        self.text = text
        self.column = column
        self.reason = reason
        super().__init__(
            f"{text!r} is not a path: {reason} at column {column}.",
            advice='Write a.b, a["key.with.dots"] or hosts[0].',
        )


class UnknownPath(ConfBusError, KeyError):
    """Nothing is at this path in the snapshot; `nearest` is the closest one that exists, or empty."""

    def __init__(self, path: str, *, nearest: str = "", version: int | None = None) -> None:
        self.path = path
        self.nearest = nearest
        self.version = version
        where = f" in version {version}" if version else ""
        super().__init__(f"No value at {path!r}{where}.", advice=f"Did you mean {nearest!r}?" if nearest else "")


# --- documents and the bytes they become ---------------------------------------------------------------------------


class InvalidDocument(ConfBusError, ValueError):
    """The value cannot be part of a configuration: a wrong type, a number out of range, nesting without end."""

    def __init__(self, path: str, reason: str, *, origin: str = "", advice: str = "") -> None:
        self.path = path
        self.reason = reason
        self.origin = origin
        place = f"{origin}: " if origin else ""
        super().__init__(f"{place}{path or 'the document'}: {reason}.", advice=advice)


class MergeConflict(InvalidDocument):
    """One source has a mapping at a path and another has none; `origin` and `other` are the two places."""

    def __init__(self, path: str, *, mapping: str, other: str) -> None:
        self.other = other
        super().__init__(
            path,
            f"it is a mapping here, and at {other} it is none",
            origin=mapping,
            advice="Make both mappings, or remove one.",
        )


class Malformed(ConfBusError, ValueError):
    """Bytes from Redis, disk or the network are not what the protocol says; nothing was taken from them."""

    def __init__(self, what: str, reason: str, *, advice: str = "") -> None:
        self.what = what
        self.reason = reason
        super().__init__(f"{what} is malformed: {reason}.", advice=advice)


class InvalidNamespace(ConfBusError, ValueError):
    """The namespace has characters that would change the meaning of a key or of a Cluster slot."""

    def __init__(self, namespace: str, *, origin: str = "") -> None:
        self.namespace = namespace
        self.origin = origin
        super().__init__(
            f"{origin}{': ' if origin else ''}{namespace!r} cannot name a namespace.",
            advice="Use 1 to 100 of the characters a-z A-Z 0-9 . _ - and /.",
        )


# --- in a worker -----------------------------------------------------------------------------------------------------


class ConnectFailed(ConfBusError):
    """No first snapshot arrived in time; `reason` says how far the subscriber came."""

    def __init__(self, url: str, namespace: str, timeout_s: float, reason: str) -> None:
        self.url = url
        self.namespace = namespace
        self.timeout_s = timeout_s
        self.reason = reason
        within = f" within {timeout_s:g} s" if timeout_s else ""
        # A reason that begins with one of Redis' own words is an answer: the server is up.
        is_answered = reason.partition(" ")[0].isupper()
        advice = "" if is_answered or "://" not in url else "Is the server up, and did `confbus publish` ever run?"
        if reason.startswith("nothing is published"):
            advice = "Is that the name, and did `confbus publish` ever run for it?"
        super().__init__(f"No configuration of {namespace!r} from {url}{within}: {reason.rstrip('.')}.", advice=advice)


class ConfigRefused(ConfBusError):
    """A view, a validator or the overlay of this process refuses a release; what ran before, if anything, goes on."""

    def __init__(self, version: int, reason: str) -> None:
        self.version = version
        self.reason = reason
        super().__init__(f"Version {version} was refused by this process: {reason}.")


class ViewFailed(ConfBusError, ValueError):
    """What stands at `path` does not fit the type of a view; the text holds no value of the configuration."""

    def __init__(self, path: str, reason: str, *, version: int) -> None:
        self.path = path
        self.reason = reason
        super().__init__(f"Version {version} does not fit at {path or 'its root'}: {reason}.")


class WaitTimeout(ConfBusError, TimeoutError):
    """The awaited state did not come in time; the configuration is unchanged and still followed."""

    def __init__(self, awaited: str, timeout_s: float, running: str) -> None:
        self.awaited = awaited
        self.timeout_s = timeout_s
        super().__init__(f"{awaited} did not come within {timeout_s:g} s; running {running}.")


class Stale(ConfBusError, LookupError):
    """The value at `path` is older than the caller can use: Redis did not confirm it for `age_s` seconds (infinite:
    never since this process began)."""

    def __init__(self, path: str, age_s: float, max_age_s: float, state: str) -> None:
        self.path = path
        self.age_s = age_s
        self.max_age_s = max_age_s
        self.state = state
        since = "never" if age_s == float("inf") else f"{age_s:.1f} s ago"
        super().__init__(
            f"{path!r} was last confirmed {since}, and may be {max_age_s:g} s old at most (this process is {state}).",
            advice="Give a default to use in its place.",
        )


class NotStarted(ConfBusError):
    """There is no configuration to read yet, because nobody began to load it."""

    def __init__(self, what: str, *, advice: str) -> None:
        self.what = what
        super().__init__(f"{what}.", advice=advice)


class Closed(ConfBusError):
    """The subscriber, or the manager, was closed; its last snapshot stays readable."""

    def __init__(
        self, what: str = "This subscriber was closed.", *, advice: str = "Call confbus.connect() for a new one."
    ) -> None:
        self.what = what
        super().__init__(what, advice=advice)


# --- whatever is meant by it ------------------------------------------------------------------------------------------


class Unreachable(ConfBusError):
    """Redis did not answer; nothing is known to have changed."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        place, _, what = reason.partition(" connecting to ")[2].partition(". ")
        self.reason = reason = what if what and place in url else reason  # redis-py names the place as well
        is_login = reason.startswith(("NOAUTH ", "WRONGPASS ", "NOPERM "))
        verb, advice = (
            ("does not let this login in", "")
            if is_login
            else ("is unreachable", "Check the URL, the server and the network.")
        )
        super().__init__(f"Redis at {url} {verb}: {reason.rstrip('.')}.", advice=advice)


class InvalidSettings(ConfBusError, ValueError):
    """confbus.yaml, a flag or a variable says something that cannot be followed."""

    def __init__(self, origin: str, reason: str, *, advice: str = "") -> None:
        self.origin = origin
        self.reason = reason
        super().__init__(f"{origin}: {reason}.", advice=advice)


class SealedError(ConfBusError):
    """The section is sealed, and this process has no key that opens it; `key` is the id of the one it needs."""

    def __init__(self, section: str, key: str) -> None:
        self.section = section
        self.key = key
        super().__init__(
            f"{section} is sealed, and the key {key} is not here.",
            advice="Give it with open_keys=, or in CONFBUS_OPEN_KEYS.",
        )


class SealBroken(ConfBusError):
    """A sealed section does not open although its key is here: it was altered, or sealed for another place."""

    def __init__(self, section: str, key: str, reason: str) -> None:
        self.section = section
        self.key = key
        self.reason = reason
        super().__init__(f"{section} is sealed with the key {key}, which is here, but {reason}.")


def __getattr__(name: str) -> object:
    if name.startswith("_"):
        raise AttributeError(name)
    from importlib import import_module  # `from … import` would look here first, and so on for ever

    try:
        return vars(import_module("confbus.errors.publishing"))[name]
    except KeyError:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}") from None
