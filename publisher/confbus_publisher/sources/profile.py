"""Profiles: `app.production.yaml` goes on top of `app.yaml` where the profile is production."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator


def variant(name: str, profile: str) -> str:
    """The name of the file that goes on top of `name`; of `.env` it is `.env.PROFILE`."""
    stem, dot, suffix = name.rpartition(".")
    return f"{stem}.{profile}{dot}{suffix}" if stem else f"{name}.{profile}"


def in_order(names: Collection[str], profile: str, *, among: Collection[str]) -> Iterator[str]:
    """`names` sorted; with a profile each is followed by its variant, if that is `among` what is there.

    Variants of other profiles are left out: a name is a variant when what it would go on top of is there. Without a
    profile every name stands for itself.
    """
    for name in sorted(names):
        if not profile:
            yield name
        elif base_of(name) not in among:
            yield name
            if (on_top := variant(name, profile)) in among:
                yield on_top


def base_of(name: str) -> str:
    """What `name` would go on top of: `app.yaml` for `app.production.yaml`; empty for a name with one dot."""
    stem, _, suffix = name.rpartition(".")
    stem, _, _ = stem.rpartition(".")
    return f"{stem}.{suffix}" if stem else ""
