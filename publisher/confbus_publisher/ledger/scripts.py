"""The one module that calls Lua scripts: reads them from the package (or the checkout), runs EVALSHA, falls back to
EVAL. redis-py must not retry here: a script that ran is not to run again."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from redis.exceptions import NoScriptError

from confbus.errors import Malformed
from confbus.wire.frozen import is_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    from redis import Redis


@dataclass(frozen=True, slots=True)
class Script:
    """One Lua file and its SHA-1."""

    name: str
    text: str
    sha: str

    def call(self, client: Redis, keys: Sequence[str], args: Sequence[str | bytes | int]) -> tuple[str, ...]:
        """The reply: a word and its values. Raises redis-py's errors as they are."""
        rest = (len(keys), *keys, *args)
        try:
            reply = _answer(client, "EVALSHA", self.sha, *rest)
        except NoScriptError:
            reply = _answer(client, "EVAL", self.text, *rest)
        if not is_list(reply) or not reply:
            raise Malformed(f"the reply of {self.name}.lua", "it is no list")
        return tuple(part.decode("utf-8", "replace") if isinstance(part, bytes) else str(part) for part in reply)


def _answer(client: Redis, *command: str | bytes | int) -> Any:
    """The reply to a command over a connection of the client's. What its methods do beside that, retries above all, is
    not wanted here, and takes longer than the server does."""
    pool: Any = client.connection_pool
    connection = pool.get_connection()
    try:
        connection.send_command(*command, check_health=False)
        return connection.read_response()
    finally:
        pool.release(connection)


@cache
def script(name: str) -> Script:
    """The script of that name: the packaged copy, else the checkout's `lua/` folder."""
    packaged = files("confbus_publisher") / "lua" / f"{name}.lua"
    checkout = Path(__file__).parents[3] / "lua" / f"{name}.lua"
    text = packaged.read_text("utf-8") if packaged.is_file() else checkout.read_text("utf-8")
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())
