"""Changes as fast as they go: everybody ends at the head, and nobody ever sees a version go back."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from typing import TYPE_CHECKING

import pytest

from support.bus import number_of
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.bus import Bus

FLEET = """
import json, sys
import confbus

url, namespace, last = sys.argv[1], sys.argv[2], int(sys.argv[3])
seen = [[] for _ in range(10)]
fleet = [
    confbus.connect(url, namespace=namespace, timing=confbus.Timing(poll_s=0.5), validators=[versions.append])
    for versions in seen
]
print("ready", flush=True)
for config in fleet:
    config.wait_for(version=last, timeout=600)
numbers = lambda snapshot: (snapshot.version, snapshot["web.number"], snapshot["db.number"])
print(json.dumps([[numbers(snapshot) for snapshot in each] for each in seen]), flush=True)
for config in fleet:
    config.close()
"""


@pytest.fixture
def processes() -> Iterator[list[subprocess.Popen[str]]]:
    """Processes that are gone at the end of the test, however it ends."""
    started: list[subprocess.Popen[str]] = []
    yield started
    for process in started:
        process.kill()
        process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("padding", [0, 20_000], ids=["carried by notices", "fetched"])
def test_a_fleet_of_two_processes_follows_a_stream_of_changes(
    bus: Bus, processes: list[subprocess.Popen[str]], padding: int
) -> None:
    last = scaled(400, 10_000) if not padding else scaled(100, 2000)
    bus.publish(1)
    command = [sys.executable, "-c", FLEET, bus.url, bus.namespace, str(last)]
    processes += [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"

    for number in range(2, last + 1):
        bus.publish(number, padding=padding)

    for process in processes:
        assert process.stdout
        for seen in json.loads(process.stdout.readline()):
            assert [version for version, _, _ in seen] == sorted({version for version, _, _ in seen})
            assert all(version == web == db for version, web, db in seen)
            assert seen[-1][0] == last


@pytest.mark.slow
def test_readers_of_one_snapshot_never_see_two_versions(bus: Bus) -> None:
    publisher = bus.publisher(1)
    config = bus.worker().config
    last = scaled(12, 200)
    is_over = threading.Event()
    seen: list[set[int]] = [set() for _ in range(2)]

    def read(numbers: set[int]) -> None:
        while not is_over.is_set():
            numbers.add(number_of(config.snapshot))

    readers = [threading.Thread(target=read, args=(numbers,)) for numbers in seen]
    for reader in readers:
        reader.start()
    for number in range(2, last + 1):
        bus.edit(publisher, number)
        config.wait_for(version=number, timeout=30)
    is_over.set()
    for reader in readers:
        reader.join()

    bus.agree(last)
    assert all(numbers <= set(bus.story) for numbers in seen)
    assert max(map(len, seen)) > 1
