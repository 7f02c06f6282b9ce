"""`guard:` in confbus.yaml: how each release is watched once it is out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus.wire.frozen import is_mapping
from confbus_publisher.guard.guard import Terms
from confbus_publisher.guard.limit import NONE, parse_limit
from confbus_publisher.guard.probe import FAILURES, INTERVAL_S, TIMEOUT_S, Probe, http_objection, python_objection

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus_publisher.entry import Entry
    from confbus_publisher.guard.guarding import Policy
    from confbus_publisher.guard.limit import Limit
    from confbus_publisher.sources.remote.address import Address

_KNOWN = ("for", "vetoes", "probes")
_OF_PROBE = ("http", "python", "name", "timeout", "interval", "failures")
DEFAULT_S, LONGEST_S = 120.0, 366 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeSettings:
    """One of `probes:`. It asks `address`, or the function that `python` names; `place` is where it stands."""

    name: str
    place: str
    address: Address | None
    python: str
    timeout_s: float
    interval_s: float
    failures: int


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardSettings:
    """What confbus.yaml says of the guard. Without `for_s` releases are not guarded; the probes of one that another
    publisher guarded are asked all the same. `base` is where a module with functions may lie."""

    base: Path
    for_s: float | None = None
    vetoes: Limit = NONE
    probes: tuple[ProbeSettings, ...] = ()


def read_guard(entry: Entry, *, base: Path) -> GuardSettings:
    """What the key `guard` of `entry` says: a duration, or a mapping. Raises `InvalidSettings` with the line."""
    if "guard" not in entry:
        return GuardSettings(base=base)
    if not is_mapping(entry.values["guard"]):
        return GuardSettings(base=base, for_s=_seconds(entry, "guard"))
    inner = entry.inner("guard")
    inner.only(_KNOWN)
    limit = parse_limit(str(inner.values.get("vetoes", NONE)))
    if limit is None:
        raise inner.refuse("vetoes must be a number, or a share", "Write it such as 2 or 5%.", at="vetoes")
    return GuardSettings(base=base, for_s=_seconds(inner, "for"), vetoes=limit, probes=tuple(_probes(inner)))


def build_policy(settings: GuardSettings) -> Policy:
    """The terms of new guards and the probes, ready to be asked. Raises `InvalidSettings` for a function that cannot
    be had."""
    from confbus_publisher.guard.guarding import Policy

    terms = Terms(settings.for_s, settings.vetoes) if settings.for_s is not None else None
    return Policy(terms, tuple(_built(probe, settings.base) for probe in settings.probes))


def _seconds(entry: Entry, key: str) -> float:
    return entry.seconds(key, default=DEFAULT_S, least=0.001, most=LONGEST_S)


def _probes(entry: Entry) -> Iterator[ProbeSettings]:
    for probe in entry.each("probes"):
        probe.only(_OF_PROBE)
        if ("http" in probe) is ("python" in probe):
            raise probe.refuse("a probe is either http or python", "Write one of both, and a probe for each.")
        python = f"python:{probe.text('python')}" if "python" in probe else ""
        address = None if python else _address(probe)
        yield ProbeSettings(
            name=probe.text("name", default=python.partition(":")[2] or str(address)),
            place=probe.place("python" if python else "http"),
            address=address,
            python=python,
            timeout_s=probe.seconds("timeout", default=TIMEOUT_S),
            interval_s=probe.seconds("interval", default=INTERVAL_S),
            failures=probe.whole("failures", default=FAILURES, least=1),
        )


def _address(probe: Entry) -> Address:
    from confbus_publisher.source_settings.remote import checked
    from confbus_publisher.sources.remote.address import parse_address

    url = probe.text("http")
    address: Address = checked(probe, "http", lambda: parse_address(url))
    return address


def _built(settings: ProbeSettings, base: Path) -> Probe:
    if settings.address is not None:
        objection = http_objection(settings.address, timeout_s=settings.timeout_s)
    else:
        from confbus_publisher.check_settings import GROUP
        from confbus_publisher.named_function import named_function

        function = named_function(settings.python, origin=settings.place, base=base, group=GROUP)
        objection = python_objection(function)
    return Probe(
        name=settings.name,
        objection=objection,
        timeout_s=settings.timeout_s,
        interval_s=settings.interval_s,
        failures=settings.failures,
    )
