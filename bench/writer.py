"""A publisher in a process of its own, so that what is measured here is a worker's part alone."""

from __future__ import annotations

import multiprocessing
from typing import TYPE_CHECKING, Any, Self

from bench.worlds import WHY, ledger_at
from confbus.wire.encoder import Encoder

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

    Tree = Callable[[int], dict[str, Any]]


class Writer:
    """Publishes `tree(0)` at its start, and the tree of the next number for each `change`. `tree` must be picklable."""

    def __init__(self, url: str, tree: Tree) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=write, args=(url, theirs, tree), daemon=True)

    def __enter__(self) -> Self:
        self._process.start()
        self._ours.recv()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.join()

    def change(self) -> None:
        self._ours.send(None)


def write(url: str, pipe: Connection, tree: Tree) -> None:
    """The process."""
    ledger, encoder, value = ledger_at(url), Encoder(), 0
    while True:
        ledger.publish(encoder.encode(tree(value)), WHY)
        if not value:
            pipe.send(None)
        value += 1
        pipe.recv()
