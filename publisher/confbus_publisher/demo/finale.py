"""What comes after the story: what to try next, and the fleet going on for who stays to try it."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, NoReturn

from confbus_publisher.demo.shop import APP, NAMESPACE, PRICE
from confbus_publisher.demo.workers import COUNT

if TYPE_CHECKING:
    from confbus_publisher.demo.screen import Screen
    from confbus_publisher.demo.stage import Stage
    from confbus_publisher.demo.workers import Report

_TIME = re.compile(r"^[\d-]+ [\d:]+ ")


def say_goodbye(screen: Screen) -> None:
    """Name the ways on."""
    screen.title("6  Your turn")
    screen.say("This fleet, for you to edit, break and roll back:")
    screen.show("confbus demo --stay", "bold")
    screen.say("Your own configuration, once a confbus.yaml names its sources:")
    screen.show("confbus run", "bold")
    screen.say("Your own code, wherever it runs:")
    screen.show(f'config = confbus.connect("redis://localhost:6379", namespace="{NAMESPACE}")', "bold")
    screen.show(f'config["{PRICE}"]', "bold")


def go_on(stage: Stage, screen: Screen) -> NoReturn:
    """Show what happens to the fleet until somebody ends it. Raises `BrokenOff` when a process does."""
    _invite(stage, screen)
    stage.publisher.take()  # what it said during the story is told
    heard: defaultdict[int, list[Report]] = defaultdict(list)
    while True:
        stage.processes.listen(0.2)
        for line in stage.publisher.take():
            screen.row("publisher", _TIME.sub("", line))
        for report in stage.workers.news():
            heard[report.version].append(report)
            if len(heard[report.version]) == COUNT:
                screen.row(f"version {report.version}", _summary(heard.pop(report.version)))


def _invite(stage: Stage, screen: Screen) -> None:
    directory = stage.shop.directory
    screen.title("6  Your turn: all of it goes on until you press Ctrl-C")
    screen.say("Edit this, and see here what becomes of it:")
    screen.show(str(directory / APP), "bold")
    screen.say("Ask, in another terminal:")
    screen.show(f"confbus status -c {directory / 'confbus.yaml'}", "bold")
    screen.say("Look:")
    screen.show(f"redis-cli -s {stage.socket} HGETALL '{stage.keys.head}'", "bold")
    screen.say("Read, from Python:")
    screen.show(f'url = "{stage.url}"', "bold")
    screen.show(f'config = confbus.connect(url, namespace="{NAMESPACE}")', "bold")
    screen.show(f'config["{PRICE}"]', "bold")
    screen.title("")


def _summary(reports: list[Report]) -> str:
    paths = reports[0].facts["paths"]
    named = ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "")
    times_s = [report.at_s for report in reports]
    return f"{named} changed in {len(reports)} workers, within {(max(times_s) - min(times_s)) * 1000:.1f} ms"
