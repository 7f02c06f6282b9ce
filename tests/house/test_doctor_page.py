"""docs/doctor.md has a row for every kind of trouble that `confbus doctor` knows, in the words that it says itself."""

from __future__ import annotations

import importlib
import pkgutil
import re
from pathlib import Path

from confbus_publisher import doctor
from confbus_publisher.doctor.finding import AREAS, Trouble

PAGE = Path(__file__).parents[2] / "docs" / "doctor.md"
ROW = re.compile(r"^\| `([\w-]+)` \| (\w+) \| (.+) \| (.+) \|$", re.MULTILINE)
MODULES = [
    importlib.import_module(f"{doctor.__name__}.{module.name}") for module in pkgutil.iter_modules(doctor.__path__)
]
TROUBLES = {thing for module in MODULES for thing in vars(module).values() if isinstance(thing, Trouble)}


def test_every_kind_of_trouble_has_its_row_below_its_area() -> None:
    known = {(each.area, each.name, each.level, each.why) for each in TROUBLES}

    parts = PAGE.read_text().split("\n## ")[1:]
    told = {
        (part.split("\n")[0].lower(), name, level, why) for part in parts for name, level, _, why in ROW.findall(part)
    }

    assert told == known
    assert {area for area, *_ in told} == set(AREAS)


def test_every_kind_of_trouble_has_a_name_of_its_own() -> None:
    assert len({each.name for each in TROUBLES}) == len(TROUBLES) > 40
