"""Every error this project raises on purpose: one class for each thing a caller would do differently.

Messages say what failed, on what, why; `advice` says what to do next and is part of `str()`. Attributes keep what
the message was built from. No message ever holds a configuration value.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable


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
        super().__init__(
            f"No configuration of {namespace!r} from {url}{within}: {reason.rstrip('.')}.",
            advice="" if is_answered or "://" not in url else "Is the server up, and did `confbus publish` ever run?",
        )


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


# --- publishing ------------------------------------------------------------------------------------------------------


class Unreachable(ConfBusError):
    """Redis did not answer; nothing is known to have changed."""

    def __init__(self, url: str, reason: str) -> None:
        self.url = url
        self.reason = reason
        super().__init__(
            f"Redis at {url} is unreachable: {reason.rstrip('.')}.", advice="Check the URL, the server and the network."
        )


class InvalidSettings(ConfBusError, ValueError):
    """confbus.yaml, a flag or a variable says something that cannot be followed."""

    def __init__(self, origin: str, reason: str, *, advice: str = "") -> None:
        self.origin = origin
        self.reason = reason
        super().__init__(f"{origin}: {reason}.", advice=advice)


class SourceFailed(ConfBusError):
    """A source could not be read; its last good layer stays. `origin` is file:line:column, a variable or a URL."""

    def __init__(self, source: str, origin: str, reason: str, *, advice: str = "") -> None:
        self.source = source
        self.origin = origin
        self.reason = reason
        super().__init__(f"{origin or source}: {reason}.", advice=advice)


class ChecksFailed(ConfBusError):
    """The merged document did not pass; `problems` holds one line for each thing to mend."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
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

    def __init__(self, holder: str) -> None:
        self.holder = holder
        super().__init__(f"{holder} is the active publisher.", advice="Change its sources, or use --force.")


class Quarantined(ConfBusError):
    """The merge holds content that was rolled back; `sections` names it."""

    def __init__(self, sections: Iterable[str]) -> None:
        self.sections = tuple(sections)
        super().__init__(
            f"Held: {', '.join(self.sections)} still has the content that was rolled back.",
            advice="Mend it in its source, or lift the hold with `confbus resume`.",
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


class EmbeddedFailed(ConfBusError):
    """The embedded server could not be found or started."""

    def __init__(self, reason: str, *, advice: str = "") -> None:
        self.reason = reason
        super().__init__(f"No embedded server: {reason}.", advice=advice)
