"""Sentinels: the master dies, or hangs and comes back, and everybody follows to the new one."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Self

import pytest

import confbus
from confbus.errors import ConnectFailed
from support.bus import TIMING, Bus
from support.constellations import SERVICE, Watch, Watched, free_ports
from support.eventually import eventually
from support.scale import scaled
from support.server import Server
from support.servers import GENERATIONS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import TracebackType

FAULTS: tuple[Callable[[Server], None], ...] = (Server.kill, Server.pause)[: scaled(test=1, soak=2)]


@pytest.fixture
def binary() -> Path:
    found = GENERATIONS[0].find()
    if found is None:
        pytest.skip(GENERATIONS[0].absent)
    return found


@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_master_that_fails_is_left_for_the_new_one(
    fault: Callable[[Server], None], binary: Path, namespace: str, tmp_path: Path
) -> None:
    with Watched(binary, tmp_path) as watched, Bus(watched.url, namespace, tmp_path) as bus:
        # given
        publisher = bus.publisher(1)
        worker = bus.worker()
        bus.worker(url=watched.url + "?socket_timeout=1")
        bus.edit(publisher, 2)
        bus.agree(2)
        port, old = watched.master_port, watched.master

        # when
        fault(old)
        bus.edit(publisher, 3)
        eventually(lambda: watched.master_port != port, within_s=30)
        bus.agree(3, within_s=30)
        if old.is_running:
            old.resume()  # it takes itself for the master still
        bus.edit(publisher, 4)

        # then
        bus.agree(4, within_s=30)
        assert worker.config.status().counts.reconnects


class Pair:
    """A master, a copy of it, and a Sentinel that says what it is told; a context manager that ends them."""

    def __init__(self, binary: Path, directory: Path) -> None:
        old_port, self._new_port, port = free_ports(3)
        self._stack = ExitStack()
        at_once = {"repl-diskless-sync-delay": "0"}
        self.old = Server(binary, data=directory / "old", port=old_port, extra=at_once)
        self._stack.callback(self.old.stop)
        self.new = Server(
            binary, data=directory / "new", port=self._new_port, extra={"replicaof": f"127.0.0.1 {old_port}"}
        )
        self._stack.callback(self.new.stop)
        self._watch = Watch(binary, directory / "sentinel.conf", port=port, master=old_port)
        self._stack.callback(self._watch.stop)
        eventually(lambda: self._watch.is_up)
        self.url = f"redis+sentinel://127.0.0.1:{port}/{SERVICE}"

    def promote(self, *, once_it_has: str) -> None:
        """Cut the copy off; it keeps what it has. No connection is cut."""
        copy: Any = self.new.client()
        eventually(lambda: copy.exists(once_it_has))
        copy.replicaof("NO", "ONE")

    def switch(self) -> None:
        """Let the Sentinel name the copy."""
        self._watch.ask("SENTINEL", "REMOVE", SERVICE)
        self._watch.ask("SENTINEL", "MONITOR", SERVICE, "127.0.0.1", str(self._new_port), "2")

    def has_at_new(self, name: str) -> bool:
        """Whether the publisher of that name has come over to the copy."""
        clients: Any = self.new.client()
        return name in {each["name"] for each in clients.client_list()}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()


@pytest.mark.slow
def test_a_master_that_was_replaced_is_left_though_it_answers(binary: Path, namespace: str, tmp_path: Path) -> None:
    with (
        Pair(binary, tmp_path) as pair,
        Bus(pair.old.url, namespace, tmp_path) as before,
        Bus(pair.new.url, namespace, tmp_path) as after,
    ):
        # given
        before.publish(1)
        after.story, after.workers = [1], [before.worker(url=pair.url)]
        pair.promote(once_it_has=before.keys.head)

        # when
        pair.switch()
        after.publish(2)

        # then
        after.agree(2)
        after.publish(3)
        after.agree(3)


@pytest.mark.slow
def test_a_release_goes_to_the_master_that_the_sentinels_name(binary: Path, namespace: str, tmp_path: Path) -> None:
    with Pair(binary, tmp_path) as pair, Bus(pair.url, namespace, tmp_path) as bus:
        # given
        publisher = bus.publisher(1)
        bus.worker()
        pair.promote(once_it_has=bus.keys.head)

        # when
        pair.switch()
        eventually(lambda: pair.has_at_new("ann"))
        bus.edit(publisher, 2)

        # then
        bus.agree(2)
        old: Any = pair.old.client()
        assert old.hget(bus.keys.head, "version") == b"1"


@pytest.mark.slow
def test_servers_and_sentinels_have_passwords_of_their_own(binary: Path, namespace: str, tmp_path: Path) -> None:
    # given
    port, master = free_ports(2)
    files = {name: tmp_path / name for name in ("servers", "sentinels")}
    for name, file in files.items():
        file.write_text(f"of-the-{name}\n")
    server = Server(binary, data=tmp_path / "data", port=master)
    watch = Watch(binary, tmp_path / "sentinel.conf", port=port, master=master, password="of-the-sentinels")
    try:
        eventually(lambda: watch.is_up)
        admin: Any = server.client()
        admin.config_set("requirepass", "of-the-servers")
        written = f"redis+sentinel://:of-the-servers@127.0.0.1:{port}/{SERVICE}?sentinel_password=of-the-sentinels"
        in_files = (
            f"redis+sentinel://127.0.0.1:{port}/{SERVICE}"
            f"?password_file={files['servers']}&sentinel_password_file={files['sentinels']}"
        )
        with Bus(written, namespace, tmp_path) as bus:
            # when
            publisher = bus.publisher(1, url=in_files)
            bus.worker()
            bus.worker(url=in_files)
            bus.edit(publisher, 2)

            # then
            bus.agree(2)
        with pytest.raises(ConnectFailed) as refused:
            confbus.connect(written + "x", namespace=namespace, timeout_s=0.3, timing=TIMING)
        assert "WRONGPASS" in str(refused.value)
        assert "of-the" not in str(refused.value)
    finally:
        watch.stop()
        server.stop()


@pytest.mark.slow
def test_a_release_that_a_failover_lost_is_written_again_by_one_publisher(
    binary: Path, namespace: str, tmp_path: Path
) -> None:
    with Pair(binary, tmp_path) as pair, Bus(pair.url, namespace, tmp_path) as bus:
        # given
        both = [bus.publisher(1, name=name) for name in ("ann", "bob")]
        worker = bus.worker()
        pair.promote(once_it_has=bus.keys.head)
        for publisher in both:
            bus.edit(publisher, 2)
        bus.agree(2)
        eventually(lambda: all(publisher.remembers(2) for publisher in both))

        # when
        pair.switch()
        pair.old.kill()

        # then
        bus.agree(2)
        assert worker.config.status().counts.reconnects
        eventually(lambda: sorted(publisher.state for publisher in both) == ["in step", "standby"])
        for publisher in both:
            bus.edit(publisher, 3)
        bus.agree(3)
        assert [action for action, _ in bus.actions()] == ["publish", "restore", "publish"]


@pytest.mark.slow
def test_an_unknown_service_and_sentinels_that_are_away_are_the_reason(binary: Path, tmp_path: Path) -> None:
    port, master = free_ports(2)
    watch = Watch(binary, tmp_path / "sentinel.conf", port=port, master=master)
    url = f"redis+sentinel://127.0.0.1:{port}"
    try:
        eventually(lambda: watch.is_up)
        with pytest.raises(ConnectFailed, match=r"no Sentinel leads to the master of 'other' \(.* does not know it"):
            confbus.connect(f"{url}/other", namespace="shop", timeout_s=0.3, timing=TIMING)
        with pytest.raises(ConnectFailed, match=rf"127\.0\.0\.1:{master}: Connection refused"):
            confbus.connect(f"{url}/{SERVICE}", namespace="shop", timeout_s=0.3, timing=TIMING)
    finally:
        watch.stop()
    with pytest.raises(ConnectFailed, match=rf"Sentinel 127\.0\.0\.1:{port}: Connection refused"):
        confbus.connect(f"{url}/{SERVICE}", namespace="shop", timeout_s=0.3, timing=TIMING)
