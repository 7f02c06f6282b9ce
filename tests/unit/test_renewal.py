"""A publisher and its keyring: a new key, a key that is not here, and what was rolled back under another one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import KeyLacking, Quarantined
from confbus.wire.encoder import SPLIT_BYTES, Encoder
from confbus.wire.sealed import parse
from confbus_publisher.inputs import Inputs
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.memory import MemoryStore
from confbus_publisher.ledger.rollback import target
from confbus_publisher.manager.forgetful import Forgetful
from confbus_publisher.oneshot import publish_once
from confbus_publisher.publisher import Publisher
from confbus_publisher.sealing.resealing import keys_of
from confbus_publisher.sources import DictSource
from support.bus import Edits
from support.seals import key, ring, seals

if TYPE_CHECKING:
    from pathlib import Path

BOSS = Why("boss")


def document(password: str, *, port: int = 80) -> dict[str, Any]:
    return {"database": {"password": password}, "web": {"port": port}}


class Site:
    """One publisher with a keyring over a store in memory."""

    def __init__(self, path: Path, *, store: MemoryStore | None = None, seal: tuple[str, ...] = ("database",)) -> None:
        self.store = store or MemoryStore()
        self.seals = seals(path, *seal)
        self.edits = Edits(document("one"))
        inputs = Inputs([self.edits], limit_bytes=1_000_000, seals=self.seals)
        self.ledger = Ledger(self.store, seals=self.seals)
        self.publisher = Publisher(inputs, self.ledger, Forgetful(), identity=str(path), author="publisher")

    def turn(self) -> str:
        """A turn; where the publisher stands then."""
        self.publisher.turn()
        return f"{self.publisher.standing.state}: {self.publisher.standing.why}"

    def edit(self, password: str, *, port: int = 80) -> str:
        self.edits.write(document(password, port=port))
        return self.turn()

    def use(self, *names: str) -> None:
        """Another keyring from now on, the first of it active."""
        assert self.seals.file
        self.seals.file.write(ring(*names))

    def rollback(self, *, keys: bool = True) -> str:
        """As a person does it, with or without the keyring."""
        ledger = Ledger(self.store, seals=self.seals if keys else None)
        state = ledger.refresh()
        assert state
        ledger.rollback(target(state, ledger.history()), BOSS)
        return self.turn()

    @property
    def version(self) -> int:
        head = self.store.head()
        return head.version if head else 0

    @property
    def password(self) -> str:
        """What workers read."""
        state = self.ledger.refresh()
        assert state
        return str(state.document(self.seals.open)["database"]["password"])

    @property
    def key(self) -> str:
        """What the head is sealed with."""
        state = self.ledger.refresh()
        assert state
        return parse(state.blobs[state.release.manifest.sections["database"]], what="it").key


@pytest.fixture
def site(tmp_path: Path) -> Site:
    site = Site(tmp_path / "keys")
    site.turn()
    return site


def test_a_new_key_seals_the_head_again_and_nothing_after_that(site: Site) -> None:
    site.use("k2", "k1")

    assert site.turn() == "in step: "
    assert (site.version, site.key, site.password) == (2, "k2", "one")
    state = site.ledger.refresh()
    assert state
    assert state.release.of == 1
    assert site.store.log(1)[0].fields["action"] == "reseal"
    site.turn()
    assert site.version == 2


def test_a_restart_with_a_new_key_publishes_no_content(site: Site, tmp_path: Path) -> None:
    site.use("k2", "k1")
    (tmp_path / "after").mkdir()
    after = Site(tmp_path / "after" / "keys", store=site.store)
    after.use("k2", "k1")
    site.store.drop_lease(site.publisher.identity)

    assert after.turn() == "in step: "
    assert [entry.fields["action"] for entry in site.store.log(2)] == ["reseal", "publish"]


def test_a_change_after_the_new_key_goes_out_under_it_at_once(site: Site) -> None:
    site.use("k2", "k1")

    assert site.edit("two") == "in step: "
    assert (site.version, site.key, site.password) == (2, "k2", "two")


def test_what_was_rolled_back_stays_held_after_a_new_key(site: Site) -> None:
    site.edit("bad")
    assert "held: database" in site.rollback()

    site.use("k2", "k1")
    assert "held: database" in site.turn()
    assert (site.version, site.key, site.password) == (4, "k2", "one")

    site.use("k2")
    assert "held: database" in site.turn(), "and when the old key is gone"
    assert site.password == "one"
    assert site.edit("good") == "in step: "
    assert site.password == "good"


@pytest.mark.parametrize(("before", "after"), [((), ("database",)), (("database",), ())])
def test_what_was_rolled_back_stays_held_when_it_is_to_be_sealed_or_is_not_any_more(
    tmp_path: Path, before: tuple[str, ...], after: tuple[str, ...]
) -> None:
    was = Site(tmp_path / "keys", seal=before)
    was.use("k1")
    was.turn()
    was.edit("bad")
    was.rollback()

    now = Site(tmp_path / "keys", store=was.store, seal=after)
    now.edits.write(document("bad"))
    inputs = now.publisher.inputs

    now.publisher.turn()
    assert now.publisher.standing.state == "held"
    with pytest.raises(Quarantined):
        publish_once(now.ledger, inputs.load(), BOSS, inputs=inputs, identity=str(tmp_path / "keys"))
    assert now.version == 3
    assert now.edit("mended").startswith("in step")
    assert now.password == "mended"


def test_a_large_section_that_was_rolled_back_stays_held_when_it_is_to_be_sealed(tmp_path: Path) -> None:
    was = Site(tmp_path / "keys", seal=())
    was.use("k1")
    large = {"database": {"bad": {"x": "1"}, "padding": {"x": "x" * SPLIT_BYTES}}}
    was.turn()
    was.edits.write(large)
    was.turn()
    was.rollback()

    now = Site(tmp_path / "keys", store=was.store)
    now.edits.write(large)

    assert now.turn().startswith("held: database.bad, database.padding: still what was rolled back")


def test_content_in_force_is_not_held_because_it_was_rolled_back_while_it_was_sealed(tmp_path: Path) -> None:
    plain = Site(tmp_path / "keys", seal=())
    plain.use("k1")
    plain.turn()
    sealing = Site(tmp_path / "keys", store=plain.store)
    sealing.edit("two")
    sealing.edit("one")
    ledger = Ledger(plain.store)
    ledger.refresh()
    ledger.rollback(ledger.history()[-1], BOSS)

    again = Site(tmp_path / "keys", store=plain.store, seal=())

    assert again.turn().startswith("in step")


def test_a_rollback_over_a_new_key_is_sealed_with_it(site: Site) -> None:
    site.edit("bad")
    site.use("k2", "k1")
    site.turn()

    assert "held: database" in site.rollback()
    assert (site.version, site.key, site.password) == (4, "k2", "one")


def test_a_rollback_without_the_keys_takes_the_old_bytes_and_the_publisher_seals_them(site: Site) -> None:
    site.edit("bad")
    site.use("k2", "k1")
    site.turn()

    assert "held: database" in site.rollback(keys=False)
    assert (site.version, site.key, site.password) == (5, "k2", "one")


def test_a_section_that_only_changed_its_key_is_not_held_by_a_rollback_without_the_keys(site: Site) -> None:
    site.use("k2", "k1")
    site.turn()
    site.edit("one", port=443)

    assert site.rollback(keys=False).startswith("held: web:")
    assert site.edit("one", port=8080) == "in step: "


def test_steps_back_do_not_stop_at_the_same_content_under_an_older_key(site: Site) -> None:
    site.edit("two")
    site.edit("three")
    site.use("k2", "k1")
    site.turn()
    assert site.version == 4

    site.rollback()
    assert site.password == "two"
    site.rollback()
    assert site.password == "one"


def test_content_that_is_held_is_not_gone_back_to_under_an_older_key(site: Site) -> None:
    site.edit("bad")
    site.use("k2", "k1")
    site.turn()
    site.rollback()
    site.edit("three")

    state = site.ledger.refresh()
    assert state
    assert target(state, site.ledger.history(), steps=1).of == 1


def test_a_publisher_without_the_key_of_the_head_is_refused_and_leaves_it_alone(site: Site, tmp_path: Path) -> None:
    site.use("k2", "k1")
    site.turn()
    site.store.drop_lease(site.publisher.identity)
    (tmp_path / "behind").mkdir()
    behind = Site(tmp_path / "behind" / "keys", store=site.store)

    assert behind.edit("older").startswith("refused: database is sealed with the key k2, which the keyring")
    assert (site.version, site.key, site.password) == (2, "k2", "one")


def test_a_key_that_is_only_ready_here_is_not_replaced_by_the_older_one(site: Site) -> None:
    assert site.seals.file
    site.seals.file.write(ring("k2", "k1"))
    site.turn()
    site.seals.file.write(type(ring())([key("k1"), key("k2", state="ready")]))

    assert "has not made active yet" in site.turn()
    assert site.key == "k2"


def test_force_seals_with_the_key_that_is_here(site: Site, tmp_path: Path) -> None:
    site.use("k2", "k1")
    site.turn()
    site.store.drop_lease(site.publisher.identity)
    other = seals(tmp_path / "other", "database")
    inputs = Inputs([DictSource(document("two"))], limit_bytes=1_000_000, seals=other)
    ledger = Ledger(site.store, seals=other)

    with pytest.raises(KeyLacking, match="--force"):
        publish_once(ledger, inputs.load(), BOSS, inputs=inputs)
    publish_once(ledger, inputs.load(), BOSS, inputs=inputs, force=True)

    assert site.key == "k1"


def test_a_head_in_plain_text_is_never_sealed_for_whoever_wrote_it(site: Site) -> None:
    ledger = Ledger(site.store)
    ledger.refresh()
    ledger.publish(Encoder().encode(document("forged")), Why("mallory"))

    site.turn()
    site.use("k2", "k1")
    site.turn()

    state = site.ledger.refresh()
    assert state
    assert keys_of(state.release.manifest, state.blobs) == {}
    assert site.edit("two") == "in step: "
    assert (site.key, site.password) == ("k2", "two")


def test_a_rollback_to_plain_text_does_not_vouch_for_it(tmp_path: Path) -> None:
    plain = Site(tmp_path / "keys", seal=())
    plain.turn()
    plain.store.drop_lease(plain.publisher.identity)
    (tmp_path / "sealing").mkdir()
    site = Site(tmp_path / "sealing" / "keys", store=plain.store)
    site.turn()
    assert site.edit("two") == "in step: "

    site.rollback()

    state = site.ledger.refresh()
    assert state
    assert (site.version, keys_of(state.release.manifest, state.blobs)) == (3, {})
