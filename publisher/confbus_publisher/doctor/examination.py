"""One examination: gather what can be had, and put every check to it. What cannot be had is a finding as well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from confbus.client import keys_of, make_client
from confbus.errors import ConfBusError, EmbeddedFailed, InvalidNamespace, InvalidSettings
from confbus_publisher import opening
from confbus_publisher.doctor import (
    files,
    fleet,
    login,
    machine,
    namespace,
    server_delivery,
    server_durability,
    server_memory,
    server_program,
    sources,
)
from confbus_publisher.doctor.finding import AREAS, Finding, unseen
from confbus_publisher.doctor.machine_facts import look_around
from confbus_publisher.doctor.namespace_facts import NamespaceFacts, read_namespace
from confbus_publisher.doctor.server_facts import ask_server
from confbus_publisher.doctor.source_facts import read_fallback, read_files, read_sources

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.access.rights import Role
    from confbus_publisher.doctor.namespace_facts import HeadFacts
    from confbus_publisher.doctor.server_facts import ServerFacts
    from confbus_publisher.opening import Named, Site
    from confbus_publisher.settings import Settings


@dataclass(frozen=True, slots=True)
class Examination:
    """Where it was, as far as that is known, and what was found, in the order of the areas."""

    namespace: str
    where: str
    findings: tuple[Finding, ...]


def examine(named: Named, *, role: Role | None = None, fallback: str | None = None) -> Examination:
    """Look at everything where `named` leads; nothing is changed anywhere.

    `role` is whose rights are needed, if not a publisher's where the settings name the server, and anybody's else;
    `fallback` is the file of workers on this machine.

    Raises `InvalidSettings` when it leads nowhere, because neither settings nor a server and a namespace were named.
    """
    found: list[Finding] = []
    settings = _settings(named, found)
    site = _site(named, settings, found)
    needed: Role | None = role or ("publisher" if settings and not named.url else None)
    head = _at_the_server(site, needed, found) if site else None
    found += _here(settings, head) if settings else []
    name = site.namespace if site else settings.namespace if settings else named.namespace or ""
    if fallback:
        found += files.last_known_good(read_fallback(fallback, name), head)
    found.sort(key=lambda finding: AREAS.index(finding.area))
    return Examination(name, site.where if site else "", tuple(found))


def _settings(named: Named, found: list[Finding]) -> Settings | None:
    if not named.has_settings:
        found.append(unseen("sources", "the sources", f"there is no {named.file} here"))
        return None
    try:
        return opening.settings_of(named)
    except (InvalidSettings, InvalidNamespace) as error:
        found.append(sources.refused(error))
        return None


def _site(named: Named, settings: Settings | None, found: list[Finding]) -> Site | None:
    is_refused = named.has_settings and settings is None
    if is_refused and not (named.url and named.namespace):
        found.append(unseen("server", "any server", "the settings do not say which"))
        return None
    try:
        return opening.published_site(settings) if settings else opening.site_of(named)
    except EmbeddedFailed as error:
        found.append(server_program.away(error))
        return None


def _here(settings: Settings, head: HeadFacts | None) -> Iterator[Finding]:
    """Sources, files and the machine: for that no server is needed."""
    around = look_around()
    try:
        read = read_sources(settings)
    except InvalidSettings as error:
        yield sources.refused(error)
    else:
        yield from sources.document(read)
        yield from machine.watches(around, read)
        yield from machine.mounts(around, read)
    own = read_files(settings)
    yield from files.keyring(own, head)
    yield from files.memory_file(own)
    yield from files.passwords(own)
    yield from machine.installations(around)


def _at_the_server(site: Site, needed: Role | None, found: list[Finding]) -> HeadFacts | None:
    """The server, the login, the namespace and the fleet; the head, if it can be read."""
    try:
        server = ask_server(site)
        with site.ledger() as ledger:
            facts = read_namespace(ledger)
    except ConfBusError as error:
        found.append(server_program.away(error))
        return None
    found += _of_server(server, facts)
    found += _of_login(site, needed)
    found += [*namespace.releases(facts), *namespace.publishers(facts), *fleet.workers(facts)]
    return facts.head


def _of_server(server: ServerFacts, facts: NamespaceFacts) -> Iterator[Finding]:
    yield from server_program.program(server)
    yield from server_memory.memory(server, release_bytes=facts.head.size if facts.head else 0)
    yield from server_durability.durability(server)
    yield from server_durability.replication(server)
    yield from server_delivery.latency(server)
    yield from server_delivery.buffers(server)
    yield from server_delivery.connections(server)
    yield from server_program.scripts(server)
    yield from server_program.clock(server)
    yield from server_program.untold(server)


def _of_login(site: Site, needed: Role | None) -> Iterator[Finding]:
    client = make_client(site.url, namespace=site.namespace)
    keys = keys_of(client, site.namespace)
    client.close()
    try:
        tried = login.try_login(site.url, keys, needed=needed)
    except ConfBusError as error:
        yield unseen("login", "the rights of this login", error.message.rstrip("."))
    else:
        yield from login.rights(tried)
