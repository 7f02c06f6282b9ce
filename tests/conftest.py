"""What every test may ask for, and what every test is held to: that it leaves nothing running."""

from __future__ import annotations

import gc
import os
import shutil
import signal
import sys
import tempfile
import threading
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4
from zlib import crc32

import pytest
from hypothesis import settings

from support.constellations import Nodes
from support.eventually import eventually
from support.processes import at_work_in
from support.scale import scaled
from support.server import Server
from support.servers import GENERATIONS, Generation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# Property tests must not fail because a shared machine had a slow moment.
settings.register_profile("confbus", deadline=None, max_examples=scaled(test=40, soak=300))
settings.register_profile("quick", settings.get_profile("confbus"), max_examples=20)  # make quick
settings.load_profile("confbus")

# Every test process, and every program that a test starts, would compile all of the code anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

SERVERS = {generation.name: generation for generation in GENERATIONS}


def pytest_ignore_collect(collection_path: Path) -> bool | None:
    """`PART=1/2` takes one half of the files. Sending the results of thousands of small tests about, as xdist does,
    takes longer than the tests, so that `make quick` runs parts of its own beside each other."""
    part, _, parts = os.environ.get("PART", "").partition("/")
    is_elsewhere = parts and crc32(collection_path.name.encode()) % int(parts) != int(part) - 1
    return True if is_elsewhere and collection_path.suffix == ".py" else None


def pytest_collection_finish() -> None:
    """Thousands of collected tests stay to the end: no collection of garbage need look at them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _ctrl_c_is_heard() -> None:
    """A shell has what it starts in the background ignore Ctrl-C, and so would all that the tests start and end."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _runtime() -> Iterator[None]:
    """A place of this session's own for sockets; at the end no server may be left in it, nor any trace of one."""
    place = Path(tempfile.mkdtemp(prefix="cb-", dir="/tmp"))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_RUNTIME_DIR", str(place))
        yield
    try:
        eventually(lambda: not at_work_in(place), describe=lambda: at_work_in(place))
        assert list(place.iterdir()) == []
    finally:
        for pid in at_work_in(place):
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(place)


@pytest.fixture(scope="session")
def _shared_server(
    _runtime: None, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Generation], Server]]:
    """One server of each generation for the whole session, started by the first test that needs it."""
    running: dict[str, Server] = {}
    with ExitStack() as stack:

        def get(generation: Generation) -> Server:
            if generation.name not in running:
                server = Server(_binary(generation), data=tmp_path_factory.mktemp(generation.name))
                stack.callback(server.stop)
                running[generation.name] = server
            return running[generation.name]

        yield get


@pytest.fixture(scope="session")
def cluster(_runtime: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nodes]:
    """A Cluster of three for the whole session; a test has a namespace of its own in it, and heals what it breaks."""
    with Nodes(_binary(SERVERS["valkey-9"]), tmp_path_factory.mktemp("cluster")) as nodes:
        yield nodes


@pytest.fixture
def server(_shared_server: Callable[[Generation], Server]) -> Iterator[Server]:
    """An empty Valkey. Many tests share it: one that kills, pauses or configures it takes `own_server`."""
    yield from _lent(_shared_server(SERVERS["valkey-9"]))


@pytest.fixture(params=GENERATIONS, ids=lambda generation: generation.name)
def each_server(request: pytest.FixtureRequest, _shared_server: Callable[[Generation], Server]) -> Iterator[Server]:
    """As `server`, once for each generation of servers that is here; the others are skipped by name."""
    yield from _lent(_shared_server(request.param))


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """An empty Valkey for this test alone, which may do with it what it likes."""
    server = Server(_binary(SERVERS["valkey-9"]), data=tmp_path / "server")
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture
def redis_url(server: Server) -> str:
    """The URL of `server`."""
    return server.url


@pytest.fixture
def namespace() -> str:
    """A namespace that nobody else has."""
    return f"test-{uuid4().hex[:8]}"


@pytest.fixture(autouse=True)
def _no_thread_is_left() -> Iterator[None]:
    """A thread that a test leaves running keeps the process from ending, and disturbs the tests after it."""
    before = set(threading.enumerate())
    yield

    def left() -> list[threading.Thread]:
        return [each for each in threading.enumerate() if each not in before and not each.daemon]

    eventually(lambda: not left(), describe=left)


def _binary(generation: Generation) -> Path:
    path = generation.find()
    if path is None:
        pytest.skip(f"{generation.name}: {generation.absent}")
    return path


def _lent(server: Server) -> Iterator[Server]:
    assert server.settings
    yield server
    server.close_clients()
    if not server.is_running or not server.clear():
        server.restart(empty=True)
        pytest.fail("this test ended or configured a server that many share; it should take own_server")
