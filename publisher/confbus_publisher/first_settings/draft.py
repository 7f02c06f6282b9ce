"""A confbus.yaml as text, with what else it could say in its comments."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from confbus_publisher.first_settings.candidates import LeftOut
    from confbus_publisher.settings import Settings

VALUES = """\
# What there is to configure: every top-level key is a section, which is stored and sent as a whole.
database:
  host: db-1.internal
  port: 5432
  pool: {min: 2, max: 20}
features:
  new_cart: false                # config.get("features.new_cart") in a worker
"""
"""The first values, for whoever has none."""

_STEP = 10
_LONGEST = 200
_PLAIN = re.compile(r"[A-Za-z][\w./-]*|redis://[\w.:/-]+")
_HEAD = """\
# What `confbus publish` and `confbus run` put out, and where to. `confbus check` tries it without a server.
# Take the `# ` away where you need what is behind it; docs/settings.md has every key.

{namespace}# which configuration this is; workers connect with the same name
{redis}# without this line `confbus run` starts a server of its own, for one machine
{password_file}
{sources}# each is merged over those with a lower priority
"""
_TAIL = """\
#   - env: APP_                      # APP_DATABASE_HOST is database.host
#     priority: {next}
#   - secrets: /run/secrets          # a file for each value
#     priority: {after}
#     optional: true

# profile: ${{APP_ENV}}                # config/app.production.yaml on top of config/app.yaml, where that is production

# checks:                            # what must hold before anything goes out
#   schema: config/schema.json       # a JSON Schema
#   rules: [database.pool.min <= database.pool.max]

# guard: 2m                          # watch each release, and undo it when instances refuse it
# seal: [database]                   # only workers with a key can read it; first `confbus keys generate`
# http: {{listen: 127.0.0.1:9630}}     # /healthz, /readyz, /metrics and /status
"""
_NO_LOGIN = """\
# password_file: /run/secrets/redis  # of the user in the URL, as in redis://publisher@localhost:6379
"""
_MARGIN = 37


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """The settings that `file` shall have, with the names of its files as sources."""

    file: Path
    namespace: str
    redis: str
    password_file: str | None = None
    sources: tuple[str, ...] = ()

    def with_source(self, name: str) -> Draft:
        """The same, with one more file on top."""
        return replace(self, sources=(*self.sources, name))

    def text(self, left_out: Iterable[LeftOut] = ()) -> str:
        """What is written; of what was left out it says why."""
        head = {
            "namespace": f"namespace: {_quoted(self.namespace)}  ".ljust(_MARGIN),
            "redis": f"redis: {_quoted(self.redis)}  ".ljust(_MARGIN),
            "password_file": f"password_file: {_quoted(self.password_file)}\n" if self.password_file else _NO_LOGIN,
            "sources": ("sources:" if self.sources else "# sources:").ljust(_MARGIN),
        }
        priorities = range(_STEP, _STEP * (len(self.sources) + 3), _STEP)
        named = zip(self.sources, priorities, strict=False)
        return "".join(
            [
                _HEAD.format(**head),
                *(f"  - file: {_quoted(name)}\n    priority: {priority}\n" for name, priority in named),
                *(f"#   - file: {_quoted(each.name)}\n#     # left out: {_on_a_line(each.why)}\n" for each in left_out),
                _TAIL.format(next=priorities[-2], after=priorities[-1]),
            ]
        )

    def settings(self) -> Settings:
        """What the text means, as if it stood in the file already. Raises as `load_settings`."""
        from confbus_publisher.formats.yaml import load_yaml
        from confbus_publisher.settings import read_settings

        tree, origins = load_yaml(self.text(), origin_name=str(self.file), within_lists=True)
        return read_settings(self.file, tree, origins, variables=os.environ)


def _quoted(text: str) -> str:
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def _on_a_line(text: str) -> str:
    line = "".join(char if char.isprintable() else " " for char in text)
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
