"""A rollback is the same whoever makes it: the command line, a manager, or redis-cli alone."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any

import pytest

from confbus.client import keys_of, make_client
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.ledger.scripts import script
from support.managed import managed
from support.places import encoded
from support.said import Said

if TYPE_CHECKING:
    from collections.abc import Callable

    from support.shop import Shop

GOOD: dict[str, Any] = {"pool": {"min": 1, "max": 5}, "other": {"n": 1}}
BAD: dict[str, Any] = {"pool": {"min": 9, "max": 5}, "new": {"n": 2}, "other": {"n": 1}}
WHY = "too many connections"


def by_command(shop: Shop, _ledger: Ledger) -> None:
    assert shop.confbus("rollback", "-m", WHY, "--author", "ann").code == 0


def by_manager(shop: Shop, _ledger: Ledger) -> None:
    async def main() -> None:
        async with managed(Said(BAD), redis=shop.url, namespace=shop.namespace, author="ann") as manager:
            result = await manager.rollback(message=WHY)
            assert result.errors == ()

    asyncio.run(main())


def by_hand(_shop: Shop, ledger: Ledger) -> None:
    assert isinstance(ledger.store, RedisStore)
    keys = ledger.store.keys
    names = [keys.head, keys.release(1), keys.release(3), keys.release(2), keys.blobs, keys.log, keys.quarantine]
    client: Any = make_client(str(ledger.store.where))
    with client:
        assert script("rollback").call(client, [*names, keys.notices], ["ann", WHY])[:2] == ("rolled back", "3")


def outcome(ledger: Ledger) -> dict[str, Any]:
    """All that a rollback leaves, without what is of chance: ids and times. Only paths are not in the entry by hand."""
    state = ledger.refresh()
    assert state
    entry = next(dict(each.fields) for each in ledger.store.log(9) if each.fields["action"] == "rollback")
    own = ("change", "ancestors", "epoch", "at")
    return {
        "head": {name: text for name, text in state.head.fields().items() if name not in own},
        "ancestors": len(state.head.ancestors),
        "release": {name: text for name, text in state.release.fields().items() if name not in own},
        "quarantine": {pair: re.sub(r" at \S+:", " at …:", why) for pair, why in ledger.store.quarantine().items()},
        "entry": {name: text for name, text in entry.items() if text and name not in {*own, "changes"}},
        "epoch": entry["epoch"] == state.head.epoch,
    }


@pytest.mark.parametrize("way", [by_command, by_manager, by_hand])
def test_a_rollback_leaves_the_same_whoever_makes_it(shop: Shop, way: Callable[[Shop, Ledger], None]) -> None:
    client: Any = make_client(str(shop.url))
    ledger = Ledger(RedisStore(client, keys_of(client, shop.namespace), where=str(shop.url)))
    for document in (GOOD, BAD):
        ledger.publish(encoded(document), Why("ci"))
    good, bad = encoded(GOOD).manifest, encoded(BAD).manifest

    way(shop, ledger)

    left = outcome(ledger)
    client.close()
    assert left["head"]["version"] == left["head"]["revision"] == "3"
    assert (left["head"]["digest"], left["head"]["merged"]) == (good.digest, bad.digest)
    assert (left["ancestors"], left["epoch"]) == (2, True)
    assert {name: left["release"][name] for name in ("version", "of", "parent", "author", "message", "digest")} == {
        "version": "3",
        "of": "1",
        "parent": "2",
        "author": "ann",
        "message": WHY,
        "digest": good.digest,
    }
    held = [f"{section} {bad.sections[section]}" for section in ("new", "pool")]
    assert left["quarantine"] == dict.fromkeys(held, f"rolled back by ann at …: {WHY}")
    assert left["entry"] == {
        "action": "rollback",
        "version": "3",
        "from": "2",
        "of": "1",
        "revision": "3",
        "digest": good.digest,
        "from_digest": bad.digest,
        "author": "ann",
        "message": WHY,
        "held": "new pool",
    }
