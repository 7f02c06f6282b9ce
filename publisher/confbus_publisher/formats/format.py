"""How the text of a document is read: by the suffix of its file, or as somebody says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.formats.yaml import load_yaml

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.frozen import Frozen
    from confbus.wire.path import Path
    from confbus_publisher.origin import Origin

FORMATS = ("yaml", "json", "toml", "dotenv")
_BY_SUFFIX = {".yaml": "yaml", ".yml": "yaml", ".json": "json", ".toml": "toml", ".env": "dotenv"}
SUFFIXES = tuple(_BY_SUFFIX)


def format_of(name: str) -> str:
    """The format that the name of a file says; empty when it says none. `.env` and `.env.production` are dotenv."""
    name = name.lower()
    if name == ".env" or name.startswith(".env."):
        return "dotenv"
    return _BY_SUFFIX.get(name[name.rfind(".") :], "") if "." in name.lstrip(".") else ""


def load(
    text: str, *, format_name: str, origin_name: str, deletes: set[Path] | None = None
) -> tuple[Frozen, Mapping[Path, Origin]]:
    """The mapping that `text` holds in one of `FORMATS`, and the place of each leaf and mapping.

    `deletes` is given the paths that YAML tags `!delete`, as by `load_yaml`. Raises `SourceFailed` with `origin_name`,
    line and column.
    """
    if format_name == "json":
        from confbus_publisher.formats.json import load_json

        return load_json(text, origin_name=origin_name)
    if format_name == "toml":
        from confbus_publisher.formats.toml import load_toml

        return load_toml(text, origin_name=origin_name)
    if format_name == "dotenv":
        from confbus_publisher.formats.dotenv import load_dotenv

        return load_dotenv(text, origin_name=origin_name)
    return load_yaml(text, origin_name=origin_name, deletes=deletes)
