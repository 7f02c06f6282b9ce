"""A volume as the kubelet keeps it: the steps of its AtomicWriter, one by one."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class Volume:
    """The directory of a ConfigMap or a Secret. `write` does all that an update does; `steps` stops in between."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._updates = 0

    def write(self, payload: Mapping[str, str | bytes]) -> None:
        """Let the volume hold `payload`, as after an update."""
        for _ in self.steps(payload):
            pass

    def steps(self, payload: Mapping[str, str | bytes]) -> Iterator[str]:
        """The same, with a stop after each step; says what was done."""
        self.directory.mkdir(exist_ok=True)
        yield "the directory is there"
        link, old = self.directory / "..data", self._state()
        self._updates += 1
        new = self.directory / f"..2026_11_25_20_00_{self._updates:02}.{id(self)}"
        new.mkdir()
        for key, content in payload.items():
            (new / key).write_bytes(content.encode() if isinstance(content, str) else content)
            yield f"{key} is written"
        draft = self.directory / "..data_tmp"
        draft.symlink_to(new.name)
        yield "the new link is there"
        draft.replace(link)
        yield "the link is swapped"
        for key in payload.keys() - {path.name for path in self.directory.iterdir()}:
            (self.directory / key).symlink_to(f"..data/{key}")
            yield f"{key} is seen"
        for path in self.directory.iterdir():
            if not path.name.startswith("..") and path.name not in payload:
                path.unlink()
                yield f"{path.name} is seen no more"
        if old is not None:
            shutil.rmtree(old)
            yield "the old state is removed"

    def remove(self) -> None:
        """Take the whole directory away."""
        shutil.rmtree(self.directory)

    def _state(self) -> Path | None:
        link = self.directory / "..data"
        return link.resolve() if link.is_symlink() else None
