"""Every key of confbus.yaml, as the code reads it: a file that has them all is read, and each look is noted."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidSettings
from confbus_publisher import source_settings
from confbus_publisher.entry import Entry
from confbus_publisher.settings import load_settings

if TYPE_CHECKING:
    from collections.abc import Collection, Generator

_FORMS = {
    "text": "text",
    "flag": "true or false",
    "whole": "whole number",
    "seconds": "duration",
    "bytes": "size",
    "texts": "list of texts",
    "each": "list of mappings",
    "inner": "mapping",
}
_LOOSE = {
    "checks.rules": "list of texts and mappings",
    "checks.gates.growth": "number",
    "checks.gates.removed": "share",
    "guard.vetoes": "number, or share",
    "options": "mapping",
}
"""What is read without a word of its kind."""
_ALL = """\
namespace: NAMESPACE
redis: redis://localhost
password_file: password
sources: []
checks:
  schema: a
  rules: [{rule: "true", message: a}]
  secrets_allow: [{path: a, reason: b}]
  gates: {growth: 2, removed: 1%}
limits: {}
guard: {vetoes: 1, probes: [{http: "http://localhost/"}, {python: "a:b"}]}
http: {listen: "127.0.0.1:9630"}
file_roots: [a]
replace: [a]
seal: [a]
"""
_TLS = "ca: a, certificate: a, certificate_key: a, cache: a, delete: [a]"
_EACH = {
    "file": "a.yaml, delete: [a]",
    "files": "['*.yaml'], delete: [a]",
    "directory": "a, delete: [a]",
    "secrets": "a, delete: [a]",
    "env": "A_, file_variables: [A_FILE], delete: [a]",
    "values": "{a: 1}, delete: [a]",
    "http": f"'https://config.example.com/', bearer_file: a, {_TLS}",
    "vault": f"secret/data/app, address: 'https://vault.example.com/', token_file: a, {_TLS}",
    "own": "a",
}


@dataclass(frozen=True, slots=True)
class Key:
    """One key: where it stands, what it is, and what holds without it, as it would be written."""

    path: str
    form: str = ""
    default: str = ""


def keys_of_settings() -> list[Key]:
    """All but those of sources."""
    return [key for key in _looked_at(_ALL) if not key.path.startswith("sources[]")]


def keys_of_sources() -> dict[str, list[Key]]:
    """Those of each kind of source."""
    assert _EACH.keys() == source_settings._KINDS.keys()  # pyright: ignore[reportPrivateUsage]  # a new kind needs its line above
    noted = {kind: _looked_at(f"namespace: a\nsources: [{{{kind}: {text}}}]") for kind, text in _EACH.items()}
    forms = {key.path: key.form for keys in noted.values() for key in keys if key.form}
    inside = "sources[]."
    return {
        kind: [
            replace(key, path=key.path.removeprefix(inside), form=forms.get(key.path, key.form))
            for key in keys
            if key.path.startswith(inside)
        ]
        for kind, keys in noted.items()
    }


def _looked_at(text: str) -> list[Key]:
    """The keys that are looked for when `text` is read, in the order of the alphabet."""
    noted: dict[str, Key] = {}
    refused = [InvalidSettings] if "own:" in text else []  # no package here has one, which is told last
    with tempfile.TemporaryDirectory() as directory, _noting(noted), suppress(*refused):
        file = Path(directory, "confbus.yaml")
        file.write_text(text)
        load_settings(file, variables={})
    return sorted(noted.values(), key=lambda key: key.path)


@contextmanager
def _noting(noted: dict[str, Key]) -> Generator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in _FORMS:
            patch.setattr(Entry, name, _note(name, noted))
        patch.setattr(Entry, "only", _note_known(noted))
        yield


def _note(name: str, noted: dict[str, Key]) -> Any:
    look = getattr(Entry, name)

    def noting(entry: Entry, key: str, **terms: Any) -> Any:
        path = _path(entry, key)
        default = "" if key == "name" else _spelled(name, terms.get("default"))  # a name is made of the other keys
        noted[path] = Key(path, _FORMS[name], default)
        return look(entry, key, **terms)

    return noting


def _note_known(noted: dict[str, Key]) -> Any:
    only = Entry.only

    def noting(entry: Entry, known: Collection[str]) -> None:
        for key in known:
            path = _path(entry, key)
            noted.setdefault(path, Key(path, _LOOSE.get(path.removeprefix("sources[]."), "")))
        only(entry, known)

    return noting


def _path(entry: Entry, key: str) -> str:
    path = ""
    for part in (*entry.path, key):
        path += "[]" if isinstance(part, int) else f".{part}" if path else part
    return path


def _spelled(name: str, default: Any) -> str:
    """A default as confbus.yaml has it."""
    if default is None or default in {"", 0}:
        return "false" if name == "flag" else "0" if default == 0 and name == "whole" else ""
    if name == "seconds":
        return f"{default:g}s"
    if name == "bytes":
        return f"{default // 1024**2} MiB"
    return str(default).lower() if name == "flag" else str(default)
