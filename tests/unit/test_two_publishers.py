"""Two publishers in one namespace, for as long as it takes: their clocks and the store's are moved by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Amendment, Ledger
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.overrides.override import Override, parse_path
from confbus_publisher.publisher import Publisher
from support.bus import Edits
from support.clock import Clock

if TYPE_CHECKING:
    from pathlib import Path

DAY_S = 86_400.0


class Machine:
    """One with a publisher on it, which takes a turn whenever it is due; a stopped one takes none. Its own clock began
    at some time of its own."""

    def __init__(self, name: str, store: MemoryStore, file: MemoryFile, *, began_s: float, **tree: Any) -> None:
        self.clock = Clock(began_s)
        self.is_stopped = False
        self.name = name
        self._edits = Edits(tree)
        self._due_s = began_s
        self.publisher = Publisher(
            Inputs([self._edits], limit_bytes=10_000),
            Ledger(store),
            file,
            identity=name,
            author=name,
            clock=self.clock,
        )

    @property
    def state(self) -> str:
        return self.publisher.standing.state

    @property
    def why(self) -> str:
        return self.publisher.standing.why

    def says(self, **tree: Any) -> None:
        """Its source is edited; a watcher wakes it."""
        self._edits.write(tree)
        self._due_s = self.clock()

    def pass_second(self) -> None:
        self.clock.advance(1.0)
        if not self.is_stopped and self.clock() >= self._due_s:
            self._due_s = self.clock() + self.publisher.turn()


class World:
    """Ann begins and is active, Bob comes second."""

    def __init__(self, directory: Path) -> None:
        self.clock = Clock()
        self.store = MemoryStore(clock=self.clock)
        self.machines: list[Machine] = []
        self._directory = directory

    def machine(self, name: str, **tree: Any) -> Machine:
        file = MemoryFile(self._directory / name, "shop")
        machine = Machine(name, self.store, file, began_s=1000.0 * (1 + len(self.machines)), **tree)
        self.machines.append(machine)
        machine.pass_second()
        return machine

    def pass_s(self, seconds: int) -> list[str]:
        """Let time pass. Returns who held the lease, one after the other."""
        holders: list[str] = []
        for _ in range(seconds):
            self.clock.advance(1.0)
            for machine in self.machines:
                machine.pass_second()
            holders += [self.store.lease()] if holders[-1:] != [self.store.lease()] else []
        return [each for each in holders if each]

    def override(self, path: str, value: Any, *, ttl_s: float) -> None:
        """A person sets it; whoever publishes finds it by the next look."""
        now_ms = self.store.time_ms()
        until_ms = now_ms + int(ttl_s * 1000)
        override = Override(path=parse_path(path), value=value, at_ms=now_ms, until_ms=until_ms, by="operator")
        self.store.amend(Amendment("overrides", path, override.text(), {"action": "set", "author": "operator"}))

    def authors(self) -> list[str]:
        """Who made each release, oldest first."""
        made = (entry.fields for entry in reversed(self.store.log(1000)) if entry.fields["action"] == "publish")
        return [fields["author"] for fields in made]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_two_with_different_files_never_take_turns(world: World) -> None:
    ann, bob = world.machine("ann", number=1), world.machine("bob", number=2, more={"a": 1})

    holders = world.pass_s(3600)

    assert holders == ["ann"]
    assert world.authors() == ["ann"]
    assert (ann.state, bob.state) == ("in step", "standby")
    assert bob.why == "ann is active; its sources differ from the head, as `confbus plan` there shows: ~number +more"


def test_whoever_takes_over_with_other_files_says_so_and_waits_for_a_change_of_them(world: World) -> None:
    ann, bob = world.machine("ann", number=1), world.machine("bob", number=2)
    world.pass_s(60)

    ann.is_stopped = True
    holders = world.pass_s(3600)
    ann.is_stopped = False
    later = world.pass_s(3600)

    assert (holders, later) == (["ann", "bob"], ["bob"])
    assert (ann.state, bob.state) == ("standby", "diverged")
    assert "shows: ~number; change a source, or `confbus publish`" in bob.why
    assert world.authors() == ["ann"]
    bob.says(number=3)
    world.pass_s(60)
    assert (world.authors(), bob.state) == (["ann", "bob"], "in step")


@pytest.mark.parametrize("after_s", range(5))
def test_whoever_stands_by_takes_over_the_moment_the_lease_of_the_dead_runs_out(world: World, after_s: int) -> None:
    ann = world.machine("ann", number=1)
    world.pass_s(after_s)
    bob = world.machine("bob", number=1)
    world.pass_s(60)

    ann.is_stopped = True
    left_s = int(world.store.lease_ends_in_s())
    before, after = world.pass_s(left_s - 1), world.pass_s(2)

    assert (before, after[-1]) == (["ann"], "bob")
    assert left_s <= 15
    assert bob.publisher.standing.is_active


def test_what_the_standby_was_given_too_is_no_difference(world: World) -> None:
    ann, bob = world.machine("ann", number=1), world.machine("bob", number=1)

    bob.says(number=2)
    world.pass_s(60)
    ann.says(number=2)
    world.pass_s(60)
    ann.is_stopped = True
    world.pass_s(60)

    assert (world.authors(), bob.state) == (["ann", "ann"], "in step")


@pytest.mark.parametrize(("after_s", "outcome"), [(0, "in step"), (60, "diverged")])
def test_an_edit_of_the_standby_alone_goes_out_when_the_active_one_had_no_time_for_it(
    world: World, after_s: int, outcome: str
) -> None:
    ann, bob = world.machine("ann", number=1), world.machine("bob", number=1)
    world.pass_s(60)

    bob.says(number=2)
    world.pass_s(after_s)
    ann.is_stopped = True
    world.pass_s(60)

    assert bob.state == outcome
    assert world.authors() == ["ann", "bob"][: 1 + (outcome == "in step")]


def test_an_edit_right_after_the_first_release_goes_out_from_who_takes_over(world: World) -> None:
    ann, bob = world.machine("ann", number=0), world.machine("bob", number=1)

    bob.is_stopped = True  # It has merged what Ann is about to publish, and never looks while that is in force.
    ann.says(number=1)
    world.pass_s(1)
    ann.is_stopped = True
    bob.is_stopped = False
    bob.says(number=2)
    world.pass_s(60)

    assert world.authors() == ["ann", "ann", "bob"]
    assert bob.state == "in step"


@pytest.mark.parametrize("jump_s", [DAY_S, -DAY_S], ids=["forward", "back"])
def test_a_clock_of_the_server_that_jumps_doubles_nothing(world: World, jump_s: float) -> None:
    ann, bob = world.machine("ann", number=1), world.machine("bob", number=1)
    world.pass_s(60)

    world.clock.advance(jump_s)
    holders = world.pass_s(3)
    for machine in (ann, bob):
        machine.says(number=2)
    holders += world.pass_s(60)

    assert len(set(holders)) == 1
    assert len(world.authors()) == 2
    assert sorted((ann.state, bob.state)) == ["in step", "standby"]


def test_a_clock_of_the_server_that_is_set_back_keeps_no_lease_of_the_dead(world: World) -> None:
    ann, bob = world.machine("ann", number=1), world.machine("bob", number=1)
    world.pass_s(60)

    ann.is_stopped = True
    world.clock.advance(-DAY_S)
    bob.says(number=2)
    world.pass_s(25)

    assert (world.authors(), bob.state) == (["ann", "bob"], "in step")


def test_a_clock_of_a_machine_that_leaps_ends_no_lease(world: World) -> None:
    ann, bob = world.machine("ann", number=1), world.machine("bob", number=1)

    for machine in (bob, ann, bob):
        machine.clock.advance(DAY_S)
        assert world.pass_s(60) == ["ann"]

    assert ann.publisher.standing.is_active
    assert world.authors() == ["ann"]


def test_an_override_does_not_let_out_the_files_of_whoever_took_over_with_others(world: World) -> None:
    ann, bob = world.machine("ann", number=1), world.machine("bob", number=2)
    world.pass_s(60)
    ann.is_stopped = True
    world.pass_s(60)

    world.override("pool", 9, ttl_s=120)
    world.pass_s(60)
    while_in_force = bob.state
    world.pass_s(120)

    assert (while_in_force, bob.state, world.authors()) == ("diverged", "diverged", ["ann"])


@pytest.mark.parametrize("ttl_s", [20, 500], ids=["ended", "set"])
def test_an_override_just_before_a_take_over_is_no_change_of_the_files(world: World, ttl_s: int) -> None:
    ann, bob = world.machine("ann", number=1), world.machine("bob", number=2)
    world.pass_s(60)
    world.override("pool", 9, ttl_s=ttl_s)
    world.pass_s(10)

    ann.is_stopped = True
    world.pass_s(60)

    assert (bob.state, world.authors()) == ("diverged", ["ann", "ann"])


def test_an_override_that_ends_after_a_take_over_with_the_same_files_ends_there(world: World) -> None:
    ann, bob = world.machine("ann", number=1), world.machine("bob", number=1)
    world.pass_s(60)
    world.override("pool", 9, ttl_s=20)
    world.pass_s(10)

    ann.is_stopped = True
    world.pass_s(60)

    assert (bob.state, world.authors()) == ("in step", ["ann", "ann", "bob"])
