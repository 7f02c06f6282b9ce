"""fakeredis with its COPY mended: its own ties the two keys together, so that a later write to one changes both."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import fakeredis
from fakeredis.commands_mixins import generic_mixin


def fake_client(server: fakeredis.FakeServer) -> Any:
    """A client of `server` that behaves like those of the real ones."""
    return fakeredis.FakeRedis(server=server, protocol=2)


def _copy(_self: object, key: Any, newkey: Any, *options: bytes) -> int:
    if not key or (newkey and b"REPLACE" not in [option.upper() for option in options]):
        return 0
    newkey.value = deepcopy(key.value)
    return 1


_mixin: Any = generic_mixin.GenericCommandsMixin
_mixin.copy = _copy
