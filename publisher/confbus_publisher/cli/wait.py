"""Publishing as a gate: the wait for the fleet, as people and programs see it."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from confbus.names import plain
from confbus_publisher.cli.output import counted, listed, say, sentence, show, show_json
from confbus_publisher.cli.renewed import RenewedLine, is_watched

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from confbus_publisher.ledger import Ledger, State
    from confbus_publisher.quorum import Quorum
    from confbus_publisher.survey import Survey
    from confbus_publisher.uptake import Laggard, Uptake

_MOST = 20


@dataclass(frozen=True, slots=True)
class Wait:
    """How long to wait for how much of the fleet; not at all without `timeout_s`."""

    timeout_s: float | None = None
    quorum: Quorum | None = None

    def survey(self, ledger: Ledger) -> Survey | None:
        """Who is there before anything changes; None when nobody is waited for.

        Raises `Refused` for a quorum of more instances than there are.
        """
        from confbus.errors import Refused
        from confbus_publisher.survey import survey

        if self.timeout_s is None:
            return None
        seen = survey(ledger.store)
        live = sum(map(seen.is_live, seen.instances))
        if self.quorum and self.quorum.needed(live) > live:
            why = f"the quorum is {counted(self.quorum.needed(live), 'instance')}, the fleet has {live}"
            raise Refused(why, advice="`confbus fleet` lists them.")
        return seen

    def present(
        self,
        output: str,
        facts: Mapping[str, Any],
        text: str,
        *,
        ledger: Ledger,
        before: Survey | None,
        since: float | None = None,
        state: State | None = None,
    ) -> None:
        """Print what was done, `facts` or `text`, as the option `--output` says; then wait until the fleet has applied
        `state`, or else the head that `ledger` knows, if it shall, and print how that ended. `since` is the monotonic
        time at which the wait began.

        Raises `FleetLagging` when not enough of the fleet has applied it.
        """
        if output == "text":
            show(sentence(text))
        progress = Progress(renews_itself=output == "text")
        uptake = self._watch(ledger, before, state or ledger.state, since=since, progress=progress)
        if output == "json":
            show_json({**facts, "fleet": _facts(uptake)} if uptake else facts)
        if uptake:
            _conclude(uptake, output=output)

    def _watch(
        self,
        ledger: Ledger,
        before: Survey | None,
        state: State | None,
        *,
        since: float | None,
        progress: Progress,
    ) -> Uptake | None:
        from confbus_publisher.quorum import ALL
        from confbus_publisher.waiting import wait_for_fleet

        if self.timeout_s is None or before is None or state is None:
            return None
        spent_s = 0.0 if since is None else time.monotonic() - since
        try:
            return wait_for_fleet(
                ledger,
                before,
                state,
                timeout_s=max(self.timeout_s - spent_s, 0.0),
                quorum=self.quorum or ALL,
                on_progress=progress.tell,
            )
        except KeyboardInterrupt:
            progress.end()
            say(f"Version {state.head.version} is out and stays; `confbus fleet` shows who has it.")
            raise
        finally:
            progress.end()


class Progress:
    """The talk while somebody waits: a line for each change, or in a terminal, if it shall, one that renews itself."""

    def __init__(self, *, renews_itself: bool) -> None:
        self._renewed = RenewedLine() if renews_itself and is_watched() else None
        self._line = ""

    def tell(self, uptake: Uptake) -> None:
        """How far it is now, if that is news."""
        line = _progress_text(uptake)
        if line == self._line or (uptake.is_over and not self._line):
            return
        self._line = line
        if self._renewed:
            self._renewed.show(line)
        else:
            say(line)

    def end(self) -> None:
        """Take the line away that would have been renewed."""
        if self._renewed:
            self._renewed.clear()
        self._line = ""


def _facts(uptake: Uptake) -> dict[str, Any]:
    return {
        "version": uptake.version,
        "is_reached": uptake.is_reached,
        "applied": len(uptake.applied),
        "expected": uptake.expected,
        "needed": uptake.needed,
        "judges": list(uptake.judges),
        "laggards": [_fact(laggard) for laggard in uptake.laggards],
        "appeared": list(uptake.appeared),
        "vanished": list(uptake.vanished),
        "remarks": list(uptake.remarks),
        "superseded_by": uptake.superseded_by,
        "setback": uptake.setback or None,
        "took_ms": uptake.took_ms,
    }


def _conclude(uptake: Uptake, *, output: str) -> None:
    """Tell people how it ended. Raises `FleetLagging` when not enough of the fleet has applied it."""
    from confbus.errors import FleetLagging

    if output == "text":
        for note in _notes(uptake):
            say(note)
    if not uptake.is_reached:
        shown = [_laggard_text(laggard) for laggard in uptake.laggards[:_MOST]]
        if len(uptake.laggards) > _MOST:
            shown.append(f"and {len(uptake.laggards) - _MOST} more; --output json has all")
        raise FleetLagging(uptake.version, _failure(uptake), shown, advice=_advice(uptake))
    if output == "text" and uptake.expected:
        show(sentence(_success(uptake)))


def _progress_text(uptake: Uptake) -> str:
    states = [f"{count} {state}" for state, count in uptake.states().items()]
    setback = [plain(uptake.setback)] if uptake.setback else []
    return ", ".join([f"{len(uptake.applied)} of {uptake.expected} applied", *states, *setback])


def _success(uptake: Uptake) -> str:
    fewest, most = uptake.judges
    judges = f"{fewest} to {most}" if fewest < most else str(most or "no")
    noun = "view or validator" if fewest == most == 1 else "views and validators"
    who = f"{len(uptake.applied)} of {counted(uptake.expected, 'instance')}"
    return f"{who} applied version {uptake.version} in {_duration(uptake)}, judged by {judges} {noun} each."


def _failure(uptake: Uptake) -> str:
    applied, instances = len(uptake.applied), counted(uptake.expected, "instance")
    if uptake.setback:
        return f"{uptake.setback}; {applied} of {instances} had applied it"
    return f"{applied} of {instances} applied it in {_duration(uptake)}, {uptake.needed} should"


def _advice(uptake: Uptake) -> str:
    if uptake.superseded_by:
        return "`confbus history` shows what took its place."
    if uptake.setback:
        return "`confbus status` says where the server stands."
    return "It is out and stays. `confbus rollback` takes it back."


def _notes(uptake: Uptake) -> Iterator[str]:
    if not uptake.expected:
        left = "Nobody is left of those that were live."
        yield left if uptake.vanished else "No instance was live, so nobody was waited for."
    yield from map(plain, uptake.remarks)
    for what, instances in (("Appeared meanwhile", uptake.appeared), ("Left meanwhile", uptake.vanished)):
        if instances:
            yield f"{what}: {plain(listed(instances))}."


def _fact(laggard: Laggard) -> dict[str, Any]:
    return {
        "instance": laggard.instance,
        "state": laggard.state,
        "reason": laggard.reason,
        "running": laggard.running,
        "seen": laggard.seen,
    }


def _laggard_text(laggard: Laggard) -> str:
    at = f" at version {laggard.running}" if laggard.running else ""
    return f"{laggard.instance} is {laggard.state}{at}: {laggard.reason}"


def _duration(uptake: Uptake) -> str:
    return f"{uptake.took_ms / 1000:.{1 if uptake.took_ms >= 1000 else 2}f} s"
