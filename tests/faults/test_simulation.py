"""Thousands of fleets in a world made of faults: what the protocol promises holds in each of them.

A timeline that breaks a promise tells its seed and its story; `Simulation(seed).run()` tells it again.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from confbus.follower import REGRESSED
from confbus.rule import Verdict, judge
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.repair import Fine
from support.scale import scaled
from support.simulated_publisher import SimulatedSource
from support.simulated_worker import SimulatedWorker
from support.simulation import Simulation
from support.witness import Broken

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from confbus.wire.head import Head

    Rule = Callable[[Head | None, Head | None], Verdict]


PARTS = range(4)
"""Of many timelines, which several processes tell side by side."""


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logging.getLogger("confbus.publisher"), "disabled", True)


def highest_revision(mine: Head | None, theirs: Head | None) -> Verdict:
    """Whoever counts higher is newer."""
    if theirs is None or mine is None or theirs.change == mine.change:
        return judge(mine, theirs)
    return Verdict.APPLY if theirs.revision > mine.revision else Verdict.REGRESSED


def whatever_the_server_says(mine: Head | None, theirs: Head | None) -> Verdict:
    """What is there is right."""
    if theirs is None or mine is None or theirs.change == mine.change:
        return judge(mine, theirs)
    return Verdict.APPLY


def every_other_epoch(mine: Head | None, theirs: Head | None) -> Verdict:
    """An epoch that is not mine is a new one, whatever mine was anchored from."""
    if theirs is None or mine is None or theirs.epoch == mine.epoch:
        return judge(mine, theirs)
    return Verdict.APPLY


def every_unknown_epoch(mine: Head | None, theirs: Head | None) -> Verdict:
    """An epoch that mine was not anchored from is a new one, whether it knows mine or not."""
    if theirs is None or mine is None or theirs.epoch in (mine.epoch, *dict(mine.lineage)):
        return judge(mine, theirs)
    return Verdict.APPLY


def broken(seeds: Iterable[int], *, at_most: int = 10) -> list[int]:
    """The first of the seeds whose timeline breaks a promise."""
    found: list[int] = []
    for seed in seeds:
        try:
            Simulation(seed).run()
        except Broken:
            found.append(seed)
        if len(found) == at_most:
            break
    return found


def test_no_timeline_breaks_a_promise() -> None:
    for seed in range(60):
        Simulation(seed).run()


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_no_timeline_of_many_breaks_a_promise(part: int) -> None:
    for seed in range(1000 + part, 1000 + scaled(test=160, soak=20_000), len(PARTS)):
        Simulation(seed).run()


@pytest.mark.slow
@pytest.mark.parametrize("part", PARTS)
def test_rivals_that_are_stopped_again_and_again_undo_nothing_of_each_other(part: int) -> None:
    for seed in range(part, scaled(test=60, soak=10_000), len(PARTS)):
        Simulation(seed, rivals=True).run()


def test_a_seed_tells_the_same_story_each_time() -> None:
    stories: list[list[tuple[float, str, str]]] = []

    for _ in range(2):
        simulation = Simulation(7)
        simulation.run()
        stories.append(simulation.witness.steps())

    assert stories[0] == stories[1]
    assert len(stories[0]) > 50


@pytest.mark.parametrize("rule", [whatever_the_server_says, every_other_epoch])
def test_a_naive_rule_goes_back_in_many_timelines(rule: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confbus.follower.judge", rule)

    found = broken(range(200))

    assert len(found) == 10


@pytest.mark.slow
def test_following_every_unknown_epoch_goes_back_in_some_timelines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confbus.follower.judge", every_unknown_epoch)

    found = broken(range(1000), at_most=1)

    assert found


def test_without_repair_fleets_fall_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def shrug(*_: object) -> Fine:
        return Fine()

    monkeypatch.setattr("confbus_publisher.repair.assess", shrug)

    found = broken(range(200))

    assert len(found) == 10


@pytest.fixture
def forgetful_world() -> Simulation:
    """A worker runs revision 3; then Redis goes back to 2, and who restores it has not heard of 3. The head is at 4."""
    world = Simulation(0)
    world.redis.is_stormy = False
    ledger, why = Ledger(world.redis, clock=world.agenda), Why("ann")
    source = SimulatedSource(world.rng, is_large=False)
    for _ in range(3):
        source.change()
        merge = Inputs([source], limit_bytes=1_000_000).load()
        world.witness.merged(merge.manifest.digest, source.load().tree)
        ledger.publish(merge.encoded, why)
    world.workers.append(SimulatedWorker("worker", world.redis, rng=world.rng))
    world.agenda.run(world.agenda.now_s + 10)
    world.redis.come_back_as(world.redis.images[-2])
    old = ledger.refresh()
    assert old
    ledger.anchor(old, Why("ann", action="restore"))
    ledger.resume([], Why("ann", action="resume"))
    return world


def test_a_higher_revision_of_a_branch_that_knew_less_is_not_followed(forgetful_world: Simulation) -> None:
    follower = forgetful_world.workers[0].follower
    document = follower.running.document

    forgetful_world.agenda.run(forgetful_world.agenda.now_s + 10)

    assert forgetful_world.redis.there
    assert forgetful_world.redis.there.revision == 4
    assert follower.state == REGRESSED
    assert follower.running.document is document


def test_the_highest_revision_would_go_back(forgetful_world: Simulation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("confbus.follower.judge", highest_revision)

    with pytest.raises(Broken, match="went back"):
        forgetful_world.agenda.run(forgetful_world.agenda.now_s + 10)
