"""An interpreter that ends while its subscriber is busy: with the code that it should, at once, and without a word."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import pytest

from confbus_publisher.ledger import Why
from support.places import encoded
from support.scale import scaled

if TYPE_CHECKING:
    import subprocess

    from support.bus import Bus
    from support.family import Family

WHILES = {
    "it connects to a black hole": """
import socket
hole = socket.create_server(("127.0.0.1", 0), backlog=1)
config = confbus.Subscriber(f"redis://127.0.0.1:{hole.getsockname()[1]}", namespace=NAMESPACE).follow()
time.sleep(0.05)
""",
    "it fetches": """
config = confbus.Subscriber(URL, namespace=NAMESPACE, timing=TIMING).follow()
time.sleep(0.02)
""",
    "a callback runs": """
is_in = threading.Event()
def hang(changes):
    is_in.set()
    threading.Event().wait()
config = connect(hang)
is_in.wait()
""",
    "a child takes its breath": """
config = connect()
if os.fork():
    code = os.waitstatus_to_exitcode(os.wait()[1])
    if code < 0:
        os.kill(os.getpid(), -code)
    os._exit(code)
""",
}
ENDS = {
    "at the end": ("", 0),
    "by an exception": ("sys.excepthook = lambda *_: None; raise ValueError", 1),
    "by sys.exit": ("sys.exit(3)", 3),
    "by sys.exit in a thread": ("ending = threading.Thread(target=sys.exit); ending.start(); ending.join()", 0),
    "by os._exit": ("os._exit(4)", 4),
    "by SIGTERM": ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(20)", -signal.SIGTERM),
}


@pytest.fixture
def _large(bus: Bus, family: Family) -> None:
    """A release that takes a while to fetch and to decode."""
    bus.ledger.refresh()
    tree = {"number": 1} | {f"part{number}": "x" * 500_000 for number in range(scaled(test=6, soak=100))}
    bus.ledger.publish(encoded(tree), Why("ann"))


@pytest.mark.slow
@pytest.mark.usefixtures("_large")
@pytest.mark.parametrize("meanwhile", WHILES)
def test_a_process_ends_as_it_should_while(family: Family, meanwhile: str) -> None:
    started = {name: (family.run(WHILES[meanwhile] + end), code) for name, (end, code) in ENDS.items()}

    ended = {name: _code(process) for name, (process, _) in started.items()}

    assert ended == {name: code for name, (_, code) in started.items()}
    assert family.errors == ""


def _code(process: subprocess.Popen[str]) -> int:
    return process.wait(timeout=20)
