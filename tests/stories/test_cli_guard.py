"""The command line: a release that is watched, by whoever published it or by the active publisher."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

import confbus
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus import Snapshot, Subscriber
    from support.shop import Shop

TIMING = confbus.Timing(poll_s=0.2, report_s=0.5)


def refuses_two(snapshot: Snapshot) -> None:
    if snapshot["number"] == 2:
        raise ValueError("number: two is too many")


def refuses_three(snapshot: Snapshot) -> None:
    if snapshot["number"] == 3:
        raise ValueError("number: three is too many")


@pytest.fixture
def worker(shop: Shop) -> Iterator[Subscriber]:
    """A worker that refuses number 2, at number 1; the fleet knows of it."""
    shop.confbus("publish")
    config = confbus.connect(
        str(shop.url), namespace=shop.namespace, timeout_s=20, timing=TIMING, validators=[refuses_two]
    )
    with config:
        eventually(lambda: shop.confbus("fleet", "--output", "json").data["states"] == {"live": 1})
        yield config


def publish(shop: Shop, number: int, *words: str) -> None:
    shop.write(f"number: {number}\n")
    assert shop.confbus("publish", *words).code == 0


def test_publish_watches_and_says_that_all_went_well(shop: Shop, worker: Subscriber) -> None:
    shop.write("number: 3\n")

    answer = shop.confbus("publish", "--guard", "300ms")

    assert (answer.code, answer.out) == (0, "Published version 2: top-level values (.), db.\n")
    assert "Version 2 is watched for 0.3 s." in answer.err
    worker.wait_for(version=2, timeout=20)


def test_publish_undoes_what_an_instance_refuses_and_says_why(shop: Shop, worker: Subscriber) -> None:
    shop.write("number: 2\n")

    answer = shop.confbus("publish", "--guard", "60s", "--output", "json")

    assert answer.code == 3
    assert answer.data["version"] == 2
    assert answer.data["guard"]["outcome"] == "rolled back"
    assert answer.data["guard"]["version"] == 3
    assert answer.data["guard"]["why"].startswith("guard: 1 of 1 instance refused it: ")
    assert "two is too many" in answer.err
    worker.wait_for(version=3, timeout=20)
    assert worker["number"] == 1
    assert "quarantine" in shop.confbus("status").out


def test_the_same_command_goes_on_with_a_trial_that_was_interrupted(shop: Shop, worker: Subscriber) -> None:
    shop.write("number: 3\n")
    with shop.start("publish", "--guard", "60s") as publishing:
        publishing.says("Version 2 is watched for 60 s.")
        publishing.end(signal.SIGKILL)
    worker.close()
    with confbus.connect(str(shop.url), namespace=shop.namespace, timing=TIMING, validators=[refuses_three]) as other:
        eventually(lambda: other.status().state == "vetoing")

        answer = shop.confbus("publish", "--guard", "60s", "--output", "json")

    assert (answer.code, answer.data["is_new"], answer.data["guard"]["outcome"]) == (3, False, "rolled back")


def test_who_is_replaced_during_the_trial_is_told(shop: Shop, worker: Subscriber) -> None:
    shop.write("number: 3\n")
    with shop.start("publish", "--guard", "60s") as publishing:
        publishing.says("Version 2 is watched for 60 s.")
        publish(shop, 4)

        publishing.says("Version 2 was on trial still when version 3 took its place.")
        assert publishing.process.wait(timeout=30) == 0
    worker.wait_for(version=3, timeout=20)


def test_the_settings_guard_what_is_published_by_hand_unless_it_is_turned_off(shop: Shop, worker: Subscriber) -> None:
    shop.settle("guard: 60s")
    shop.write("number: 2\n")

    off = shop.confbus("publish", "--guard", "off")
    eventually(lambda: worker.status().state == "vetoing")
    shop.confbus("rollback")
    shop.confbus("resume")
    on = shop.confbus("publish")

    assert (off.code, on.code) == (0, 3)


def test_the_active_publisher_judges_what_is_forced_beside_it(shop: Shop, worker: Subscriber) -> None:
    shop.settle("guard: {for: 60s, vetoes: 0}")
    with shop.start("run") as daemon:
        daemon.says("in step")

        answer = shop.confbus("publish", "--force")
        shop.write("number: 2\n")
        daemon.says("version 2 is rolled back, as version 3", "two is too many")
        daemon.says("held", "two is too many")
        assert daemon.end(signal.SIGTERM) == 0

    assert answer.code == 0
    worker.wait_for(version=3, timeout=20)
    assert worker["number"] == 1


def test_run_guards_what_it_puts_out_when_it_is_told_to(shop: Shop, worker: Subscriber) -> None:
    with shop.start("run", "--guard", "60s") as daemon:
        daemon.says("in step")

        shop.write("number: 2\n")
        daemon.says("version 2 is rolled back, as version 3", "two is too many")

    assert worker.wait_for(version=3, timeout=20)["number"] == 1


@pytest.mark.parametrize("text", ["soon", "0", "-1s"])
def test_a_time_that_is_none_is_a_misuse(shop: Shop, text: str) -> None:
    answer = shop.confbus("publish", "--guard", text)

    assert answer.code == 64
