"""Every fault of the bus in memory, in any order: readers never see what is torn or older, and all agree in the end."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from confbus.testing import Bus
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus import Snapshot


class Reader:
    """A worker that refuses what is torn, and remembers what it came to read."""

    def __init__(self, bus: Bus) -> None:
        self.saw: list[int] = []
        self.config = bus.connect(validators=[self.look])

    def look(self, snapshot: Snapshot) -> None:
        assert snapshot["web.number"] == snapshot["number"]
        self.saw.append(snapshot["number"])


def recover(bus: Bus) -> None:
    bus.flow()
    bus.settle()


def faults(bus: Bus) -> list[Callable[[], None]]:
    return [
        bus.sever,
        bus.refuse,
        bus.stall,
        lambda: recover(bus),
        lambda: bus.drop_notices(2),
        lambda: bus.drop_notices(share=0.5),
    ]


def losses(bus: Bus) -> list[Callable[[], None]]:
    """Each makes an epoch, and a head tells of sixteen: whoever hears nothing for longer has to be told by a person."""
    return [lambda: bus.lose_data(wait=False), lambda: bus.lose_data(back_to=1, wait=False)]


@pytest.mark.parametrize("seed", range(scaled(test=3, soak=60)))
def test_in_a_storm_of_faults_nobody_goes_back_and_all_agree_in_the_end(seed: int) -> None:
    rng = random.Random(seed)
    with Bus({"number": 0, "web": {"number": 0}}) as bus:
        readers = [Reader(bus) for _ in range(2)]

        for number in range(1, 60):
            rng.choice(faults(bus) if number % 5 else losses(bus))()
            bus.publish({"number": number, "web": {"number": number}}, wait=False)
            for reader in readers:
                assert reader.config["number"] <= number
        recover(bus)

        for reader in readers:
            assert reader.config["number"] == 59
            assert reader.saw == sorted(reader.saw)
        bus.wait_until(lambda: all(reader.config.status().state == "live" for reader in readers))
