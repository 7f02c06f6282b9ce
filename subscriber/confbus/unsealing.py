"""The sealed sections of one subscriber: what opens them, which it opened, and which it takes sealed only.

What it needs is loaded when the first sealed section comes; most workers never meet one.
"""

from __future__ import annotations

from confbus import importing
from confbus.wire.sections import is_sealed, path_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from confbus.open_keys import OpenKeys, Source
    from confbus.wire.sealed import Envelope
    from confbus.wire.sections import Opener


class Unsealing:
    """`required` are the sections of `namespace` that are not taken in plain text. One thread at a time."""

    __slots__ = ("_keys", "_namespace", "_opened", "_source", "required")

    def __init__(self, namespace: str = "", source: Source = None, required: Iterable[str] = ()) -> None:
        self.required = frozenset(required)
        self._namespace = namespace
        self._source = source
        self._keys: OpenKeys | None = None
        self._opened: frozenset[str] = frozenset()  # of names; others may walk over the old set

    def opener(self, blobs: Iterable[bytes | None]) -> Opener | None:
        """What opens the sealed ones among `blobs`, and those that are locked: it gives None without the key, and
        raises `SealBroken` when the key is there and does not open it."""
        if self._keys is None and any(blob is not None and is_sealed(blob) for blob in blobs):
            with importing.guard:
                from confbus.open_keys import OpenKeys
            self._keys = OpenKeys(self._namespace, self._source)
        return self._open if self._keys else None

    def has_new_keys(self) -> bool:
        """Whether there are other keys than before; looked up only while one is lacking."""
        return self._keys is not None and self._keys.is_lacking and self._keys.renew()

    @property
    def problem(self) -> str:
        """Why there are no keys, when that is a fault."""
        return self._keys.problem if self._keys else ""

    def without_sealed(self, text: str, document: Mapping[Any, Any]) -> str:
        """`text` without what `document` has in sections that came sealed."""
        if not text or not self._opened:
            return text
        with importing.guard:
            from confbus.views.misfit import without_values
        return without_values(text, [document.get(path_of(section)[0]) for section in self._opened])

    def _open(self, section: str, envelope: Envelope) -> bytes | None:
        plain = self._keys.open(section, envelope) if self._keys else None
        if plain is not None:
            self._opened |= {section}
        return plain
