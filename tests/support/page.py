"""Plays a page of the documentation as its reader would: block after block, in one directory, against one server.

A block `yaml NAME` is written into that file. Of a block `sh` each line is run; of `console` each that begins with
`$ `, and what it says has to be the lines after it: there `…` stands for any text, and alone on a line for any lines.
A block `pycon` is typed into one interpreter. `confbus run` goes on in the background. Who only looks looks again,
until the answer is that of the page.
"""

from __future__ import annotations

import doctest
import re
import shlex
import subprocess
from contextlib import ExitStack
from functools import partial
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import unquote, urlsplit

from click.testing import CliRunner

import confbus
from confbus_publisher.cli.program import program
from support.eventually import eventually
from support.shop import Running

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from support.server import Server

PLAYED = ("docs/rollback.md", "docs/start.md")
"""The pages that tell a story."""

_URL = "redis://localhost:6379"
_LOOKING = {"status", "get", "explain", "history", "diff", "log", "fleet", "plan"}
_ELSEWHERE = {"pip", "make", "git"}
_FENCE = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_STEP = re.compile(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", re.MULTILINE)


class Player:
    """Plays pages in `directory`, which has to be the current one; a context manager that ends what they started."""

    def __init__(self, server: Server, directory: Path) -> None:
        self._server = server
        self._directory = directory
        self._scope: dict[str, Any] = {}
        self._started = ExitStack()

    def play(self, page: Path) -> None:
        """Do what the page says. Fails at the first place where something else comes of it."""
        text = page.read_text()
        for match in _FENCE.finditer(text):
            place = f"{page.name}:{text.count(chr(10), 0, match.start()) + 1}"
            kind, _, name = match[1].partition(" ")
            block = match[2].replace(_URL, self._server.url)
            if name:
                self._write(name, block)
            elif kind == "sh":
                self._run(((line, None) for line in block.replace("\\\n", " ").splitlines()), place)
            elif kind == "console":
                self._run(_STEP.findall(block), place)
            elif kind == "pycon":
                self._interpret(block, place)

    def _write(self, name: str, text: str) -> None:
        file = self._directory / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)

    def _run(self, steps: Iterable[tuple[str, str | None]], place: str) -> None:
        for line, wanted in steps:
            where = f"{place}: {line}"
            words = shlex.split(line, comments=True)
            if words[:2] == ["confbus", "run"]:
                self._started.enter_context(Running(tuple(words[1:]), self._directory, {}))
            elif words[:1] == ["confbus"] and wanted and words[1] in _LOOKING:
                eventually(partial(_answer, words[1:], wanted, where))
            elif words[:1] == ["confbus"]:
                _answer(words[1:], wanted, where)
            elif words[:2] == ["docker", "compose"]:
                self._administrate(words[2])
            elif words and words[0] not in _ELSEWHERE:
                self._type(line, wanted, where)

    def _administrate(self, order: str) -> None:
        if order == "stop":
            self._server.kill()
        elif not self._server.is_running:
            self._server.restart()

    def _type(self, line: str, wanted: str | None, where: str) -> None:
        """Run a line in a shell whose redis-cli knows the server."""
        socket = unquote(urlsplit(self._server.url).path)
        script = f'redis-cli() {{ command redis-cli -e -s "{socket}" "$@"; }}\n{line}'
        done = subprocess.run(["bash", "-ec", script], capture_output=True, text=True, check=False)
        assert done.returncode == 0, (where, done.stderr)
        _compare(done.stdout, wanted, where)

    def _interpret(self, block: str, place: str) -> None:
        examples = doctest.DocTestParser().get_doctest(block, self._scope, place, place, 0)
        told: list[str] = []
        outcome = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(examples, out=told.append, clear_globs=False)
        self._scope.update(examples.globs)
        assert outcome.failed == 0, "".join(told)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        for thing in self._scope.values():
            if isinstance(thing, confbus.Subscriber):
                thing.close()
        self._started.close()


def _answer(words: list[str], wanted: str | None, where: str) -> bool:
    """Run the command in this process; True when the page shows what it says."""
    answer = CliRunner().invoke(program, words)
    _compare(answer.output, wanted, where)
    return True


def _compare(told: str, wanted: str | None, where: str) -> None:
    if wanted is None:
        return
    lines = [re.escape(line.rstrip()).replace("…", ".*") for line in wanted.rstrip().splitlines()]
    pattern = "\n".join("(?s:.*)" if line == ".*" else line for line in lines)
    found = "\n".join(line.rstrip() for line in told.rstrip().splitlines())
    assert re.fullmatch(pattern, found), f"{where}\nThe page shows:\n{wanted}\nBut told is:\n{found}\n"
