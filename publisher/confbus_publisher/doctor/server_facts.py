"""What a server says of itself, as far as it lets itself be asked."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from confbus.client import keys_of, make_client
from confbus.errors import Unreachable
from confbus.link import reason_of
from confbus_publisher.ledger.scripts import script

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus_publisher.opening import Site

_PINGS = 15
_SETTINGS = ("client-output-buffer-limit", "save", "min-replicas-to-write")
_NOBODY = "confbus doctor"
_GONE = (RedisConnectionError, RedisTimeoutError)


@dataclass(frozen=True, slots=True)
class ServerFacts:
    """One server at one moment.

    `info` is what INFO says, `config` some settings as CONFIG GET has them; `refusals` says of a command why it was
    not answered, and what it tells is then lacking. `lua` is why no script runs, or empty; `pings_ms` are round trips;
    `skew_ms` is how far the server's clock is ahead of the one here.
    """

    url: str
    info: Mapping[str, Any] = field(default_factory=dict[str, Any])
    config: Mapping[str, str] = field(default_factory=dict[str, str])
    refusals: Mapping[str, str] = field(default_factory=dict[str, str])
    lua: str = ""
    pings_ms: tuple[float, ...] = ()
    skew_ms: float | None = None

    def number(self, name: str) -> int:
        """A number of INFO; 0 for one that is not there."""
        value = self.info.get(name, 0)
        return int(value) if isinstance(value, int | float) else 0


def ask_server(site: Site) -> ServerFacts:
    """Ask the server of `site`; nothing is changed there.

    Raises `Unreachable` when it does not answer, `InvalidSettings` for a URL that nobody can read.
    """
    client: Any = make_client(site.url, name="confbus", namespace=site.namespace)
    refusals: dict[str, str] = {}

    def tried(name: str, ask: Callable[[], Any], otherwise: Any) -> Any:
        try:
            return ask()
        except _GONE:
            raise
        except RedisError as error:
            refusals[name] = reason_of(error)
        except (AttributeError, LookupError, TypeError, ValueError):  # redis-py and we read it as what it should be
            refusals[name] = "its answer is malformed"
        return otherwise

    try:
        client.ping()  # the first one connects
        pings_ms = tuple(_timed_ms(client.ping) for _ in range(_PINGS))
        return ServerFacts(
            url=site.where,
            pings_ms=pings_ms,
            info=tried("INFO", client.info, {}),
            config=tried("CONFIG GET", lambda: _config(client), {}),
            skew_ms=tried("TIME", lambda: _skew_ms(client), None),
            lua=_lua(client, keys_of(client, site.namespace).lease, refusals),
            refusals=refusals,
        )
    except RedisError as error:
        raise Unreachable(site.where, reason_of(error)) from error
    finally:
        client.close()


def _timed_ms(ask: Callable[[], object]) -> float:
    began = time.perf_counter()
    ask()
    return (time.perf_counter() - began) * 1000


def _config(client: Any) -> dict[str, str]:
    """One setting at a time: a server before 7.0 takes no more."""
    found: dict[str, str] = {}
    for name in _SETTINGS:
        found |= {_text(key): _text(value) for key, value in client.config_get(name).items()}
    return found


def _skew_ms(client: Any) -> float:
    before = time.time()
    seconds, micros = client.time()
    after = time.time()
    return (int(seconds) + int(micros) / 1e6 - (before + after) / 2) * 1000


def _lua(client: Any, lease: str, refusals: dict[str, str]) -> str:
    """Why no script runs. The one that is tried gives up a lease that nobody has."""
    try:
        script("unlease").call(client, [lease], [_NOBODY])
    except _GONE:
        raise
    except RedisError as error:
        if str(error).startswith(("MOVED ", "ASK ")):
            raise
        if "permissions" in str(error).lower():
            refusals["A script"] = reason_of(error)
            return ""
        return reason_of(error)
    return ""


def _text(word: Any) -> str:
    return word.decode("utf-8", "replace") if isinstance(word, bytes) else str(word)
