"""Which processes there are: what a test needs to know to claim that none is left. Linux only."""

from __future__ import annotations

import os
from pathlib import Path

PROC = Path("/proc")


def group(number: int) -> set[int]:
    """The live processes of a process group; a zombie is not alive."""
    return {pid for pid in _pids() if _group_of(pid) == number and is_alive(pid)}


def is_alive(pid: int) -> bool:
    """Whether the process runs; a zombie does not."""
    fields = _stat(pid)
    return bool(fields) and fields[0] != "Z"


def at_work_in(directory: Path) -> dict[int, str]:
    """The live processes, apart from this one, that name `directory` in their command or are in it."""
    seen = {pid: _traces(pid) for pid in _pids() - {os.getpid()}}
    return {pid: traces for pid, traces in seen.items() if str(directory) in traces and is_alive(pid)}


def _pids() -> set[int]:
    return {int(entry.name) for entry in PROC.iterdir() if entry.name.isdigit()}


def _stat(pid: int) -> list[str]:
    try:
        return (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []  # gone meanwhile


def _group_of(pid: int) -> int:
    fields = _stat(pid)
    return int(fields[2]) if fields else 0


def _traces(pid: int) -> str:
    entry = PROC / str(pid)
    try:
        command = (entry / "cmdline").read_bytes().decode(errors="replace").replace("\0", " ")
        return f"{command} in {(entry / 'cwd').readlink()}"
    except OSError:
        return ""  # gone meanwhile, or not ours to look at
