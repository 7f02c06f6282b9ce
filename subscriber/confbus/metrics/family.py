"""What a metric is called and what it says, and one reading of it. The names are a promise to dashboards and alerts."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from confbus.durations import Durations

Kind = Literal["gauge", "counter", "histogram"]


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """One metric. `labels` are those beside `namespace`, and `name` where one was given.

    In files for several processes nothing can be taken away. `gone` is what they are shown in place of a gauge that is
    no more; one `is_endless` whose labels have ever new values, and it is not written there, lest the files grow.
    """

    name: str
    kind: Kind
    help: str
    labels: tuple[str, ...] = ()
    gone: float = math.nan
    is_endless: bool = False


class Reading(NamedTuple):
    """What a metric is at this moment, for one set of labels."""

    family: Family
    labels: Mapping[str, str]
    value: float | Durations


def still_true(readings: Iterable[Reading], *, is_over: bool) -> Iterator[Reading]:
    """Those that still hold when what was read `is_over`: what it counted has happened, but it stands nowhere."""
    return (reading for reading in readings if not is_over or reading.family.kind != "gauge")
