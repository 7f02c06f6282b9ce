"""confbus in workers of gevent, where a thread is a greenlet and one that waits must let the others run."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from functools import partial
from typing import TYPE_CHECKING

import pytest

from support.eventually import eventually
from support.releases import Releases
from support.scale import scaled
from support.web import fetched

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

APP = """
import json, os, threading, time

import confbus

config = confbus.connect(os.environ["CONFBUS_URL"], namespace=os.environ["CONFBUS_NAMESPACE"])
turns = []


def application(environ, start_response):
    if not turns:
        threading.Thread(target=turn, daemon=True).start()
    start_response("200 OK", [("Content-Type", "application/json")])
    kind = threading.get_ident.__module__
    return [json.dumps([os.getpid(), config["web.number"], len(turns), kind]).encode()]


def turn():
    while True:
        turns.append(None)
        time.sleep(0.001)
"""


@pytest.fixture
def releases(redis_url: str, namespace: str) -> Generator[Releases]:
    with Releases(redis_url, namespace) as there:
        there.publish(web={"number": 1})
        yield there


@pytest.mark.slow
@pytest.mark.parametrize("options", [("--preload",), ()][: scaled(test=1, soak=2)], ids=str)
def test_each_worker_follows_and_lets_other_greenlets_run(
    tmp_path: Path, releases: Releases, options: tuple[str, ...]
) -> None:
    (tmp_path / "shop.py").write_text(APP)
    words = ["-k", "gevent", "-w", "2", "-b", "127.0.0.1:0", "--no-control-socket", *options, "shop"]
    where = {"CONFBUS_URL": releases.url, "CONFBUS_NAMESPACE": releases.namespace}
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", *words],
        cwd=tmp_path,
        env=os.environ | where,
        stderr=subprocess.PIPE,
        text=True,
    )
    saw: dict[int, list[int]] = {}
    turns: dict[int, int] = {}

    def ask() -> None:
        pid, number, count, kind = fetched(url)
        assert kind.startswith("gevent"), "nothing is patched"
        saw.setdefault(pid, []).append(number)
        turns[pid] = count

    def all_read(number: int) -> bool:
        ask()
        return len(saw) == 2 and all(each[-1] == number for each in saw.values())

    try:
        assert server.stderr
        url = next(found[1] for line in server.stderr if (found := re.search(r"Listening at: (http\S+)", line)))
        eventually(partial(all_read, 1), describe=lambda: saw)
        before = dict(turns)
        for number in (2, 3):
            releases.publish(web={"number": number})
            eventually(partial(all_read, number), describe=lambda: saw)
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=30)

    assert all(each == sorted(each) for each in saw.values())
    assert all(turns[pid] > before[pid] for pid in saw)
