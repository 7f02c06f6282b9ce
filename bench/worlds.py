"""A server, a ledger and documents to measure with."""

from __future__ import annotations

import random
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import confbus
from confbus.client import keys_of, make_client
from confbus.wire.encoder import Encoder
from confbus.wire.frozen import Frozen, freeze
from confbus_publisher import embedded
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore

if TYPE_CHECKING:
    from collections.abc import Generator

    from confbus.subscriber import Subscriber

NAMESPACE = "bench"
WHY = Why("bench")


def document(size_bytes: int, *, sections: int) -> Frozen:
    """A document of about `size_bytes`: one section of 1 KB, the others of equal size; words, numbers, flags."""
    dice = random.Random(size_bytes)
    each = (size_bytes - 1024) // max(1, sections - 1)
    sizes = [1024, *[each] * (sections - 1)]
    return Frozen({f"service{index:04}": freeze(_section(dice, size)) for index, size in enumerate(sizes)})


def _section(dice: random.Random, size_bytes: int) -> dict[str, Any]:
    section: dict[str, Any] = {"value": 0}
    for index in range(size_bytes // 47):
        section[f"option{index}"] = {"name": f"{dice.getrandbits(96):x}", "limit": dice.randrange(10_000), "on": True}
    return section


def changed(before: Frozen, value: int, *, section: int = 0) -> Frozen:
    """`before` with another value in one section; every other section is the very same object."""
    key = list(before)[section]
    return Frozen({**before, key: Frozen({**before[key], "value": value})})


def ledger_at(url: str) -> Ledger:
    client = make_client(url)
    ledger = Ledger(RedisStore(client, keys_of(client, NAMESPACE), where=url))
    ledger.refresh()
    return ledger


@contextmanager
def published(tree: dict[str, Any]) -> Generator[Subscriber]:
    """A subscriber in this process that runs `tree`."""
    with embedded.start() as server:
        ledger_at(server.url).publish(Encoder().encode(freeze(tree)), WHY)
        with confbus.connect(server.url, namespace=NAMESPACE) as config:
            yield config
