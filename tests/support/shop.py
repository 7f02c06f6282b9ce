"""A directory with a confbus.yaml and one source, and the `confbus` command at work in it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from click.testing import CliRunner

from confbus_publisher.cli.program import program
from support.eventually import eventually

if TYPE_CHECKING:
    from types import TracebackType

CONFBUS = shutil.which("confbus", path=Path(sys.executable).parent) or "confbus"
SOURCE = "config/app.yaml"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command left behind: its exit code, its data, its talk."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """The JSON that it printed."""
        return json.loads(self.out)


class Shop:
    """`directory` with a source and settings; without `url` the settings name no server.

    `confbus` runs a command in this process, which is fast; it needs the directory to be the current one.
    """

    def __init__(self, directory: Path, namespace: str, *, url: str | None = None) -> None:
        self.directory = directory
        self.namespace = namespace
        self.url = url
        (directory / "config").mkdir()
        self.write("number: 1\ndb: {host: a, port: 5432}\n")
        self.settle()

    def write(self, text: str) -> None:
        """Let the source say `text`; readers find the old text or the new one, never a part."""
        draft = self.directory / "config" / "draft"
        draft.write_text(text)
        draft.replace(self.directory / SOURCE)

    def settle(self, more: str = "", *, source: str = SOURCE) -> None:
        """Write the settings: those that every test has, and `more`."""
        lines = [f"namespace: {self.namespace}", f"sources: [{{file: {source}}}]"]
        lines += ["lease: 1s", "poll_interval: 300ms", "report_interval: 500ms"]
        lines += [f"redis: {self.url}"] if self.url else []
        (self.directory / "confbus.yaml").write_text("\n".join([*lines, more, ""]))

    def confbus(self, *words: str) -> Answer:
        result = CliRunner().invoke(program, words)
        return Answer(result.exit_code, result.stdout, result.stderr)

    def process(self, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command as the shell does."""
        return subprocess.run(
            [CONFBUS, *words],
            cwd=self.directory,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *words: str, stderr: int | None = None, **environment: str) -> Running:
        """Start a command that goes on; a context manager. `stderr` is a file descriptor in place of a file."""
        return Running(words, self.directory, environment, stderr=stderr)


class Running:
    """A `confbus` process, and what it wrote so far."""

    def __init__(
        self, words: tuple[str, ...], directory: Path, environment: dict[str, str], *, stderr: int | None = None
    ) -> None:
        self._files = [directory / f"{os.urandom(4).hex()}.{name}" for name in ("out", "err")]
        with self._files[0].open("w") as out, self._files[1].open("w") as err:
            self.process = subprocess.Popen(
                [CONFBUS, *words],
                cwd=directory,
                env=os.environ | environment,
                stdout=out,
                stderr=stderr or err,
                text=True,
            )

    @property
    def out(self) -> str:
        return self._files[0].read_text()

    @property
    def err(self) -> str:
        return self._files[1].read_text()

    def says(self, *texts: str, times: int = 1, within_s: float = 20.0) -> str:
        """Wait until all `texts` stand on one line of its stderr, so many times; gives the last such line."""

        def lines() -> list[str]:
            found = [line for line in self.err.splitlines() if all(text in line for text in texts)]
            return found if len(found) >= times else []

        return eventually(lines, within_s=within_s, describe=lambda: self.err)[-1]

    def shows(self, text: str) -> None:
        """Wait until `text` is on its stdout."""
        eventually(lambda: text in self.out, describe=lambda: (self.out, self.err))

    def signal(self, number: int) -> None:
        self.process.send_signal(number)

    def end(self, number: int) -> int:
        """Send it a signal that ends it; gives its exit code."""
        self.signal(number)
        return self.process.wait(timeout=30)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
