"""The fixtures that pytest finds by itself, and what loading them costs everybody else."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from confbus.subscriber import Subscriber
    from confbus.testing import Bus


def test_a_bus_without_a_mark_has_an_empty_configuration(confbus_bus: Bus, confbus_config: Subscriber) -> None:
    assert confbus_config.snapshot == {}

    confbus_bus.set("web.port", 80)

    assert confbus_config["web.port"] == 80


@pytest.mark.confbus({"web": {"port": 80}})
def test_a_mark_says_what_is_published_first(confbus_config: Subscriber) -> None:
    assert confbus_config["web.port"] == 80


def test_pytest_finds_the_fixtures_by_the_entry_point() -> None:
    (found,) = entry_points(group="pytest11", name="confbus")

    assert found.value == "confbus.testing.plugin"


def test_loading_the_fixtures_loads_nothing_else_of_confbus() -> None:
    program = """
import sys, pytest
before = set(sys.modules)
import confbus.testing.plugin
print(sorted(set(sys.modules) - before))
"""

    said = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert said == "['confbus', 'confbus.errors', 'confbus.testing', 'confbus.testing.plugin']\n"
