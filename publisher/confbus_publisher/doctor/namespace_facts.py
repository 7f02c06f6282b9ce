"""What is in the namespace, as far as this login may read it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

from confbus.errors import Malformed, NoRelease, Refused
from confbus_publisher.sealing.resealing import keys_of
from confbus_publisher.survey import Survey, survey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus_publisher.ledger import Ledger, State

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class HeadFacts:
    """The release in force: `sealed` has the id of the key that each sealed section needs, `at_ms` is when it was
    published, `size` how many bytes it has."""

    version: int
    at_ms: int
    size: int
    sealed: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class NamespaceFacts:
    """`head` is None where there is none, or where it cannot be used; `damages` says of all that is damaged what it is.

    `broken` are the kept versions of which content is gone. `refusals` says of what is lacking here why that is so.
    """

    head: HeadFacts | None = None
    damages: tuple[str, ...] = ()
    broken: tuple[int, ...] = ()
    seen: Survey | None = None
    refusals: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def is_empty(self) -> bool:
        """True when nothing was published yet."""
        return self.head is None and not self.damages and not self.refusals


def read_namespace(ledger: Ledger) -> NamespaceFacts:
    """Read it. Raises `Unreachable`."""
    damages: list[str] = []
    refusals: dict[str, str] = {}

    def tried(what: str, read: Callable[[], T]) -> T | None:
        try:
            return read()
        except Refused as refused:
            if "ermission" in refused.reason or refused.reason.startswith("NOPERM"):
                refusals[what] = refused.reason
            else:
                damages.append(refused.reason)
        except (Malformed, NoRelease) as error:
            damages.append(error.message.rstrip("."))
        return None

    state = tried("the head", ledger.refresh)
    broken = tried("the kept releases", lambda: _broken(ledger)) if state else None
    seen = tried("the fleet", lambda: survey(ledger.store))
    head = _head(state) if state else None
    return NamespaceFacts(head, tuple(dict.fromkeys(damages)), broken or (), seen, refusals)


def _head(state: State) -> HeadFacts:
    sealed = keys_of(state.release.manifest, state.blobs)
    return HeadFacts(state.head.version, state.release.at_ms, state.release.size, sealed)


def _broken(ledger: Ledger) -> tuple[int, ...]:
    there = ledger.store.blob_names()
    kept = ledger.history()
    return tuple(release.version for release in kept if not there >= set(release.manifest.sections.values()))
