"""Test a program that is configured by confbus: no server, and faults to try.

    python examples/08_testing.py        # or: pytest examples/08_testing.py

A function that reads its configuration, and what its tests look like.
"""

from confbus import Snapshot, Subscriber
from confbus.testing import Bus, override, static

SHOP = {"checkout": {"free_shipping_from": 50}, "features": {"wrapping": False}}


def price(config: Subscriber, total: int) -> int:
    shipping = 0 if total >= config["checkout.free_shipping_from"] else 5
    return total + shipping + (2 if config["features.wrapping"] else 0)


def is_generous(snapshot: Snapshot) -> None:
    if snapshot["checkout.free_shipping_from"] > 100:
        raise ValueError("that would be stingy")


def test_wrapping_costs_two() -> None:
    # The smallest kind: no bus, no thread. The override counts in this thread or task alone.
    config = static(SHOP)

    with override(config, {"features.wrapping": True}):
        assert price(config, 60) == 62
    assert price(config, 60) == 60


def test_a_stingy_release_is_refused() -> None:
    # The whole way of a release, in memory. What is set is judged when the call returns.
    with Bus(SHOP) as bus:
        config = bus.connect(validators=[is_generous])

        bus.set("checkout.free_shipping_from", 80)
        assert price(config, 60) == 65

        bus.set("checkout.free_shipping_from", 200)
        assert price(config, 90) == 90
        print("refused:", *bus.vetoes().values())


def test_a_loss_of_data_changes_no_price() -> None:
    with Bus(SHOP) as bus:
        config = bus.connect()

        bus.lose_data()
        print("state:", config.status().state)
        assert price(config, 40) == 45

        bus.repair()
        print("state:", config.status().state)


if __name__ == "__main__":
    test_wrapping_costs_two()
    test_a_stingy_release_is_refused()
    test_a_loss_of_data_changes_no_price()
