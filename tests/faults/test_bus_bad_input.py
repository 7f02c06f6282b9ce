"""Whatever stands in a source: its place is told, what to do about it, and the running fleet is left alone."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.publisher import Publisher
from confbus_publisher.settings import DOCUMENT_LIMIT_BYTES
from confbus_publisher.sources import FileSource
from support.bus import PACE, document

if TYPE_CHECKING:
    from pathlib import Path

    from support.bus import Bus, Worker


def bomb(use: str) -> str:
    """Each line means ten times what the line before means, which `use` leads to."""
    lines = ["a: &a {k: 1, l: 1, m: 1, n: 1, o: 1, p: 1, q: 1, r: 1, s: 1, t: 1}"]
    for before, name in zip("abcdefg", "bcdefgh", strict=True):
        lines.append(f"{name}: &{name} {use.format(', '.join([f'*{before}'] * 10))}")
    return "\n".join(lines)


SOURCES = {
    "malformed YAML": ("app.yaml", "number: 2\nweb: [1\n", ":3:1"),
    "malformed JSON": ("app.json", '{\n  "number": 2,\n}', ":3:1"),
    "a duplicate key in YAML": ("app.yaml", "number: 2\nnumber: 3\n", ":2:1"),
    "a duplicate key in JSON": ("app.json", '{"number": 2,\n "number": 3}', ":2:2"),
    "an alias bomb": ("app.yaml", bomb("[{}]"), ":6:"),
    "a merge key bomb": ("app.yaml", bomb("{{<<: [{}]}}"), ":6:"),
    "nesting without end in YAML": ("app.yaml", "number: 2\nweb: " + "[" * 100_000, ":2:"),
    "nesting without end in JSON": ("app.json", '{"number":\n' + "[" * 100_000, ":2:"),
    "an alias inside what it names": ("app.yaml", "web: &web\n  number: *web\n", ":2:"),
    "a tag": ("app.yaml", "number: 2\nweb: !vault secret\n", ":2:6"),
    "NaN in YAML": ("app.yaml", "number: .nan\n", ":1:9"),
    "NaN in JSON": ("app.json", '{"number": NaN}', ":1:12"),
    "an integer beyond 64 bits": ("app.yaml", f"number: {2**64}\n", ":1:9"),
    "a key that is no string": ("app.yaml", "number: 2\n8080: web\n", ":2:1"),
    "a top level that is no mapping": ("app.yaml", "- number\n", ":1:1"),
    "bytes that are no text": ("app.yaml", "number: \udcff\n", ":1:"),
}
DOCUMENTS = {
    "nothing at all": ("{}", "--allow-empty"),
    "more than a thousand sections": (
        "\n".join(f"key{number}: {{}}" for number in range(1001)),
        "Group related keys",
    ),
    "a single root with more than a thousand sections": (
        "root:\n" + "\n".join(f"  key{number}: {{text: {'x' * 100}}}" for number in range(1001)),
        "under root",
    ),
    "more than the limit": (
        f"small: {{a: 1}}\nhuge: {{a: {'x' * DOCUMENT_LIMIT_BYTES}}}\nlarge: {{a: {'y' * 1_000_000}}}",
        r"the limit is 8,388,608\. Largest: huge .*, large ",
    ),
}


class Fleet:
    """A publisher whose only source is a file, and a worker, both at document 1."""

    def __init__(self, bus: Bus, path: Path) -> None:
        self.bus = bus
        self._path = path
        self.write(as_text(1))
        self.publisher = Publisher(
            Inputs([FileSource(path)], limit_bytes=DOCUMENT_LIMIT_BYTES),
            Ledger(RedisStore(bus.client, bus.keys, where=bus.url)),
            bus.memory_file(),
            identity="ann:1",
            author="ann",
            pace=PACE,
        )
        bus.story.append(1)
        self.publisher.turn()
        self.worker: Worker = bus.worker()

    def write(self, text: str) -> None:
        self._path.write_bytes(text.encode(errors="surrogateescape"))

    def is_left_alone(self) -> None:
        """Nothing was published, and the next good edit is."""
        self.bus.agree(1)
        assert ("publish", 2) not in self.bus.actions()
        self.write(as_text(2))
        self.bus.story.append(2)
        self.publisher.turn()
        assert self.publisher.standing.state == "in step"
        assert not self.publisher.standing.failures
        self.bus.agree(2)


def as_text(number: int) -> str:
    """A document in what is YAML and JSON at once."""
    return str(document(number)).replace("'", '"')


@pytest.mark.parametrize("case", SOURCES)
def test_a_source_that_makes_no_sense_is_told_with_its_place_and_the_fleet_is_left_alone(
    bus: Bus, tmp_path: Path, case: str
) -> None:
    name, text, place = SOURCES[case]
    path = tmp_path / name
    fleet = Fleet(bus, path)

    fleet.write(text)
    fleet.publisher.turn()

    (told,) = fleet.publisher.standing.failures.values()
    assert told.startswith(f"{path}{place}")
    assert told.endswith(".")
    assert told.count(". ") >= 1, "it says no word of what to do"
    fleet.is_left_alone()


@pytest.mark.parametrize("case", DOCUMENTS)
def test_a_document_that_cannot_go_out_is_told_with_what_to_do_and_the_fleet_is_left_alone(
    bus: Bus, tmp_path: Path, case: str
) -> None:
    text, advice = DOCUMENTS[case]
    fleet = Fleet(bus, tmp_path / "app.yaml")

    fleet.write(text)
    fleet.publisher.turn()

    assert fleet.publisher.standing.state == "refused"
    assert re.search(advice, fleet.publisher.standing.why)
    fleet.is_left_alone()
