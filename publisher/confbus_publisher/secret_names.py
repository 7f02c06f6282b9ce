"""Which names say that a value is a secret. One notion for what is hidden on a screen and for what a scan finds."""

from __future__ import annotations

import re
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from confbus.wire.path import Path

_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_WORD = re.compile(r"[a-z]+")

_PASSWORDS = frozenset({"password", "passwords", "passwd", "passphrase", "pwd", "secret", "secrets"})
_OTHERS = frozenset({"token", "tokens", "credential", "credentials", "apikey", "secretkey", "privatekey", "accesskey"})
_KEYS = frozenset(
    {"api", "private", "access", "signing", "secret", "encryption", "auth", "account", "master", "shared"}
)

# A name that ends so tells something about a secret, and is none.
_ABOUT = re.compile(
    r"age|alg|algorithm|audience|backend|bucket|bytes|check|class|count|days|dir|directory|"
    r"enabled|encoding|endpoint|env|expiration|expires|expiry|field|file|filename|format|"
    r"header|host|hours|id|ids|interval|issuer|kind|len|length|lifetime|limit|manager|max|"
    r"min|minutes|ms|name|names|ns|path|pattern|policy|prefix|provider|ref|regex|required|"
    r"rotation|rules|scope|scopes|seconds|selector|selectors|size|store|suffix|timeout|ttl|type|uri|url|"
    r"variable|version"
)
_HOW_MANY = frozenset({"max", "min", "num", "total"})


def is_secret(path: Path) -> bool:
    """True when a name on the way to a value says that strangers should not see it.

    `password`, `api_key`, `dbPassword` and all below `secrets` do; `password_min_length`, `token_ttl`, `max_tokens`,
    `secrets.provider` and what is below `createSecretJob` do not.
    """
    keys = [part for part in path if isinstance(part, str)]
    if not keys or _is_about(keys[-1]):
        return False
    return _names_secret(keys[-1]) or any(_names_secret(key) and _ends_with_secret(key) for key in keys[:-1])


def is_password(path: Path) -> bool:
    """True when the name of a value itself says that even a number there is a secret."""
    keys = [part for part in path if isinstance(part, str)]
    return bool(keys) and _names_secret(keys[-1]) and not _PASSWORDS.isdisjoint(_words(keys[-1]))


@lru_cache(maxsize=8192)
def _words(key: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(_HUMP.sub("_", key).lower()))


def _ends_with_secret(key: str) -> bool:
    """True for what holds secrets, not for what only has to do with them."""
    words = _words(key)
    return words[-1] in _PASSWORDS | _OTHERS | {"key", "keys", "pass", "passcode"}


def _is_about(key: str) -> bool:
    words = _words(key)
    return bool(words) and (_ABOUT.fullmatch(words[-1]) is not None or words[0] in _HOW_MANY)


@lru_cache(maxsize=8192)
def _names_secret(key: str) -> bool:
    words = _words(key)
    if not words or _is_about(key):
        return False
    if not _PASSWORDS.isdisjoint(words) or not _OTHERS.isdisjoint(words) or words[-1] in {"pass", "passcode"}:
        return True
    return any(word in _KEYS and after in {"key", "keys"} for word, after in pairwise(words))
