"""The keyring that a command is about, and the releases that are sealed with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from confbus_publisher.cli.output import say

if TYPE_CHECKING:
    from collections.abc import Callable

    from confbus.keyring import Key, Keyring
    from confbus_publisher.ledger import Ledger
    from confbus_publisher.opening import Named, Site
    from confbus_publisher.sealing.key_file import KeyFile
    from confbus_publisher.sealing.seals import Seals


def key_file(named: Named, path: str | None) -> KeyFile:
    """The keyring at `path`, else that of the settings. Raises `InvalidSettings`."""
    from confbus_publisher.opening import settings_of
    from confbus_publisher.sealing.key_file import KeyFile

    return KeyFile(Path(path) if path else settings_of(named).keys)


def ring_of(file: KeyFile) -> Keyring:
    """What is in the file; an empty ring when there is none. Raises `InvalidSettings`."""
    from confbus.keyring import Keyring

    ring = file.ring()
    return Keyring() if ring is None else ring


def change(file: KeyFile, make: Callable[[Keyring, datetime], tuple[Keyring, Key]]) -> Key:
    """Replace the keyring by what `make` makes of it, and nobody else meanwhile; the key that it is about."""
    with file.alone():
        ring, key = make(ring_of(file), datetime.now(UTC))
        file.write(ring)
    return key


def site_with(named: Named, file: KeyFile) -> tuple[Site, Seals]:
    """Where `named` leads, and what is sealed there, with the keyring `file`. Raises as `site_of`."""
    from confbus_publisher.opening import site_of
    from confbus_publisher.sealing.seals import Seals

    site = site_of(named)
    seals = Seals(site.namespace, site.seals.keys if site.seals else (), file)
    return replace(site, seals=seals), seals


def needed(named: Named, file: KeyFile) -> dict[str, list[int]] | None:
    """The kept releases that need each key, by its id; None, with the reason told, when no server says so."""
    from confbus.errors import EmbeddedFailed, InvalidSettings, Unreachable
    from confbus_publisher.sealing.key_use import needed_keys

    try:
        site, _ = site_with(named, file)
        with site.ledger() as ledger:
            return needed_keys(ledger)
    except (EmbeddedFailed, InvalidSettings, Unreachable) as error:
        say(f"Which releases need which key is not known: {error.message}")
        return None


def tell_lacking(ledger: Ledger) -> None:
    """Say what of the head is sealed with a key that the keyring here has not; nothing where there is no keyring."""
    from confbus.errors import InvalidSettings
    from confbus_publisher.sealing.resealing import keys_of

    state, seals = ledger.state or ledger.refresh(), ledger.seals
    if state is None or seals is None:
        return
    try:
        ring = seals.ring
    except InvalidSettings:
        return
    for section, key in keys_of(state.release.manifest, state.blobs).items():
        if len(ring) and ring.get(key) is None:
            lacks = f"{section} is sealed with the key {key}, which {seals.where} does not have"
            say(f"warning: {lacks}: workers without it keep what they read, and those that start cannot read it.")
