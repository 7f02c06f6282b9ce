"""From what a person names (a file, a URL, a namespace, or nothing) to one namespace on one server."""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from confbus.errors import EmbeddedFailed, InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Generator

    from confbus_publisher.guard.guarding import Policy
    from confbus_publisher.inputs import Inputs
    from confbus_publisher.ledger import Ledger
    from confbus_publisher.sealing.seals import Seals
    from confbus_publisher.settings import Settings

_log = logging.getLogger("confbus.publisher")
SETTINGS_FILE = "confbus.yaml"
PATIENCE_S = 1.0
_KEEP_ALL = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Named:
    """What was named, on the command line or by a variable; None is what was not."""

    config: str | None = None
    url: str | None = field(default=None, repr=False)  # It may hold a password.
    namespace: str | None = None
    password_file: str | None = None

    def logged_in(self, url: str) -> str:
        """The URL, with the password file that was named in place of its own."""
        from confbus.address import split_password_file, with_password_file

        if not self.password_file:
            return url
        return with_password_file(split_password_file(url)[0], str(Path(self.password_file).absolute()))

    @property
    def file(self) -> Path:
        """The settings file that is meant."""
        return Path(self.config or SETTINGS_FILE)

    @property
    def has_environment_alone(self) -> bool:
        """True when there is no settings file, and variables say where the configuration is."""
        return not self.config and bool(os.environ.get("CONFIG_DIR")) and not self.file.exists()

    @property
    def has_settings(self) -> bool:
        """True when a settings file was named or is here, or variables stand in for one."""
        return bool(self.config) or self.file.exists() or self.has_environment_alone


@dataclass(frozen=True, slots=True)
class Site:
    """One namespace on one server. `history` is how many releases stay when one more comes; `seals` says what is sealed
    there, where that is known."""

    url: str = field(repr=False)
    namespace: str
    history: int = _KEEP_ALL  # Whoever does not know the publisher's settings drops nothing.
    seals: Seals | None = None

    @property
    def where(self) -> str:
        """The URL without its password."""
        from confbus.address import redacted

        return redacted(self.url)

    @contextmanager
    def ledger(self, *, patience_s: float = PATIENCE_S) -> Generator[Ledger]:
        """The ledger of this namespace; its connection is closed at the end. Nothing is read yet."""
        from confbus.client import keys_of, make_client
        from confbus_publisher.ledger import Ledger
        from confbus_publisher.ledger.redis import RedisStore

        client = make_client(self.url, name="confbus", namespace=self.namespace)
        store = RedisStore(client, keys_of(client, self.namespace), where=self.where, patience_s=patience_s)
        try:
            yield Ledger(store, history=self.history, seals=self.seals)
        finally:
            store.close()


def settings_of(named: Named) -> Settings:
    """The settings file, with what was named beside it in place of what it says.

    Where none was named and none is here, but `CONFIG_DIR` is set, the environment says it all. Raises as
    `load_settings`.
    """
    _require_text(os.environ["CONFIG_DIR"] if named.has_environment_alone else str(named.file.absolute()))
    if named.has_environment_alone:
        from confbus_publisher.environment_settings import NAMESPACE, environment_settings, lacks_address

        if lacks_address(os.environ):
            _log.warning("a remote source is turned on without APP_CONFIG_URL: there is none")
        url = named.url and named.logged_in(named.url)
        return environment_settings(os.environ, namespace=named.namespace or NAMESPACE, redis=url)
    from confbus_publisher.settings import load_settings

    settings = load_settings(named.file)
    if url := named.url or settings.redis:
        settings = replace(settings, redis=named.logged_in(url))
    if named.namespace and named.namespace != settings.namespace:
        state = settings.state.with_name(f"state-{quote(named.namespace, safe='')}")
        settings = replace(settings, namespace=named.namespace, state=state)
    return settings


def seals_of(settings: Settings, *, is_dry: bool = False) -> Seals:
    """What `settings` seal, and with which keyring; that is not read yet. `is_dry` as in `Seals`."""
    from confbus_publisher.sealing.key_file import KeyFile
    from confbus_publisher.sealing.seals import Seals

    return Seals(settings.namespace, settings.seal, KeyFile(settings.keys), is_dry=is_dry)


def inputs_of(settings: Settings, *, is_dry: bool = False, is_shared: bool = True) -> Inputs:
    """The sources of `settings`, not read yet, and the checks, ready to run. With `is_dry` nothing is sealed; what is
    not `is_shared` is read in this process alone.

    Raises `InvalidSettings`.
    """
    from confbus_publisher.check_settings import build_checks
    from confbus_publisher.inputs import Inputs
    from confbus_publisher.settings import build_sources

    return Inputs(
        build_sources(settings),
        limit_bytes=settings.document_limit_bytes,
        rules=settings.rules,
        checks=build_checks(settings.checks),
        files=settings.files(),
        watch=settings.watch,
        is_shared=is_shared,
        seals=seals_of(settings, is_dry=is_dry),
    )


def policy_of(settings: Settings) -> Policy:
    """How what goes out is watched. Raises `InvalidSettings`."""
    from confbus_publisher.guard_settings import build_policy

    return build_policy(settings.guard)


def site_of(named: Named) -> Site:
    """Where `named` leads. The settings file is read only when the URL or the namespace was not named.

    Raises `InvalidSettings` when that is not enough, `EmbeddedFailed` when an embedded server is meant and none runs.
    """
    if named.url and named.namespace:
        return Site(named.logged_in(named.url), named.namespace)
    if named.has_settings:
        return published_site(settings_of(named))
    if not named.namespace:
        reason = "there is no such file here, and no namespace was named"
        advice = "Go where it is, or give -c FILE, or -n and --url. `confbus init` writes one."
        raise InvalidSettings(SETTINGS_FILE, reason, advice=advice)
    return Site(_running_url(embedded_directory(named.file)), named.namespace)


def published_site(settings: Settings) -> Site:
    """Where `settings` publish to. Raises `EmbeddedFailed` when that is an embedded server and none runs."""
    url = settings.redis or _running_url(embedded_directory(settings.path))
    return Site(url, settings.namespace, settings.history, seals_of(settings))


def embedded_directory(file: Path) -> Path:
    """Where the embedded server of a settings file keeps its data."""
    return file.absolute().parent / ".confbus"


def author(name: str | None = None) -> str:
    """Who acts, for the audit trail: `name`, else CONFBUS_AUTHOR, else user@host. On one line, of at most 200."""
    import getpass

    from confbus.names import host_name, on_a_line, printable

    named = on_a_line(name or "") or on_a_line(os.environ.get("CONFBUS_AUTHOR", ""))
    if named:
        return named
    try:
        user = getpass.getuser()
    except (OSError, KeyError):  # A container's user without a name.
        user = f"uid {os.getuid()}"
    return f"{printable(user)}@{host_name()}"


def identity() -> str:
    """A name for this process among all publishers, for the lease and the fleet."""
    from confbus.names import host_name

    return f"{host_name()}:{os.getpid()}:{os.urandom(3).hex()}"


def _require_text(place: str) -> None:
    """Names stand in logs, metrics and reports, and are given to the kernel by libraries: they have to be text."""
    try:
        place.encode()
    except UnicodeEncodeError as error:
        from confbus.names import printable

        reason = "this name is no UTF-8"
        raise InvalidSettings(printable(place), reason, advice="Give files and directories names in UTF-8.") from error


def _running_url(directory: Path) -> str:
    from confbus_publisher.attachment import running_url

    url = running_url(directory)
    if url is None:
        reason = f"none runs in {directory}, and no URL was named"
        raise EmbeddedFailed(reason, advice="Start `confbus run` there, or name a server with --url.")
    return url
