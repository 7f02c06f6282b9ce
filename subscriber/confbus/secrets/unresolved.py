"""Why a reference leads nowhere, without a piece of any secret."""

from __future__ import annotations


class Unresolved(Exception):
    """There is no secret where a reference leads. `is_final` when only another environment or release mends that."""

    def __init__(self, reason: str, *, is_final: bool = False) -> None:
        self.reason = reason
        self.is_final = is_final
        super().__init__(reason)


class Awaited(Exception):
    """A vault was asked for a secret, has not answered yet, and nobody may wait for it here."""
