"""A worker keeps what it reads, and nothing of what it read before."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from support.bus import OPERATOR
from support.places import encoded
from support.scale import scaled

if TYPE_CHECKING:
    from support.bus import Bus

WORKER = """
import gc, json, sys
import confbus

config = confbus.connect(sys.argv[1], namespace=sys.argv[2])
for line in sys.stdin:
    config.wait_for(version=int(line), timeout=60)
    gc.collect()
    objects = gc.get_objects()
    snapshots = sum(type(each) is confbus.Snapshot for each in objects)
    print(json.dumps([len(objects), sys.getallocatedblocks(), snapshots]), flush=True)
    del objects
"""
SECTIONS, LEAVES = 100, 200
LEAF = "x" * 40
"""A document of about 1 MB."""


@pytest.mark.slow
def test_a_worker_does_not_grow_with_the_versions_it_has_seen(bus: Bus) -> None:
    versions = scaled(test=30, soak=1000)
    warm = versions // 3
    bus.ledger.publish(encoded(document(1)), OPERATOR)
    command = [sys.executable, "-c", WORKER, bus.url, bus.namespace]
    kept: dict[int, list[int]] = {}

    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdin
        assert worker.stdout
        for version in range(2, versions + 1):
            bus.ledger.publish(encoded(document(version)), OPERATOR)
            worker.stdin.write(f"{version}\n")
            worker.stdin.flush()
            kept[version] = json.loads(worker.stdout.readline())
        worker.stdin.close()

    objects, blocks, _ = zip(*(kept[version] for version in range(warm, versions + 1)), strict=True)
    assert max(objects) - objects[0] < 2 * LEAVES
    assert max(blocks) < blocks[0] * 1.02
    assert max(snapshots for _, _, snapshots in kept.values()) <= 2  # what runs, and what the thread has just put there


def document(version: int) -> dict[str, Any]:
    """Every version has another value in one section, and so new objects for a hundredth of the document."""
    tree: dict[str, Any] = {
        f"s{number}": {f"k{leaf}": f"{number}-{leaf}-{LEAF}" for leaf in range(LEAVES)} for number in range(SECTIONS)
    }
    tree[f"s{version % SECTIONS}"]["version"] = version
    return tree
