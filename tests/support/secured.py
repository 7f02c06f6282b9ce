"""A server that speaks TLS, with certificates that are made for it."""

from __future__ import annotations

import shutil
import subprocess
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import trustme

from support.constellations import free_ports
from support.server import Server

if TYPE_CHECKING:
    from collections.abc import Generator


@dataclass(frozen=True)
class Secured:
    """A server that speaks TLS alone, to those who have a certificate of `authority`."""

    binary: Path
    port: int
    directory: Path

    def settings(self, port: int) -> dict[str, str]:
        """What a server with these certificates is told."""
        files = {f"tls-{kind}-file": str(self.directory / "server.pem") for kind in ("cert", "key")}
        return {"tls-port": str(port), "tls-ca-cert-file": str(self.directory / "authority.pem"), **files}

    def url(self, *, port: int = 0, trust: str = "authority.pem", own: str = "worker.pem") -> str:
        files = {"ssl_ca_certs": trust, "ssl_certfile": own, "ssl_keyfile": own}
        options = "&".join(f"{option}={self.directory / file}" for option, file in files.items() if file)
        return f"rediss://127.0.0.1:{port or self.port}/0?{options}"


@contextmanager
def secured_server(directory: Path) -> Generator[tuple[Secured, Server]]:
    """A Redis that is up, and ends with the block; without one that knows TLS, the test is skipped."""
    binary = shutil.which("redis-server")
    if binary is None or "libssl" not in _libraries(binary):
        pytest.skip("no redis-server with TLS is on PATH")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(directory / "authority.pem")
    trustme.CA().cert_pem.write_to_path(directory / "stranger.pem")
    for name, host in {"server": "127.0.0.1", "worker": "worker.example"}.items():
        authority.issue_cert(host).private_key_and_cert_chain_pem.write_to_path(directory / f"{name}.pem")
    [port] = free_ports(1)
    secured = Secured(Path(binary), port, directory)
    server = Server(secured.binary, data=directory / "data", extra=secured.settings(port))
    try:
        yield secured, server
    finally:
        server.stop()


def _libraries(binary: str) -> str:
    return subprocess.run(["ldd", binary], check=False, capture_output=True, text=True).stdout
