"""One of ten YAML files of 100 KB was edited: what parse, merge, check and publish cost, beside CSafeLoader."""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from bench.rounds import Row, interleave, rows
from bench.worlds import WHY, document, ledger_at
from confbus.wire.encoder import Encoder
from confbus.wire.frozen import thaw
from confbus_publisher import embedded
from confbus_publisher.inputs import Inputs
from confbus_publisher.layers import Layers
from confbus_publisher.merge import merge
from confbus_publisher.sources import DirectorySource

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.wire.encoder import Encoded

_FILES, _SECTIONS = 10, 10
_ROUNDS = 9


def run() -> list[Row]:
    """Milliseconds. Before each measurement a value in the first file changes."""
    with ExitStack() as stack:
        directory = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = stack.enter_context(embedded.start(port=0))
        desk = _Desk(directory)
        inputs, ledger = Inputs([DirectorySource(directory)], limit_bytes=8 << 20), ledger_at(server.url)
        contestants = {
            "CSafeLoader: all ten files, and a merge by update": desk.timed(desk.nothing, lambda _: desk.naive()),
            "CSafeLoader: the edited file alone": desk.timed(desk.nothing, lambda _: desk.edited()),
            "confbus: from ten files to a document, as below": desk.timed(desk.nothing, lambda _: inputs.load()),
            "confbus: parse": desk.timed(desk.nothing, lambda _: desk.layers.load()),
            "confbus: merge": desk.timed(desk.layers.load, merge),
            "confbus: check of the size, by encoding what changed": desk.timed(desk.merged, desk.encoder.encode),
            "confbus: publish": desk.timed(desk.encoded, lambda encoded: ledger.publish(encoded, WHY)),
        }
        for measure in contestants.values():
            measure()
        return rows(interleave(contestants, _ROUNDS), unit="ms", targets={})


class _Desk:
    """Ten files, and what is done to them."""

    def __init__(self, directory: Path) -> None:
        self._files = [directory / f"{number}.yaml" for number in range(_FILES)]
        for number, file in enumerate(self._files):
            content = thaw(document(100 * 1024, sections=_SECTIONS))
            file.write_text(yaml.safe_dump({f"{key}-{number}": section for key, section in content.items()}))
        self._text = self._files[0].read_text()
        self._values = count(1)
        self.layers = Layers([DirectorySource(directory)])
        self.encoder = Encoder()

    def timed(self, before: Callable[[], Any], work: Callable[[Any], object]) -> Callable[[], float]:
        """What `work` takes on what `before` made of the files, in milliseconds."""

        def measure() -> float:
            self._files[0].write_text(self._text.replace("value: 0", f"value: {next(self._values)}", 1))
            given = before()
            started = time.perf_counter()
            work(given)
            return (time.perf_counter() - started) * 1000

        return measure

    def nothing(self) -> None:
        """For work that begins with the files."""

    def naive(self) -> dict[str, Any]:
        merged: dict[str, Any] = {}
        for file in self._files:
            merged.update(yaml.load(file.read_bytes(), yaml.CSafeLoader))
        return merged

    def edited(self) -> object:
        return yaml.load(self._files[0].read_bytes(), yaml.CSafeLoader)

    def merged(self) -> Any:
        return merge(self.layers.load()).tree

    def encoded(self) -> Encoded:
        return self.encoder.encode(self.merged())
