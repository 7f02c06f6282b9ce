"""The process in which CEL rules run: `cel_worker.py EXTENSION DEADLINE MEMORY`, started by `cel_process`.

A rule may loop for hours, ask for all memory, or end a process from within native code. Here that ends this process
alone: the alarm's default action kills it in the midst of whatever runs. The document comes on stdin and is written
nowhere, not even into a core file. For each rule one line leaves on stdout, at once: a word and a detail.

It runs isolated and without site-packages, so it loads the extension from its file: the package around it would import
a whole command line.
"""

from __future__ import annotations

import contextlib
import json
import resource
import signal
import sys
from importlib.machinery import ExtensionFileLoader
from importlib.util import module_from_spec, spec_from_file_location
from typing import Any


def main() -> None:
    """Answer one request from stdin on stdout, within the time and the memory that the arguments give."""
    extension, deadline_s, memory_bytes = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with contextlib.suppress(ValueError, OSError):  # Not every system can bound it.
        resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    cel = _load(extension)
    request = json.load(sys.stdin.buffer)
    signal.setitimer(signal.ITIMER_REAL, deadline_s)
    context = None
    verdict: tuple[str, ...]
    for rule in request["rules"]:
        try:
            program = cel.compile(rule)
            if request["document"] is None:
                verdict = ("fine", "")
            else:
                context = context or _context(cel, request["document"])
                verdict = _judged(program.execute(context))
        except Exception as error:  # noqa: BLE001  # of native code, whatever it raises; the parent tells it apart
            verdict = ("raised", type(error).__name__, _position(error))
        sys.stdout.write(json.dumps(verdict) + "\n")
        sys.stdout.flush()


def _load(extension: str) -> Any:
    spec = spec_from_file_location("cel.cel", extension, loader=ExtensionFileLoader("cel.cel", extension))
    if spec is None or spec.loader is None:
        raise ImportError(extension)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _context(cel: Any, document: dict[str, Any]) -> Any:
    context = cel.Context()
    for name, value in document.items():
        context.add_variable(name, value)
    return context


def _judged(result: object) -> tuple[str, str]:
    if isinstance(result, bool):
        return ("fine", "") if result else ("fails", "")
    return ("no answer", type(result).__name__)


def _position(error: Exception) -> str:
    """The column of a mistake in a rule: the one thing in a message of the library that is safe to tell."""
    head, _, rest = str(error).partition("<input>:1:")
    return rest.partition(":")[0] if head.startswith("Failed to parse") else ""


if __name__ == "__main__":
    main()
