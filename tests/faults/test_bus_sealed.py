"""Sealed sections on a bus: keys that come, go and are not there; publishers that die while they change them; and bytes
that somebody put in the place of others."""

from __future__ import annotations

from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from confbus.seal import seal
from confbus.wire import codec
from confbus.wire.encoder import Encoder
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.oneshot import publish_once
from confbus_publisher.overrides.override import Override
from support.bus import dies
from support.eventually import eventually
from support.sealed_bus import SECRET, SealedBus, document
from support.seals import key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.server import Server

LUA = Path(__file__).parents[2] / "lua"


@pytest.fixture
def bus(server: Server, namespace: str, tmp_path: Path) -> Iterator[SealedBus]:
    with SealedBus(server.url, namespace, tmp_path) as bus:
        yield bus


def test_a_rotation_in_mid_flight_is_read_by_whoever_has_the_keys_and_costs_nobody_what_he_reads(
    bus: SealedBus,
) -> None:
    bus.keyring("ann", "k1")
    publisher = bus.publisher(1)
    ready, behind, without = bus.reader("ready", "k2", "k1"), bus.reader("behind", "k1"), bus.reader("without")
    assert (ready.number, behind.number, without.is_locked) == (1, 1, True)

    bus.keyring("ann", "k2", "k1")
    publisher.write(document(2))
    eventually(lambda: ready.number == 2)
    eventually(lambda: behind.state == "vetoing" and without.config["number"] == 2)
    publisher.write(document(3))
    eventually(lambda: ready.number == 3 and without.config["number"] == 3)

    assert (behind.number, behind.config["web.number"]) == (1, 1), "all of what it read, or nothing new"
    assert "sealed with the key k2" in behind.config.status().error
    behind.use("k2", "k1")
    without.use("k2", "k1")
    eventually(lambda: behind.number == 3 and not without.is_locked)
    assert without.number == 3
    assert [reader.story for reader in (ready, behind, without)] == [[1, 2, 3], [1, 3], [1, 2, 3]]
    assert bus.key() == "k2"


@pytest.mark.parametrize("has_sent", [False, True], ids=["before it asks", "before it hears"])
def test_a_publisher_that_dies_between_a_new_key_and_the_sealed_head_leaves_one_or_the_other(
    bus: SealedBus, has_sent: bool
) -> None:
    bus.keyring("ann", "k0")
    bus.publisher(1).stop()
    reader = bus.reader("reader", *(f"k{number}" for number in range(40)))
    sealed: list[bool] = []
    for step in count():
        ring = [f"k{number}" for number in range(step + 1, -1, -1)]
        bus.keyring("ann", *ring)
        was_killed = dies(bus.resting(1), at=step, has_sent=has_sent)
        sealed.append(bus.key() == ring[0])
        assert bus.ledger.is_whole()
        assert reader.number == 1
        if not was_killed:
            break
        bus.client.delete(bus.keys.lease)  # it runs out
        bus.resting(1).turn()
        assert bus.key() == ring[0]
        bus.client.delete(bus.keys.lease)

    assert sealed == sorted(sealed)
    assert {False, True} <= set(sealed)
    assert set(bus.actions()) == {"publish", "reseal"}
    assert len(bus.ledger.history()) == len(sealed) + 1
    state = bus.ledger.refresh()
    assert state
    eventually(lambda: reader.config.snapshot.version == state.head.version)
    assert set(reader.saw) == {1}


def test_two_publishers_with_different_keyrings_do_not_seal_the_head_by_turns(bus: SealedBus) -> None:
    bus.keyring("ann", "k2", "k1")
    bus.keyring("ben", "k1")
    ann, reader = bus.publisher(1), bus.reader("reader", "k2", "k1")
    ben = bus.publisher(1, name="ben")
    assert ben.state == "standby"
    ann.stop()

    eventually(lambda: ben.state == "refused", describe=lambda: ben.why)
    assert "db is sealed with the key k2, which the keyring" in ben.why
    assert (reader.number, bus.key()) == (1, "k2")

    bus.keyring("ben", "k2", "k1")
    eventually(lambda: ben.state == "in step", describe=lambda: ben.why)
    ben.write(document(2))
    eventually(lambda: reader.number == 2, describe=lambda: ben.why)
    assert reader.story == [1, 2]
    assert bus.actions() == ["publish", "refused", "publish"]


def test_a_publisher_without_its_keyring_keeps_what_is_published(bus: SealedBus) -> None:
    path = bus.keyring("ann", "k1")
    publisher, reader = bus.publisher(1), bus.reader("reader", "k1")
    path.unlink()
    publisher.write(document(2))

    eventually(lambda: publisher.state == "refused")
    assert "`confbus keys generate`" in publisher.why
    assert reader.number == 1

    bus.keyring("ann", "k1")
    eventually(lambda: reader.number == 2)


def test_a_loss_is_undone_with_the_bytes_that_are_known_and_those_are_sealed_anew(bus: SealedBus) -> None:
    bus.keyring("ann", "k1")
    publisher, reader = bus.publisher(1), bus.reader("reader", "k2", "k1")

    publisher.stop()
    bus.client.delete(*bus.client.keys(f"*{{{bus.namespace}}}*"))
    bus.keyring("ann", "k2", "k1")
    heir = bus.publisher(1)

    eventually(lambda: bus.key() == "k2", describe=lambda: heir.why)
    assert bus.actions()[-2:] == ["restore", "reseal"]
    eventually(lambda: reader.state == "live", describe=reader.config.status)
    assert reader.story == [1]


def altered(blob: bytes, _bus: SealedBus) -> bytes:
    return blob[:-1] + bytes([blob[-1] ^ 1])


def truncated(blob: bytes, _bus: SealedBus) -> bytes:
    return blob[:-20]


def boxed_short(blob: bytes, _bus: SealedBus) -> bytes:
    facts = codec.unpack(blob[1:], what="it")
    return blob[:1] + codec.pack([*facts[:-1], facts[-1][:-5]])


def of_another_section(_blob: bytes, bus: SealedBus) -> bytes:
    return seal(key("k1"), namespace=bus.namespace, section="web", plain=codec.encode({"number": 9}))


def of_another_namespace(_blob: bytes, _bus: SealedBus) -> bytes:
    return seal(key("k1"), namespace="other", section="db", plain=codec.encode({"number": 9}))


def of_another_key(blob: bytes, bus: SealedBus) -> bytes:
    facts = codec.unpack(blob[1:], what="it")
    return blob[:1] + codec.pack([facts[0], "k2", *facts[2:]])


@pytest.mark.parametrize(
    "forge", [altered, truncated, boxed_short, of_another_section, of_another_namespace, of_another_key]
)
def test_bytes_that_somebody_put_in_the_place_of_others_are_read_by_nobody_with_the_key(
    bus: SealedBus, forge: Callable[[bytes, SealedBus], bytes]
) -> None:
    bus.keyring("ann", "k2", "k1")
    bus.keyring("ann", "k1", "k2")
    publisher, reader, without = bus.publisher(1), bus.reader("reader", "k1", "k2"), bus.reader("without")
    encoded = Encoder(whole=["db"]).encode({"number": 9, "db": {}, "web": {"number": 9}})

    version = bus.forge(encoded.changed({"db": forge(bus.sealed(), bus)}, ()))

    eventually(lambda: reader.state in {"vetoing", "lost"}, describe=reader.config.status)
    assert (reader.number, reader.config["number"]) == (1, 1)
    assert SECRET not in reader.config.status().error
    publisher.write(document(2))
    eventually(lambda: reader.number == 2, describe=lambda: publisher.why)
    assert reader.story == [1, 2]
    assert set(without.saw) <= {1, 2, 9}
    assert reader.config.snapshot.version == version + 1


def test_a_rollback_with_redis_cli_takes_the_old_bytes_and_the_publisher_seals_them_with_the_new_key(
    bus: SealedBus,
) -> None:
    bus.keyring("ann", "k1")
    publisher, reader = bus.publisher(1), bus.reader("reader", "k2", "k1")
    publisher.write(document(2))
    eventually(lambda: reader.number == 2)
    bus.keyring("ann", "k2", "k1")
    eventually(lambda: bus.key() == "k2")

    assert by_hand(bus, "rollback", to=1, at=3)[0] == b"rolled back"

    eventually(lambda: reader.config.snapshot.version == 5, describe=lambda: publisher.why)
    assert (reader.number, bus.key(), publisher.state) == (1, "k2", "held")
    assert reader.story == [1, 2, 1]
    assert bus.actions() == ["publish", "publish", "reseal", "rollback", "reseal"]


def test_for_eyes_a_sealed_section_is_sealed(bus: SealedBus) -> None:
    bus.keyring("ann", "k1")
    bus.publisher(1).stop()

    shown = bus.client.eval((LUA / "show.lua").read_text(), 2, bus.keys.release(1), bus.keys.blobs, "db")

    assert shown == [b"sealed", b"db"]


def by_hand(bus: SealedBus, name: str, *, to: int, at: int) -> list[bytes]:
    """What redis-cli says to the script, called at version `at`."""
    releases = (bus.keys.release(version) for version in (to, at + 1, at))
    keys = (bus.keys.head, *releases, bus.keys.blobs, bus.keys.log, bus.keys.quarantine, bus.keys.notices)
    said: list[bytes] = bus.client.eval((LUA / f"{name}.lua").read_text(), len(keys), *keys, "ann", "by hand")
    return said


def test_a_person_puts_out_again_what_was_altered_in_redis(bus: SealedBus) -> None:
    bus.keyring("ann", "k1")
    resting = bus.resting(1)
    resting.turn()
    reader = bus.reader("reader", "k1")
    encoded = Encoder(whole=["db"]).encode(document(1))
    bus.forge(encoded.changed({"db": altered(bus.sealed(), bus)}, ()))
    eventually(lambda: reader.state == "vetoing")

    ledger = Ledger(RedisStore(bus.client, bus.keys, where=bus.url), seals=resting.inputs.seals)
    ledger.store.drop_lease(resting.identity)
    release = publish_once(ledger, resting.inputs.load(), Why("boss"), inputs=resting.inputs)

    assert release
    eventually(lambda: reader.config.snapshot.version == release.version)
    assert reader.state == "live"
    resting.ledger.store.close()


def test_an_override_by_hand_of_what_is_sealed_is_told_and_not_taken(bus: SealedBus) -> None:
    bus.keyring("ann", "k1")
    publisher, reader = bus.publisher(1), bus.reader("reader", "k1")
    override = Override(path=("db", "number"), value=9, at_ms=1)

    bus.client.hset(bus.keys.overrides, override.name, override.text())
    publisher.write(document(2))

    eventually(lambda: reader.number == 2)
    eventually(lambda: "what is sealed is not overridden" in str(publisher.publisher.standing.failures))
    assert reader.story == [1, 2]


def test_nothing_that_is_sealed_stands_anywhere_in_plain_text(bus: SealedBus, tmp_path: Path) -> None:
    bus.keyring("ann", "k1")
    publisher, reader = bus.publisher(1), bus.reader("reader", "k1")
    bus.keyring("ann", "k2", "k1")
    reader.use("k2", "k1")
    publisher.write(document(2))
    eventually(lambda: reader.number == 2)
    publisher.write({**document(3), "db": SECRET})
    eventually(lambda: publisher.state == "refused")

    on_disk = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())

    for place in (bus.dump(), on_disk):
        assert SECRET.encode() not in place
    assert bus.namespace.encode() in bus.dump(), "there was something to look through"
