"""A server with users that have the rights of roles, as `confbus acl` prints them."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Self

from confbus.address import with_password_file
from confbus.wire.keys import Keys
from confbus_publisher.access.rights import ROLES, Role, Topology, rights_of
from confbus_publisher.access.rules import rules

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from support.server import Server


MARK = "secret-of-"
"""What every password begins with, and nothing else has."""


class Users:
    """A user for each role of a namespace; a context manager that takes them away. Their passwords are in files."""

    def __init__(
        self,
        server: Server,
        namespace: str,
        directory: Path,
        *,
        others: Sequence[Server] = (),
        url: str = "",
        topology: Topology = "server",
    ) -> None:
        self._admins: list[Any] = [each.client() for each in (server, *others)]
        self.admin = self._admins[0]
        self.keys = Keys(namespace)
        self.directory = directory
        self.topology: Topology = topology
        self._place = url or server.url

    def __enter__(self) -> Self:
        for role in ROLES:
            self.give(role, rules(rights_of(role, topology=self.topology), self.keys))
        self._tell_all("ACL", "LOG", "RESET")
        return self

    def __exit__(self, *_: object) -> None:
        for role in ROLES:
            self._tell_all("ACL", "DELUSER", self.name(role))

    def name(self, role: Role) -> str:
        return f"{self.keys.namespace}-{role}"

    def give(self, role: Role, some: Sequence[str]) -> None:
        """Make the user of a role anew, with these rules."""
        password = MARK + role
        self.file(role).write_text(f"{password}\n")
        digest = hashlib.sha256(password.encode()).hexdigest()
        self._tell_all("ACL", "SETUSER", self.name(role), "reset", "on", f"#{digest}", *some)

    def file(self, role: Role) -> Path:
        """What has the password."""
        return self.directory / f"password-of-{role}"

    def url(self, role: Role) -> str:
        """The server, as the user of that role reaches it."""
        scheme, _, rest = self._place.partition("://")
        return with_password_file(f"{scheme}://{self.name(role)}@{rest}", str(self.file(role)))

    def telling_url(self, role: Role, *, wrong: str = "") -> str:
        """As `url`, with the password in it, or one that is wrong."""
        scheme, _, rest = self._place.partition("://")
        return f"{scheme}://{self.name(role)}:{wrong or MARK + role}@{rest}"

    def refusals(self) -> list[str]:
        """What was refused to anybody since the users were made."""
        entries = [entry for admin in self._admins for entry in admin.acl_log()]
        return [f"{entry['username']}: {entry['reason']} {entry['object']}" for entry in entries]

    def _tell_all(self, *words: str) -> None:
        for admin in self._admins:
            admin.execute_command(*words)
