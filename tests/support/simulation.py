"""A whole fleet in one thread: real followers, real publishers and the real ledger, in a world made of faults.

A seed tells one story. First a storm: Redis forgets, comes back from backups and goes away; connections break, fall
silent or deaf; processes die and come back with memories of any age, or are stopped in the middle of anything, for
longer than a lease; sources change; an operator rolls back. Then calm: one publisher runs, nothing fails any more, and
within two report intervals everybody has to agree.
"""

from __future__ import annotations

from random import Random

from confbus.timing import Timing
from support.agenda import Agenda
from support.simulated_operator import SimulatedOperator
from support.simulated_publisher import SimulatedPublisher, SimulatedSource
from support.simulated_redis import Image, SimulatedRedis
from support.simulated_worker import SimulatedWorker
from support.witness import Witness

CALM_S = 2 * Timing().report_s


class Simulation:
    """One timeline. `run` raises `Broken` when a promise was broken. Two `rivals` with sources of their own are stopped
    again and again, each for about as long as its lease."""

    def __init__(self, seed: int, *, memory: float = 0.7, rivals: bool = False) -> None:
        self.agenda = Agenda()
        self.rng = Random(seed)
        self._memory = memory
        self._rivals = rivals
        self.witness = Witness(seed, self.agenda)
        self.redis = SimulatedRedis(self.agenda, self.witness, self.rng)
        self.publishers = self._make_publishers()
        self.operator = SimulatedOperator(self.publishers, self.redis, rng=self.rng)
        self.workers: list[SimulatedWorker] = []
        self._storm_ends_s = 0.0

    def run(self) -> None:
        for publisher in self.publishers:
            self.agenda.after(self.rng.uniform(0, 5), publisher.start)
        for _ in range(self.rng.randint(2, 3)):
            self.agenda.after(self.rng.uniform(0, 5), self._start_a_worker)
        self.agenda.after(self.rng.uniform(0, 5), self.operator.look)
        self.agenda.run(self.agenda.now_s + 8)
        self._storm_ends_s = self.agenda.now_s + self.rng.uniform(25, 90)
        self._storm()
        self.agenda.run(self._storm_ends_s)
        self._calm()
        self.agenda.run(self.agenda.now_s + CALM_S)
        self._must_agree()

    def _storm(self) -> None:
        """Strike again and again. Each strike is on the agenda, so that it also meets those who are held up."""
        if self.agenda.now_s < self._storm_ends_s:
            self._strike()
            self.agenda.after(self.rng.expovariate(0.4), self._storm)

    def _make_publishers(self) -> list[SimulatedPublisher]:
        source = SimulatedSource(self.rng, is_large=self.rng.random() < 0.1)
        count = 2 if self._rivals else self.rng.randint(1, 2)
        sources = [source]
        if count == 2:
            is_shared = not self._rivals and self.rng.random() < 0.5
            sources.append(source if is_shared else SimulatedSource(self.rng, is_large=False))
        return [
            SimulatedPublisher(
                f"publisher{index}", source, self.redis, rng=self.rng, has_memory=self.rng.random() < self._memory
            )
            for index, source in enumerate(sources)
        ]

    def _start_a_worker(self) -> None:
        worker = SimulatedWorker(f"worker{len(self.workers)}", self.redis, rng=self.rng)
        if self.rng.random() < 0.3:
            worker.refused = {self.rng.randrange(6)}
        self.workers.append(worker)

    def _strike(self) -> None:
        """Something happens."""
        strikes = {
            self._change_a_source: 30,
            self._come_back_older: 14,
            self._flush: 4,
            self.redis.lose_a_part: 6,
            self._take_redis_away: 5,
            self._break_a_link: 12,
            self._cut_a_worker_off: 7,
            self._restart_a_worker: 8,
            self._crash_a_publisher: 10,
            self._stop_a_publisher: 60 if self._rivals else 6,
            self.operator.roll_back: 10,
            self.operator.resume: 3,
            self.redis.send_again: 5,
            self._send_garbage: 2,
            self._change_validators: 3,
        }
        self.rng.choices(list(strikes), list(strikes.values()))[0]()

    def _calm(self) -> None:
        self.witness.tell("world", "calms down")
        self.redis.is_stormy = False
        self.redis.recover()
        for worker in self.workers:
            worker.is_cut_off = False
        last = self.rng.choice(self.publishers)
        for publisher in self.publishers:
            if publisher is not last and publisher.publisher:
                publisher.crash()
        if last.publisher is None:
            last.start()

    def _must_agree(self) -> None:
        apart = [worker.instance for worker in self.workers if not worker.has_followed()]
        if apart or self.redis.there is None:
            self.witness.complain(f"{apart or 'the head'} did not come to the head {self.redis.there}")

    def _change_a_source(self) -> None:
        self.rng.choice(self.publishers).change_source()

    def _come_back_older(self) -> None:
        images = self.redis.images
        depth = min(int(self.rng.expovariate(0.25)) + 1, len(images) - 1)
        self.redis.come_back_as(images[-1 - depth])
        if self.rng.random() < 0.5:
            for link in tuple(self.redis.links):
                self.redis.cut(link)

    def _flush(self) -> None:
        self.redis.come_back_as(Image())

    def _take_redis_away(self) -> None:
        if self.redis.is_up:
            self.redis.fail()
            self.agenda.after(self.rng.expovariate(0.2), self.redis.recover)

    def _break_a_link(self) -> None:
        if self.redis.links:
            link = self.rng.choice(self.redis.links)
            self.witness.tell("world", "breaks a link")
            match self.rng.randrange(3):
                case 0:
                    self.redis.cut(link)
                case 1:
                    link.mode = "silent"
                case _:
                    link.mode = "deaf"

    def _cut_a_worker_off(self) -> None:
        worker = self.rng.choice(self.workers)
        worker.is_cut_off = True
        self.witness.tell(worker.instance, "is cut off")
        if worker.link:
            worker.link.mode = "silent"

        def reconnect() -> None:
            worker.is_cut_off = False

        mean_s = 10 if self.rng.random() < 0.7 else 40
        self.agenda.after(self.rng.expovariate(1 / mean_s), reconnect)

    def _restart_a_worker(self) -> None:
        worker = self.rng.choice(self.workers)
        worker.end(is_graceful=self.rng.random() < 0.5)
        worker.start()

    def _stop_a_publisher(self) -> None:
        self.redis.hold_up(self.rng.randrange(8), self.rng.uniform(5, 60))

    def _crash_a_publisher(self) -> None:
        publisher = self.rng.choice(self.publishers)
        if self.redis.is_holding_up:
            return  # Whoever is stopped does not end.
        if publisher.publisher is None:
            publisher.start()
        else:
            publisher.crash()
            self.agenda.after(self.rng.expovariate(0.1), publisher.start)

    def _send_garbage(self) -> None:
        self.redis.send(self.rng.randbytes(self.rng.randrange(40)))

    def _change_validators(self) -> None:
        worker = self.rng.choice(self.workers)
        worker.accept({self.rng.randrange(6)} if self.rng.random() < 0.5 else set())
