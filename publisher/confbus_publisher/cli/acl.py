"""`confbus acl`: the users of the server, with the rights that each role needs and no others."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.access.rights import ROLES, TOPOLOGIES
from confbus_publisher.cli import outcome
from confbus_publisher.cli.offers import files
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import present, say, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.wire.keys import Keys
    from confbus_publisher.access.finding import Finding
    from confbus_publisher.access.rights import Role, Topology
    from confbus_publisher.opening import Named


@subcommand(
    "acl",
    example="confbus acl -n checkout --role subscriber --hash workers.password",
    keys="users [{user, role, line}]; of --check: user, role, is_right, "
    "rows [{row, allowed [name], refused [name], missing [name], excess [name]}]",
)
@with_place
@click.option("--role", type=click.Choice(ROLES), help="One role; else the users of all.")
@click.option("--user", metavar="NAME", help="How the user is called, if not NAMESPACE-ROLE.")
@click.option(
    "--hash",
    "files",
    multiple=True,
    metavar="FILE",
    help="Its password is in FILE; its SHA-256 is printed.",
    shell_complete=files,
)
@click.option("--topology", type=click.Choice(TOPOLOGIES), help="What the server is; else what the URL says.")
@click.option("--aclfile", "is_for_file", is_flag=True, help="Lines for the server's aclfile, not for redis-cli.")
@click.option("--check", "is_check", is_flag=True, help="Prove on the server that the role has these rights alone.")
@with_output
def command(named: Named, output: str, role: Role | None, user: str | None, *, is_check: bool, **how: Any) -> int:
    """Print the ACL rules of publishers, subscribers and operators.

    Each line makes a user of Redis 7 or Valkey anew, with nothing but what the role needs in this namespace: feed them
    to redis-cli, or put them into the server's aclfile.

    --check tries, without doing any of it, all that is allowed and much that is not, as the user of the URL. With
    --user it asks for that user by ACL DRYRUN, which takes the rights of an administrator.
    """
    if role is None and (is_check or user or how["files"]):
        raise click.UsageError("--check, --user and --hash need a --role.", click.get_current_context())
    if is_check:
        return _check(named, output, role or ROLES[0], user, how["topology"])
    return _print(named, output, (role,) if role else ROLES, user, **how)


def _print(
    named: Named,
    output: str,
    roles: tuple[Role, ...],
    user: str | None,
    *,
    files: tuple[str, ...],
    topology: Topology | None,
    is_for_file: bool,
) -> int:
    from confbus_publisher.access.rights import rights_of, topology_of
    from confbus_publisher.access.rules import PLACEHOLDER, rules, user_line

    keys, url = _place(named)
    kind, hashes = topology or topology_of(url), [_hash_of(file) for file in files]
    users: list[dict[str, str]] = []
    for role in roles:
        name = user or f"{keys.namespace}-{role}"
        line = user_line(name, hashes, rules(rights_of(role, topology=kind), keys), is_for_file=is_for_file)
        users.append({"user": name, "role": role, "line": line})
    present(output, {"users": users}, [each["line"] for each in users])
    if output == "text" and not hashes:
        say(f"Put the hash of a password in place of {PLACEHOLDER[1:]}, or name a file that has it: --role, --hash.")
    return outcome.DONE


def _check(named: Named, output: str, role: Role, user: str | None, topology: Topology | None) -> int:
    from confbus.address import redacted
    from confbus_publisher.access.attempt import attempts
    from confbus_publisher.access.finding import tried
    from confbus_publisher.access.rights import rights_of, topology_of
    from confbus_publisher.opening import site_of

    site = site_of(named)
    keys, url = _keys(site.namespace, site.url), site.url
    rights = rights_of(role, topology=topology or topology_of(url))
    found = tried(url, keys, attempts(rights, keys), user=user or "")
    is_right = all(finding.is_right for finding in found)
    who = user or f"The user of {redacted(url)}"
    facts = {
        "user": user or redacted(url),
        "role": role,
        "is_right": is_right,
        "rows": [_fact(finding) for finding in found],
    }
    present(output, facts, _lines(found))
    if output == "text":
        end = "has the rights of" if is_right else "has other rights than"
        say(f"{who} {end} {'an' if role == 'operator' else 'a'} {role} of {site.namespace}.")
        if not is_right:
            say(f"`confbus acl --role {role}` prints one that has just these.")
    return outcome.DONE if is_right else outcome.FAILED


def _place(named: Named) -> tuple[Keys, str]:
    """The keys that are meant, and the URL when one is named; the server need not be there."""
    from confbus_publisher.opening import settings_of

    if named.namespace and not (named.has_settings and named.url is None):
        return _keys(named.namespace, named.url or ""), named.url or ""
    settings = settings_of(named)
    return _keys(settings.namespace, settings.redis or ""), settings.redis or ""


def _keys(namespace: str, url: str) -> Keys:
    from confbus.dial import dialled
    from confbus.wire.keys import Keys

    keys = Keys(namespace)
    return Keys(namespace, dialled(url, keys).database) if url else keys


def _hash_of(file: str) -> str:
    from confbus.address import read_password
    from confbus.errors import InvalidSettings

    try:
        return hashlib.sha256(read_password(file).encode()).hexdigest()
    except ConnectionError as error:
        raise InvalidSettings("--hash", str(error)) from error


def _fact(finding: Finding) -> dict[str, Any]:
    lists = {name: list(getattr(finding, name)) for name in ("allowed", "refused", "missing", "excess")}
    return {"row": finding.row, **lists}


def _lines(found: list[Finding]) -> Iterator[str]:
    """A line for each row, and below it what is wrong there."""
    widest = max(len(finding.row) for finding in found)
    for finding in found:
        mark = click.style("ok   ", fg="green") if finding.is_right else click.style("wrong", fg="red", bold=True)
        may = ", ".join(finding.allowed) or "nothing"
        others = f"; {len(finding.refused)} others are refused" if finding.refused else ""
        yield from sentence(f"{mark}  {finding.row.ljust(widest)}  may {may}{others}", indent=" " * 9)
        if finding.missing:
            yield from sentence(f"       should be allowed: {', '.join(finding.missing)}", indent=" " * 9)
        if finding.excess:
            yield from sentence(f"       should be refused: {', '.join(finding.excess)}", indent=" " * 9)
