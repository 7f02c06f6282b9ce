"""Keyrings as people give them: files, variables, functions; and what is none."""

from __future__ import annotations

import base64
import os
from typing import TYPE_CHECKING, Any

import pytest

from confbus import keyring
from confbus.errors import Malformed
from confbus.keyring import Key, Keyring
from confbus.open_keys import OpenKeys
from confbus.seal import seal
from confbus.wire.sealed import parse
from support.seals import key, ring

if TYPE_CHECKING:
    from pathlib import Path


def envelope(under: str = "k1") -> Any:
    return parse(seal(key(under), namespace="shop", section="database", plain=b"plain"), what="it")


def pair(name: str) -> str:
    return f"{name}:{base64.b64encode(key(name).secret).decode()}"


def test_a_keyring_reads_its_own_text() -> None:
    keys = Keyring([key("k2"), Key("k1", key("k1").secret, "retired", "2026-01-01T00:00:00Z")])

    again = keyring.parse(keys.text(), what="it")

    assert again == keys
    assert again.active == key("k2")


def test_pairs_open_and_seal_nothing() -> None:
    keys = keyring.parse(f" {pair('k1')},\n{pair('k2')} ", what="it")

    assert [each.id for each in keys] == ["k1", "k2"]
    assert keys.active is None


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "k1",
        "k1:!!!",
        "k1:" + base64.b64encode(b"short").decode(),
        "K1:" + base64.b64encode(bytes(32)).decode(),
        '{"confbus-keys": 7}',
        '{"confbus-keys": [7]}',
        '{"keys": []}',
        "x" * (keyring.MAX_BYTES + 1),
        pair("k1") + " " + pair("k1"),
        "[" * 1000,
        '{"confbus-keys":' + "[" * 5000,
        " ".join(pair(f"k{number}") for number in range(keyring.MAX_KEYS + 1)),
    ],
)
def test_what_is_no_keyring_is_refused_without_a_word_of_it(text: str) -> None:
    with pytest.raises(Malformed) as caught:
        keyring.parse(text, what="it")

    assert text[:30] not in str(caught.value) or len(text) < 3


def test_two_active_keys_are_refused() -> None:
    with pytest.raises(Malformed, match="two active"):
        Keyring([key("k1"), key("k2")])


def test_a_file_a_function_and_the_environment_open_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "keys"
    file.write_text(ring("k1").text())
    sources: list[Any] = [
        file,
        str(file),
        lambda: ring("k1"),
        lambda: pair("k1"),
        lambda: {"k1": key("k1").secret},
    ]

    assert [OpenKeys("shop", source).open("database", envelope()) for source in sources] == [b"plain"] * 5
    monkeypatch.setenv("CONFBUS_OPEN_KEYS", pair("k1"))
    assert OpenKeys("shop").open("database", envelope()) == b"plain"
    monkeypatch.setenv("CONFBUS_OPEN_KEYS", "")
    assert OpenKeys("shop").open("database", envelope()) is None
    monkeypatch.setenv("CONFBUS_OPEN_KEYS_FILE", str(file))
    assert OpenKeys("shop").open("database", envelope()) == b"plain"


def test_a_key_that_comes_later_is_found_when_it_is_looked_for_again(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(ring("k1").text())
    keys = OpenKeys("shop", file)
    assert keys.open("database", envelope("k2")) is None
    assert not keys.renew()

    file.write_text(ring("k2", "k1").text())

    assert keys.is_lacking
    assert keys.renew()
    assert keys.open("database", envelope("k2")) == b"plain"
    assert not keys.is_lacking


def test_keys_that_vanish_stay_known(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(ring("k1").text())
    keys = OpenKeys("shop", file)
    keys.renew()

    file.unlink()
    keys.renew()

    assert keys.open("database", envelope()) == b"plain"
    assert "No such file" in keys.problem


def test_a_pipe_in_place_of_the_file_keeps_nobody_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "keys")

    assert OpenKeys("shop", tmp_path / "keys").open("database", envelope()) is None


def test_what_a_function_raises_is_told_without_its_words(caplog: pytest.LogCaptureFixture) -> None:
    def fails() -> str:
        raise RuntimeError(pair("k1"))

    keys = OpenKeys("shop", fails)

    assert keys.open("database", envelope()) is None
    assert keys.problem == "open_keys= failed: RuntimeError"
    assert pair("k1") not in caplog.text
