"""Settings without a confbus.yaml, for containers: a few variables say where the configuration is.

| variable | says |
|---|---|
| `CONFIG_DIR` | the directory with the files |
| `APP_CONFIG_SOURCES` | which kinds are on: `file`, `env`, `remote`, with commas, the later ones on top |
| `APP_CONFIG_URL` | where the remote document is |
| `APP_CONFIG_WATCH` | `false`: the sources are read once, at the start |
| `APP_CONFIG_SEAL` | the sections that are sealed, with commas between |
| `CONFBUS_KEYS` | the keyring that seals them |
"""

from __future__ import annotations

import difflib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confbus.errors import InvalidSettings
from confbus.wire.frozen import Frozen, freeze
from confbus_publisher.formats import literal
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.origin import Origin
from confbus_publisher.seal_settings import DEFAULT_KEYS, KEYS
from confbus_publisher.settings import read_settings
from confbus_publisher.source_settings.env import EnvSettings
from confbus_publisher.sources.value_file import SECRETS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.path import Path as TreePath
    from confbus_publisher.settings import Settings

DIRECTORY = "CONFIG_DIR"
SOURCES, URL, WATCH = "APP_CONFIG_SOURCES", "APP_CONFIG_URL", "APP_CONFIG_WATCH"
SEAL = "APP_CONFIG_SEAL"
PREFIX = "APP_"
NAMESPACE = "app"

_OWN = (SOURCES, URL, WATCH, SEAL)
_STEP = 10
_KINDS = {"file": ("directory", DIRECTORY), "env": ("env", ""), "remote": ("http", URL)}


def environment_settings(
    environ: Mapping[str, str], *, namespace: str = NAMESPACE, redis: str | None = None, base: Path | None = None
) -> Settings:
    """What the variables of `environ` say; the publisher's own data is kept below `base`, or the current directory.

    Without `APP_CONFIG_SOURCES`, every kind is on that is told where to look, and the environment. The variables
    that are read here are no part of the configuration. Raises `InvalidSettings` naming the variable.
    """
    tree: dict[str, Any] = {
        "namespace": namespace,
        "sources": source_entries(environ),
        "file_roots": [str(SECRETS), *([_literal(environ[DIRECTORY])] if environ.get(DIRECTORY) else [])],
        "seal": [_literal(name.strip()) for name in environ.get(SEAL, "").split(",") if name.strip()],
        "keys": _literal(environ.get(KEYS) or DEFAULT_KEYS),
    }
    path = (base or Path()) / "confbus.yaml"
    settings = read_settings(path, Frozen(freeze(tree)), _origins(tree), variables={})
    sources = tuple(
        replace(source, ignored=_OWN) if isinstance(source, EnvSettings) else source for source in settings.sources
    )
    return replace(settings, redis=redis, sources=sources, watch=_flag(environ, WATCH))


def source_entries(environ: Mapping[str, str]) -> list[dict[str, Any]]:
    """The sources, each as it would stand in confbus.yaml.

    `remote` without an address is none: images turn it on for those who give one. Raises `InvalidSettings` naming the
    variable.
    """
    entries: list[dict[str, Any]] = []
    for word in _words(environ):
        kind, variable = _KINDS[word]
        if lacks_address(environ) and word == "remote":
            continue
        if variable and not environ.get(variable):
            reason = f"it turns {word} on, and {variable} is not set"
            raise InvalidSettings(f"${SOURCES}", reason, advice=f"Set {variable}, or leave {word} out.")
        value = _literal(environ[variable]) if variable else PREFIX
        entries.append({kind: value, "priority": _STEP * (len(entries) + 1)})
    return entries


def lacks_address(environ: Mapping[str, str]) -> bool:
    """True when a remote source is turned on, and nothing says where it is."""
    return not environ.get(URL) and "remote" in _words(environ)


def _words(environ: Mapping[str, str]) -> list[str]:
    if SOURCES not in environ:
        return [word for word, (_, variable) in _KINDS.items() if not variable or environ.get(variable)]
    words = [word.strip().lower() for word in environ[SOURCES].split(",") if word.strip()]
    for word in words:
        if word not in _KINDS:
            close = difflib.get_close_matches(word, _KINDS, n=1)
            advice = f"Did you mean {close[0]}?" if close else f"Known are {', '.join(_KINDS)}."
            raise InvalidSettings(f"${SOURCES}", f"{word!r} is no kind of source", advice=advice)
    return list(dict.fromkeys(words))


def _flag(environ: Mapping[str, str], variable: str) -> bool:
    try:
        return bool(literal.fit(environ.get(variable, "true"), {"boolean"}))
    except Unfit as unfit:
        raise InvalidSettings(f"${variable}", unfit.reason, advice="Write true or false.") from None


def _literal(text: str) -> str:
    """`text`, so that reading the settings leaves it as it is."""
    return text.replace("${", "$${")


def _origins(tree: Mapping[str, Any]) -> dict[TreePath, Origin]:
    origins: dict[TreePath, Origin] = {(): Origin(source="the environment")}
    origins["sources",] = Origin(variable=SOURCES)
    origins["file_roots",] = Origin(variable=DIRECTORY)
    origins["seal",] = Origin(variable=SEAL)
    origins["keys",] = Origin(variable=KEYS)
    origins["namespace",] = Origin(source="the namespace that was named")
    variables = dict(_KINDS.values())
    for index, entry in enumerate(tree["sources"]):
        for key in ((), *((key,) for key in entry)):
            kind = next(iter(entry))
            origins[("sources", index, *key)] = Origin(variable=variables[kind] or SOURCES)
    return origins
