"""What the demo tells, step by step. Every value and every number in it was read or measured a moment ago."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from confbus_publisher.demo.processes import BrokenOff
from confbus_publisher.demo.shop import APP, HOST, OVERRIDE, PRICE

if TYPE_CHECKING:
    from confbus_publisher.demo.screen import Screen
    from confbus_publisher.demo.shop import Edit
    from confbus_publisher.demo.stage import Stage

MESSAGE = "every order ships free"
_LOG_FIELDS = ("action", "version", "author", "message")


class Story:
    """Told by `tell`, on a stage, to a screen. `BrokenOff` is raised when something does not happen, or not in time."""

    def __init__(self, stage: Stage, screen: Screen) -> None:
        self._stage = stage
        self._screen = screen

    def tell(self) -> None:
        self._a_fleet_starts()
        self._an_edit_reaches_it()
        self._a_broken_edit_is_refused()
        self._a_bad_value_goes_out()
        self._the_fleet_is_rolled_back()
        self._redis_has_it_all()

    def _a_fleet_starts(self) -> None:
        stage, screen = self._stage, self._screen
        screen.title("1  A fleet starts")
        screen.say("A publisher merges two files and a variable; four workers read the result.")
        screen.show(f"cd {stage.shop.directory}", "dim")
        screen.show(f"{'='.join(OVERRIDE)} confbus run -c confbus.yaml", "dim")
        screen.row("server", f"pid {stage.processes.server.pid}")
        version = stage.start_publisher()
        screen.row("publisher", f"pid {stage.publisher.pid:<8} published version {version}")
        stage.start_workers()
        reports = stage.workers.gather("running", version=version)
        for each in reports:
            screen.row(each.worker, f"pid {each.pid:<8} runs version {each.version}, {PRICE} is {each.price}")
        hosts = {each.values[HOST] for each in reports}
        if hosts != {OVERRIDE[1]}:
            raise BrokenOff(f"{HOST} is not what ${OVERRIDE[0]} says in every worker.")
        screen.say(f"{HOST} is {hosts.pop()}: the variable won over {APP}.")
        self._rest(2)

    def _an_edit_reaches_it(self) -> None:
        self._screen.title("2  Somebody edits a file")
        edit = self._edit("free_shipping_from: 50", "free_shipping_from: 39")
        slowest_ms = self._arrives(2, edit.at_s)
        self._screen.say(f"Saved in one place, readable in four processes within {slowest_ms:.1f} ms. No restart.")
        self._rest(2)

    def _a_broken_edit_is_refused(self) -> None:
        stage, screen = self._stage, self._screen
        screen.title("3  A broken edit is refused, and no worker notices")
        edit = self._edit("name: Driftwood", "name: Driftwood: by the sea")
        screen.row("publisher", stage.publisher_says(re.escape(edit.place) + ".*"), "red")
        stage.workers.ask()
        for each in stage.workers.gather("read", version=2):
            if each.facts["seen"] != [39]:
                raise BrokenOff(f"{each.worker} read something else than the good value.")
            reads, each_ns = each.facts["reads"], each.facts["each_ns"]
            screen.row(each.worker, f"version 2   {reads:,} reads, {each_ns:.0f} ns each, every one {each.price}")
        stage.shop.edit("name: Driftwood: by the sea", "name: Driftwood")
        screen.say("The line is mended: that is what runs already, so no version goes out.")
        self._rest(2)

    def _a_bad_value_goes_out(self) -> None:
        self._screen.title("4  A bad value goes out, and the fleet is rolled back")
        edit = self._edit("free_shipping_from: 39", "free_shipping_from: 0")
        self._arrives(3, edit.at_s)
        self._screen.say("Correct YAML, and wrong: every order ships free now. So:")
        self._rest(1.5)

    def _the_fleet_is_rolled_back(self) -> None:
        stage, screen = self._stage, self._screen
        screen.show(f'confbus rollback -m "{MESSAGE}"', "bold")
        at_s = time.monotonic()
        release = stage.roll_back(MESSAGE)
        self._arrives(release.version, at_s)
        screen.row(f"version {release.version}", f"has the content of version {release.of} again")
        for pair, reason in stage.ledger.store.quarantine().items():
            screen.row("held", f"{pair.split()[0]}: {reason}", "yellow")
        self._rest(2)
        screen.say("The file's 0 does not go out again by itself. Once it is mended:")
        edit = self._edit("free_shipping_from: 0", "free_shipping_from: 45")
        self._arrives(release.version + 1, edit.at_s)
        self._rest(2)

    def _redis_has_it_all(self) -> None:
        stage, screen = self._stage, self._screen
        screen.title("5  In Redis, all of it is plain to see")
        screen.show(f"redis-cli -s {stage.socket}", "dim")
        screen.show(f"> HGETALL {stage.keys.head}", "dim")
        state = stage.ledger.refresh()
        for name, text in state.head.fields().items() if state else ():
            screen.row(name, text if len(text) <= 60 else f"{text[:57]}...")
        screen.show(f"> XREVRANGE {stage.keys.log} + - COUNT 3", "dim")
        for entry in stage.ledger.store.log(3):
            screen.row("", " ".join(entry.fields[field] for field in _LOG_FIELDS))
        self._rest(1)

    def _edit(self, old: str, new: str) -> Edit:
        edit = self._stage.shop.edit(old, new)
        self._screen.show(edit.place, "dim")
        self._screen.show(f"-{edit.old}", "red")
        self._screen.show(f"+{edit.new}", "green")
        return edit

    def _arrives(self, version: int, since_s: float) -> float:
        """Show when each worker could read `version`; gives the time of the slowest, in milliseconds."""
        reports = self._stage.workers.gather("changed", version=version)
        for each in reports:
            text = f"version {version}   {PRICE} is {each.price}"
            self._screen.row(each.worker, f"{text:<47} {(each.at_s - since_s) * 1000:6.1f} ms")
        return max((each.at_s - since_s) * 1000 for each in reports)

    def _rest(self, seconds: float) -> None:
        """A moment to read, where somebody does."""
        self._stage.processes.listen(seconds if self._screen.is_watched else 0)
