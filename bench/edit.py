"""From the writing of a YAML file to its value readable in another process: watcher, merge, ledger, notice."""

from __future__ import annotations

import multiprocessing
import tempfile
import threading
import time
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from bench.propagation import bus_reader
from bench.rounds import Row, interleave, rows
from bench.worlds import NAMESPACE, changed, document, ledger_at
from confbus.wire.frozen import thaw
from confbus_publisher import embedded
from confbus_publisher.inputs import Inputs
from confbus_publisher.memory_file import MemoryFile
from confbus_publisher.publisher import Publisher
from confbus_publisher.sources.file import FileSource
from confbus_publisher.watch import Watcher

if TYPE_CHECKING:
    from collections.abc import Callable, Generator


def run() -> list[Row]:
    """Milliseconds; the file is replaced, as an editor does."""
    documents = {"a file of 1 KB": (1024, 1), "a file of 100 KB (100 sections)": (100 * 1024, 100)}
    with ExitStack() as stack:
        contestants = {
            name: stack.enter_context(_edited(size_bytes, sections=sections))
            for name, (size_bytes, sections) in documents.items()
        }
        for measure in contestants.values():
            measure()
        return rows(interleave(contestants, 15), unit="ms", targets={})


@contextmanager
def _edited(size_bytes: int, *, sections: int) -> Generator[Callable[[], float]]:
    before = document(size_bytes, sections=sections)
    with embedded.start(port=0) as server, tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "app.yaml"
        file.write_text(yaml.safe_dump(thaw(before)))
        with _publishing(file, server.url):
            ours, theirs = multiprocessing.get_context("spawn").Pipe()
            reader = multiprocessing.get_context("spawn").Process(
                target=bus_reader, args=(server.url, theirs), daemon=True
            )
            reader.start()
            ours.recv()
            value = 0

            def measure() -> float:
                nonlocal value
                value += 1
                new = file.with_suffix(".new")
                new.write_text(yaml.safe_dump(thaw(changed(before, value))))
                started = time.monotonic()
                new.replace(file)
                return (float(ours.recv()) - started) * 1000

            yield measure
            reader.terminate()
            reader.join()


@contextmanager
def _publishing(file: Path, url: str) -> Generator[None]:
    inputs = Inputs([FileSource(file)], limit_bytes=8 << 20)
    memory_file = MemoryFile(file.parent / "memory" / "state", NAMESPACE)
    publisher = Publisher(inputs, ledger_at(url), memory_file, identity="bench", author="bench")
    watcher = Watcher(lambda: inputs.watched, publisher.look)
    thread = threading.Thread(target=publisher.run)
    watcher.start()
    thread.start()
    try:
        yield
    finally:
        publisher.stop()
        thread.join()
        watcher.stop()
