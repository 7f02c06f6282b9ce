"""Feature flags: values of the configuration that answer yes or no, for everybody or for a share of the users.

A flag is `true`, `false`, or a mapping: `{enabled: true, rollout_percentage: 25}`. There is nothing else to it, so that
whoever reads the file knows what a worker answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from confbus.errors import ChecksFailed
from confbus.wire.frozen import is_mapping
from confbus.wire.path import parse, render

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.path import Path
    from confbus.wire.snapshot import Snapshot

BUCKETS = 10_000
"""A hundredth of a percent each."""
_ABSENT = object()


class Reads(Protocol):
    """What flags are read from: a subscriber, a snapshot."""

    def get(self, path: str, default: Any = None) -> Any: ...


class Flags:
    """The flags below one section of `config`, as they are at the moment of each question.

    Safe from any thread. With `validate` among the `validators` of `connect`, a release with a flag that cannot be
    understood never gets here; without, such a flag answers its default and is logged once.
    """

    __slots__ = ("_config", "_told", "section")

    def __init__(self, config: Reads, section: str = "features") -> None:
        self.section = section
        self._config = config
        self._told: set[str] = set()

    def is_enabled(self, name: str, user: str | int | None = None, *, default: bool = False) -> bool:
        """Whether the flag is on for `user`; `default` where there is no such flag.

        The same user always gets the same answer, in every process, and keeps a flag whose percentage is raised. Nobody
        is in a part: without a user, only a flag at 100 % is on.
        """
        flag = self._config.get(f"{self.section}.{name}", _ABSENT)
        if flag is True or flag is False:
            return flag
        if flag is None:
            return False
        if flag is _ABSENT:
            return default
        wrong = fault(flag)
        if wrong:
            self._tell(name, wrong)
            return default
        return is_on(name, flag, user)

    def __repr__(self) -> str:
        return f"Flags({self.section!r})"

    def _tell(self, name: str, wrong: str) -> None:
        if name not in self._told:
            self._told.add(name)
            import logging

            logging.getLogger("confbus").warning("flag %r answers its default: %s", name, wrong)


def validate(snapshot: Snapshot, section: str = "features") -> None:
    """For `validators=`: raises `ChecksFailed` with a line for each flag that cannot be understood."""
    path = parse(section)
    flags = snapshot.get(path, {})
    problems = _problems(path, flags) if is_mapping(flags) else [f"{section}: it is no mapping of flags"]
    if problems:
        raise ChecksFailed(problems)


def bucket(name: str, user: str | int) -> int:
    """Where `user` stands among the 10,000 buckets of the flag `name`: on from (bucket + 1) / 100 percent upwards.

    The first eight bytes of the SHA-256 of `name:user` in UTF-8, as a big-endian number, modulo 10,000. This never
    changes, so other programs may work it out too; another flag shuffles the users anew.
    """
    from hashlib import sha256

    digest = sha256(f"{name}:{user}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") % BUCKETS


def is_flag(value: Any) -> bool:
    """Whether a mapping is a flag: one that has neither of a flag's keys is a group, or something else."""
    return is_mapping(value) and bool(value.keys() & {"enabled", "rollout_percentage"})


def fault(flag: Any) -> str:
    """What is wrong with a flag, or the empty text."""
    if flag is None or isinstance(flag, bool):
        return ""
    if not is_mapping(flag):
        return "it is neither true, false nor a mapping"
    if not isinstance(flag.get("enabled", False), bool):
        return "enabled is neither true nor false"
    percentage = flag.get("rollout_percentage", 100)
    if type(percentage) not in (int, float) or not 0 <= percentage <= 100:
        return "rollout_percentage is no number from 0 to 100"
    return ""


def is_on(name: str, flag: Mapping[str, Any], user: str | int | None) -> bool:
    """Whether a flag that is a mapping, and has no fault, is on for `user`."""
    if not flag.get("enabled", False):
        return False
    percentage = flag.get("rollout_percentage", 100)
    if percentage >= 100:
        return True
    return user is not None and user != "" and bucket(name, user) < percentage * 100


def _problems(path: Path, flags: Mapping[str, Any]) -> list[str]:
    """A mapping of mappings is a group of flags: `search.fuzzy` is the flag `fuzzy` in the group `search`."""
    found: list[str] = []
    for name, flag in flags.items():
        here = (*path, name)
        if is_mapping(flag) and not is_flag(flag):
            found += _problems(here, {key: each for key, each in flag.items() if is_mapping(each)})
        elif wrong := fault(flag):
            found.append(f"{render(here)}: {wrong}")
    return found
