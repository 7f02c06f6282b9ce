"""Secret references as sources write them: `!secret env:NAME` in YAML, `{"$secret": "env:NAME"}` anywhere."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from confbus.wire.frozen import Reference
from confbus.wire.reference import ADVICE, KEY, fault_of
from confbus_publisher.formats.limits import Unfit

if TYPE_CHECKING:
    from collections.abc import Mapping

    from confbus.wire.path import Path

    P = TypeVar("P")

TAG = "!secret"


def reference(text: object) -> Reference:
    """The reference that `text` is. Raises `Unfit` for one that leads nowhere, without repeating it: it may be the
    secret itself."""
    if not isinstance(text, str):
        raise Unfit("a secret reference is a text", ADVICE)
    found = Reference(text)
    fault = fault_of(found)
    if fault:
        raise Unfit(f"this is no secret reference: {fault}", ADVICE)
    return found


def reference_in(values: Mapping[str, Any]) -> Reference | None:
    """What a mapping with the key `$secret` stands for; None for all others. Raises `Unfit` as `reference` does, and
    when there are more keys."""
    if KEY not in values:
        return None
    if len(values) > 1:
        raise Unfit(f"other keys stand beside {KEY}", f"A mapping with {KEY} is one value: keep that key alone.")
    return reference(values[KEY])


def without_spelling(places: dict[Path, P]) -> dict[Path, P]:
    """`places` without those inside of references, which are leaves."""
    return {path: place for path, place in places.items() if KEY not in path}
