"""The services of docker-compose.yml as processes of this machine: a container engine's part, without one."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import yaml

from support.servers import servers

if TYPE_CHECKING:
    from types import TracebackType

ROOT = Path(__file__).parents[2]
_BIN = Path(sys.executable).parent


class Stack:
    """What Compose would make of the file, in `directory`: volumes are directories there, what is mounted from the
    checkout is a copy there, addresses are ports of loopback, and paths of a container are those of its mounts."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        text = (ROOT / "docker-compose.yml").read_text()
        self._services: dict[str, dict[str, Any]] = yaml.safe_load(text)["services"]
        self._server_port = free_port()
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in reversed(tuple(self._running)):
            self.stop(name, signal.SIGKILL)

    @property
    def server_url(self) -> str:
        return f"redis://127.0.0.1:{self._server_port}"

    def path(self, service: str, target: str) -> Path:
        """Where this machine has what the container of `service` sees at `target`."""
        return Path(self._here(service, target))

    def finish(self, service: str) -> None:
        """Run a service that ends, and ended well."""
        subprocess.run(self._entry(service), env=self._environment(service), check=True, timeout=60)

    def start(self, service: str, *, name: str = "", port: int = 0) -> None:
        """Start a service as `name`; what it listens on becomes `port`. Its output is in a file of that name."""
        name = name or service
        home = self._directory / "homes" / name
        home.mkdir(parents=True)
        environment = self._environment(service)
        if "CONFBUS_LISTEN" in environment:
            environment["CONFBUS_LISTEN"] = f"127.0.0.1:{port}"
        listens = {"0.0.0.0": "127.0.0.1", "8000": str(port)}
        words = [listens.get(word, word) for word in self._entry(service)]
        if service == "valkey":
            words = [str(servers()[0][1]), *words[1:], "--port", str(self._server_port), "--bind", "127.0.0.1"]
        with (home / "output").open("wb") as output:
            self._running[name] = subprocess.Popen(
                words, cwd=home, env=environment, stdout=output, stderr=subprocess.STDOUT
            )

    def stop(self, name: str, how: signal.Signals = signal.SIGTERM) -> int:
        """End it as `docker stop` does; returns its exit code."""
        process = self._running.pop(name)
        process.send_signal(how)
        return process.wait(30)

    def said(self, name: str) -> str:
        return (self._directory / "homes" / name / "output").read_text(errors="replace")

    def _entry(self, service: str) -> list[str]:
        """ENTRYPOINT and CMD, be they the image's or the service's."""
        settings, image = self._services[service], self._image(service)
        entry = settings.get("entrypoint", _words(image, "ENTRYPOINT"))
        command = settings.get("command", [] if "entrypoint" in settings else _words(image, "CMD"))
        program, *rest = [self._here(service, word) for word in (*entry, *command)]
        return [shutil.which(program, path=f"{_BIN}:{os.environ['PATH']}") or program, *rest]

    def _environment(self, service: str) -> dict[str, str]:
        pairs = re.findall(r'^(?:ENV|   ) +(\w+)="?([^"\\\n]*?)"?(?: \\)?$', self._image(service), re.MULTILINE)
        mine = {**dict(pairs), **self._services[service].get("environment", {})}
        here = {name: self._here(service, text) for name, text in mine.items()}
        return {"PATH": f"{_BIN}:{os.environ['PATH']}", "ACCESS": str(self._directory / "access"), **here}

    def _image(self, service: str) -> str:
        build = self._services[service].get("build")
        return (ROOT / build["dockerfile"]).read_text() if build else ""

    def _here(self, service: str, text: str) -> str:
        for target, source in sorted(self._mounts(service).items(), reverse=True):
            text = re.sub(rf"{re.escape(target)}(?![\w.-])", str(source), text)
        return text.replace("valkey:6379", f"127.0.0.1:{self._server_port}")

    def _mounts(self, service: str) -> dict[str, Path]:
        settings = self._services[service]
        mounts = {"/srv": ROOT / "deploy" / "worker", "/var/lib/confbus": Path()}
        for volume in settings.get("volumes", []):
            source, target, *_ = volume.split(":")
            mounts[target] = self._copied(source) if source.startswith("./") else self._volume(source)
        for secret in settings.get("secrets", []):
            mounts[f"/run/secrets/{secret}"] = ROOT / "deploy" / "compose" / "secrets" / f"{secret}.txt"
        return mounts

    def _volume(self, name: str) -> Path:
        """`access-server` is `access/server`, which is where the one that fills them looks for them."""
        path = self._directory / name.replace("access-", "access/")
        path.mkdir(parents=True, exist_ok=True)
        return path

    def _copied(self, source: str) -> Path:
        there, here = ROOT / source, self._directory / "mounted" / Path(source).name
        if there.is_file():
            return there
        if not here.exists():
            shutil.copytree(there, here)
            secrets = str(ROOT / "deploy" / "compose" / "secrets")
            for file in here.glob("*.yaml"):
                file.write_text(re.sub(r"/run/secrets/(\w+)", rf"{secrets}/\1.txt", file.read_text()))
        return here


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _words(image: str, instruction: str) -> list[str]:
    found = re.search(rf"^{instruction} (\[.*\])$", image, re.MULTILINE)
    words: list[str] = json.loads(found[1]) if found else []
    return words
