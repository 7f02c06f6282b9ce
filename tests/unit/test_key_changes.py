"""What becomes of a keyring when keys are made, rotated and removed."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from confbus.errors import Refused
from confbus.keyring import MAX_KEYS, Keyring
from confbus_publisher.sealing.key_changes import generated, removed, rotated
from support.seals import key, ring

NOW = datetime(2026, 1, 31, 12, 0, 0, tzinfo=UTC)


def states(keys: Keyring) -> dict[str, str]:
    return {key.id: key.state for key in keys}


def test_the_first_key_is_active_and_the_next_only_ready() -> None:
    one, first = generated(Keyring(), NOW)
    two, second = generated(one, NOW)

    assert states(two) == {first.id: "active", second.id: "ready"}
    assert first.id.startswith("2026-01-31-")
    assert first.since == "2026-01-31T12:00:00Z"
    assert first.secret != second.secret


def test_a_rotation_makes_the_newest_ready_key_active_and_retires_the_one_before() -> None:
    keys = Keyring([key("a"), key("b", state="ready"), key("c", state="ready"), key("d", state="retired")])

    after, active = rotated(keys, NOW)

    assert active.id == "c"
    assert states(after) == {"a": "retired", "b": "ready", "c": "active", "d": "retired"}


def test_without_a_ready_key_nothing_is_rotated() -> None:
    with pytest.raises(Refused, match=r"no key of the keyring is ready.*`confbus keys generate`"):
        rotated(ring("a", "b"), NOW)


def test_the_active_key_cannot_be_removed_and_another_can() -> None:
    assert states(removed(ring("a", "b"), "b")) == {"a": "active"}
    with pytest.raises(Refused, match="a is the active key"):
        removed(ring("a", "b"), "a")
    with pytest.raises(Refused, match=r"no key 'c'\. There are: a, b"):
        removed(ring("a", "b"), "c")


def test_a_keyring_is_bounded() -> None:
    full = Keyring([key(f"k{number}", state="retired") for number in range(MAX_KEYS)])

    with pytest.raises(Refused, match="100 keys already"):
        generated(full, NOW)
