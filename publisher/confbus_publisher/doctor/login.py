"""What the user that the URL names may do on the server."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus_publisher.access.attempt import attempts
from confbus_publisher.access.finding import tried
from confbus_publisher.access.rights import ROLES, rights_of, topology_of
from confbus_publisher.doctor.finding import Finding, Trouble, fine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from confbus.wire.keys import Keys
    from confbus_publisher.access.rights import Role

LACKING = Trouble(
    "login",
    "error",
    "rights-lacking",
    "What this user may not do, the server refuses when it is needed: in the middle of a day, or of an incident.",
)
ALMIGHTY = Trouble(
    "login",
    "warning",
    "login-almighty",
    "Whoever has this login, each worker perhaps, may delete all that is there and configure the server.",
)
_EVERYTHING = "flushall"


@dataclass(frozen=True, slots=True)
class LoginFacts:
    """`missing` are the rights that each role lacks, as `key: command, command`; nothing is lacking where it is empty.

    `is_almighty` is whether the user may delete everything, `is_local` whether the server is only reached from this
    machine. `needed` is the role whose rights are needed here, if that is known.
    """

    missing: Mapping[Role, Sequence[str]]
    is_almighty: bool
    is_local: bool
    needed: Role | None = None


def try_login(url: str, keys: Keys, *, needed: Role | None) -> LoginFacts:
    """Try, without doing any of it, what each role needs. Raises `ConfBusError` when that cannot be tried."""
    missing: dict[Role, list[str]] = {}
    is_almighty = False
    for role in ROLES:
        every = attempts(rights_of(role, topology=topology_of(url)), keys)
        found = tried(url, keys, [each for each in every if each.is_due or each.name == _EVERYTHING])
        missing[role] = [f"{row.row}: {', '.join(row.missing)}" for row in found if row.missing]
        is_almighty = any(_EVERYTHING in row.excess for row in found)
    return LoginFacts(missing, is_almighty, _is_local(url), needed)


def rights(login: LoginFacts) -> Iterator[Finding]:
    """Which roles the user can play."""
    able = [role for role, missing in login.missing.items() if not missing]
    wanted: list[Role] = [login.needed] if login.needed else list(login.missing)
    if not set(able).intersection(wanted):
        role = min(wanted, key=lambda each: len(login.missing[each]))
        what = f"this user lacks rights of {_a(role)}: {'; '.join(login.missing[role])}"
        yield LACKING.found(what, f"`confbus acl --role {role}` prints a user that has them.")
    else:
        yield fine("login", f"this user may be {_listed(able)}")
    if login.is_almighty and not login.is_local:
        advice = "`confbus acl` prints users with the rights of a role alone."
        yield ALMIGHTY.found("this user may do everything, FLUSHALL included", advice)


def _is_local(url: str) -> bool:
    rest = url.partition("://")[2]
    host = rest.partition("/")[0].rpartition("@")[2]
    return url.startswith("unix:") or host.startswith(("localhost", "127.", "[::1]"))


def _a(role: str) -> str:
    return f"an {role}" if role.startswith("o") else f"a {role}"


def _listed(roles: Sequence[str]) -> str:
    *first, last = [_a(role) for role in roles]
    return f"{', '.join(first)} or {last}" if first else last
