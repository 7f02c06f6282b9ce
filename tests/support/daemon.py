"""`confbus run` as another process, for what must not be tried on oneself."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

SETTINGS = """\
namespace: {namespace}
redis: {url}
sources: [{{file: app.json}}]
poll_interval: 200ms
report_interval: 500ms
lease: 1s
"""


class Daemon:
    """One publisher process after the other, with one settings file, one source and one memory; a context manager.

    `said` is the end of what the last one wrote to stderr, once it is dead.
    """

    def __init__(self, url: str, namespace: str, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._settings = directory / "confbus.yaml"
        self._source = directory / "app.json"
        self._settings.write_text(SETTINGS.format(namespace=namespace, url=json.dumps(url)))
        self._process: subprocess.Popen[str] | None = None
        self.said = ""

    @property
    def pid(self) -> int:
        assert self._process, "it does not run"
        return self._process.pid

    def start(self) -> None:
        program = "from confbus_publisher.cli import main; main()"
        command = [sys.executable, "-c", program, "run", "-c", str(self._settings)]
        self._process = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)

    def write(self, tree: dict[str, Any]) -> None:
        """Let its source say `tree`, as an editor does: all at once."""
        draft = self._source.with_name("draft")
        draft.write_text(json.dumps(tree))
        draft.replace(self._source)

    def signal(self, number: int) -> int:
        """Send it a signal; returns, when it is dead, its exit code."""
        assert self._process, "it does not run"
        self._process.send_signal(number)
        self.said = self._process.communicate()[1][-10_000:]
        code, self._process = self._process.returncode, None
        return code

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process:
            self._process.kill()
            self._process.communicate()
