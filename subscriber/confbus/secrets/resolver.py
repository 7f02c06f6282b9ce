"""What the secret references of one subscriber's releases lead to, and when that is something else.

A secret that was found once stays what it was until another one is found: neither a file that is gone nor a vault that
is down takes it away.
"""

from __future__ import annotations

import time

from confbus import importing
from confbus.secrets.filling import filled
from confbus.secrets.places import Files, Variables
from confbus.secrets.unresolved import Awaited, Unresolved
from confbus.wire.diff import same
from confbus.wire.frozen import Frozen
from confbus.wire.path import lookup, render
from confbus.wire.reference import fault_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, Protocol

    from confbus.secrets.vaults import Vaults
    from confbus.wire import path as paths
    from confbus.wire.frozen import Reference
    from confbus.wire.snapshot import Snapshot

    class Place(Protocol):
        """Where secrets of one scheme are."""

        def read(self, name: str) -> Any:
            """Raises `Unresolved`."""
            ...


_AWAITED = "a vault was asked for a secret, and has not answered yet"


class Resolver:
    """`problem` says why a secret may be older than it should. One thread at a time: whoever holds the lock of the
    local copy. `answered` is called in another thread when a vault that was asked has answered, or does not."""

    def __init__(self, refresh_s: float, answered: Callable[[], None] = lambda: None) -> None:
        self._answered = answered
        self.problem = ""
        self._refreshed = self._failed = 0
        self._refresh_s = refresh_s
        self._look_at = 0.0
        self._places: dict[str, Place] = {"env": Variables(), "file": Files()}
        self._vaults: Vaults | None = None
        self._offered: dict[Reference, Any] = {}
        self._values: dict[Reference, Any] = {}
        self._release: Snapshot | None = None
        self._refused: dict[Reference, Any] = {}
        self._lacking: tuple[Reference, ...] = ()
        self._vetoed: dict[Reference, Any] = {}
        self._refused_by = 0
        self._filled: dict[Any, tuple[Any, dict[paths.Path, Any], Any]] = {}

    @property
    def counts(self) -> dict[str, int]:
        """How often secrets changed behind their references, and how often what was read before had to stay."""
        return {"refreshed": self._refreshed, "unrefreshed": self._failed}

    @property
    def is_lacking(self) -> bool:
        """Whether a release was refused for want of a secret that may come."""
        return bool(self._lacking)

    @property
    def is_asking(self) -> bool:
        """Whether a vault may answer soon. Any thread may ask."""
        return self._vaults is not None and self._vaults.is_asking

    def receive(
        self, release: Snapshot, snapshot: Snapshot, offer: Callable[[Snapshot], str], *, waits: bool = True
    ) -> str:
        """Offer `snapshot`, which is `release` as this instance reads it but for secrets, with those. Returns why it
        was refused, without any secret, or nothing. Raises `Awaited` rather than wait for a vault unless it `waits`."""
        self._offered = {}
        self.problem = "" if self.problem == _AWAITED else self.problem
        try:
            reason = offer(self.over(snapshot, waits=waits) if snapshot.references else snapshot)
        except Unresolved as failure:
            return failure.reason
        if reason:
            self._refused = self._offered
            if release is not self._release:
                self._vetoed, self._refused_by = self._offered, release.version
            return self._without_secrets(reason)
        self._release, self._values, self._refused = release, self._offered, {}
        if release.version >= self._refused_by:
            self._lacking, self._vetoed = (), {}
        return ""

    def refresh(self, receive: Callable[[Snapshot], str]) -> bool:
        """Have the running release received again when a reference leads to something else now. True when all that a
        refused one lacked is there by now, or when it was refused with other secrets."""
        if self._release is not None and self._has_moved():
            self._tell(receive(self._release))
        return self._has_found() or self._has_mended()

    def over(self, snapshot: Snapshot, *, waits: bool = True) -> Snapshot:
        """`snapshot` with the secrets put in, as far as references are left in it. Raises `Unresolved`, naming path and
        reference, for one that leads nowhere and never did. A vault that was never asked it `waits` for, 5 seconds at
        most, or it raises `Awaited` until that has answered or they are over."""
        document: dict[Any, Any] = dict(snapshot)  # the keys of a snapshot are paths; here they must be keys
        wanted = {path: each for path, each in snapshot.references.items() if _stands(document, path, each)}
        if self._ask_first(wanted.values(), waits=waits):
            self.problem = _AWAITED
            raise Awaited
        failures: dict[paths.Path, Unresolved] = {}
        for path, reference in wanted.items():
            try:
                self._offered[reference] = self._value(reference)
            except Unresolved as failure:
                failures[path] = failure
        if failures:
            raise self._refusal(wanted, failures, snapshot.version)
        leaves: dict[Any, dict[paths.Path, Any]] = {}
        for path, reference in wanted.items():
            leaves.setdefault(path[0], {})[path[1:]] = self._offered[reference]
        for key, own in leaves.items():
            document[key] = self._fill(key, document[key], own)
        return snapshot.filled(Frozen(document), wanted)

    def is_due(self) -> bool:
        """Whether it is time to look again; the next time is put off by that."""
        if not self._lacking and time.monotonic() < self._look_at:
            return False
        self._look_at = time.monotonic() + self._refresh_s
        return True

    def _has_moved(self) -> bool:
        """Whether a reference that is read leads to something else now, which was not refused already."""
        self.problem = ""
        self._ask_again(self._values)
        found = {reference: self._value(reference) for reference in self._values}
        for reference in found:
            if self._vaults is not None and reference.scheme == "vault":
                self._note(reference, self._vaults.failure(reference.name))
        return not _alike(found, self._values) and not _alike(found, self._refused)

    def _has_found(self) -> bool:
        """Whether all that a refused release lacked is there by now."""
        lacking = self._lacking
        self._ask_again(lacking)
        try:
            for reference in lacking:
                self._read(reference)
        except Unresolved:
            return False
        self._lacking = ()
        return bool(lacking)

    def _has_mended(self) -> bool:
        """Whether a release that was refused with secrets in it would have other ones."""
        try:
            is_other = any(not same(self._read(reference), value) for reference, value in self._vetoed.items())
        except Unresolved:
            return False
        self._vetoed = {} if is_other else self._vetoed
        return is_other

    def _tell(self, problem: str) -> None:
        """What came of a look: nothing, or what was wrong with what was found."""
        self.problem = problem or self.problem
        self._refreshed += not problem
        self._failed += bool(problem)

    def _without_secrets(self, text: str) -> str:
        """`text` without the secrets that were put in last."""
        with importing.guard:
            from confbus.views.misfit import without_values

        return without_values(text, [*self._offered.values()])

    def renew(self) -> None:
        """In a forked child."""
        if self._vaults is not None:
            self._vaults.renew()

    def _ask_first(self, references: Iterable[Reference], *, waits: bool) -> bool:
        """Ask vaults for what was never asked for. True when there is reason to wait for that, and nobody may here."""
        names = _names(references)
        if names and waits:
            self._all_vaults().await_first(names)
        return bool(names) and not waits and self._all_vaults().ask_first(names)

    def _ask_again(self, references: Iterable[Reference]) -> None:
        names = _names(references)
        if names:
            self._all_vaults().ask_again(names)

    def _all_vaults(self) -> Vaults:
        if self._vaults is None:
            with importing.guard:
                from confbus.secrets.vaults import Vaults

            self._vaults = self._places["vault"] = Vaults(self._refresh_s, self._answered)
        return self._vaults

    def _value(self, reference: Reference) -> Any:
        """What it leads to; what it led to before, when that is nothing now. Raises `Unresolved`."""
        try:
            return self._read(reference)
        except Unresolved as failure:
            if reference not in self._values:
                raise
            self._note(reference, failure.reason)
            return self._values[reference]

    def _read(self, reference: Reference) -> Any:
        fault = fault_of(reference)
        if fault:
            raise Unresolved(fault, is_final=True)
        return self._places[reference.scheme].read(reference.name)

    def _note(self, reference: Reference, failure: str) -> None:
        if failure:
            self._failed += not self.problem
            self.problem = f"{reference}: {failure}; what was read before stays"

    def _refusal(
        self, wanted: Mapping[paths.Path, Reference], failures: Mapping[paths.Path, Unresolved], version: int
    ) -> Unresolved:
        path, failure = min(failures.items(), key=lambda each: not each[1].is_final)
        self._lacking = () if failure.is_final else tuple(wanted[path] for path in failures)
        self._refused_by = version
        more = f" (and {len(failures) - 1} more)" if len(failures) > 1 else ""
        return Unresolved(f"{render(path)}: {wanted[path]}: {failure.reason}{more}", is_final=failure.is_final)

    def _fill(self, key: Any, below: Any, leaves: dict[paths.Path, Any]) -> Any:
        """The very same object while neither what is below nor a secret is another one."""
        known = self._filled.get(key)
        if known is not None and known[0] is below and _alike(known[1], leaves):
            return known[2]
        value = filled(below, leaves)
        self._filled[key] = (below, leaves, value)
        return value


def _names(references: Iterable[Reference]) -> list[str]:
    """What vaults are to be asked for."""
    return [reference.name for reference in references if reference.scheme == "vault" and not fault_of(reference)]


def _stands(document: Mapping[Any, Any], path: paths.Path, reference: Reference) -> bool:
    """Whether the reference is still there, with nothing of this instance over it."""
    try:
        return bool(lookup(document, path) == reference)
    except KeyError:
        return False


def _alike(ones: Mapping[Any, Any], others: Mapping[Any, Any]) -> bool:
    return ones.keys() == others.keys() and all(same(value, others[key]) for key, value in ones.items())
