"""The lines of lua/README.md do what it says, on every server, with redis-cli alone."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import pytest

import confbus
from confbus.wire.keys import Keys
from confbus_publisher.ledger import Amendment, Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.overrides.override import Override
from support.places import encoded

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from support.server import Server

ROOT = Path(__file__).parents[2]
README = (ROOT / "lua" / "README.md").read_text()
BLOCKS = re.findall(r"^```sh\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
KEYS = Keys("checkout")

FIRST: dict[str, Any] = {"database": {"host": "a", "port": 5432}, "pool": {"size": 10}, "debug": False}
GOOD: dict[str, Any] = {**FIRST, "pool": {"size": 12}}
BAD: dict[str, Any] = {**FIRST, "pool": {"size": 1}}
OVERRIDE = Override(path=("pool", "size"), value=7, at_ms=1)


@pytest.fixture
def shell(each_server: Server) -> Callable[[str], list[str]]:
    """Runs lines of a shell in which redis-cli knows the server; gives the lines of the output."""
    if shutil.which("redis-cli") is None:
        pytest.skip("redis-cli is not on PATH")
    socket = unquote(urlsplit(each_server.url).path)

    def run(lines: str) -> list[str]:
        script = f'redis-cli() {{ command redis-cli -e -s "{socket}" "$@"; }}\n{lines}'
        done = subprocess.run(["bash", "-ec", script], cwd=ROOT, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), done
        return done.stdout.splitlines()

    return run


@pytest.fixture
def publisher(each_server: Server) -> Ledger:
    """The publisher of three releases, the last of which is bad."""
    publisher = Ledger(RedisStore(each_server.client(), KEYS, where="the test's server"))
    for document in (FIRST, GOOD, BAD):
        publisher.publish(encoded(document), Why("ci", "a change"))
    return publisher


def rollback(shell: Callable[[str], list[str]], **other: str) -> list[str]:
    """The reply of rollback.lua to the line of the README, with other keys for some."""
    keys = {
        "head": KEYS.head,
        "target": KEYS.release(2),
        "release": KEYS.release(4),
        "bad": KEYS.release(3),
        "blobs": KEYS.blobs,
        "log": KEYS.log,
        "quarantine": KEYS.quarantine,
        "notices": KEYS.notices,
    }
    named = " ".join(f"'{key}'" for key in {**keys, **other}.values())
    return shell(f"redis-cli --eval lua/rollback.lua {named} , ann why")


def pairs(lines: Sequence[str]) -> dict[str, str]:
    return dict(zip(lines[::2], lines[1::2], strict=True))


def test_the_lines_of_the_readme_show_and_undo_a_release(
    shell: Callable[[str], list[str]], publisher: Ledger, each_server: Server
) -> None:
    publisher.store.amend(Amendment("overrides", "pool.size", OVERRIDE.text(), {"action": "set"}))
    with confbus.connect(each_server.url, namespace="checkout") as worker:
        assert worker["pool.size"] == 1

        head, release, log, shown, overrides, ended, undone = (shell(block) for block in BLOCKS)
        worker.wait_for(version=4, timeout=20)

        assert worker.snapshot == GOOD

    assert pairs(head)["version"] == "3"
    assert pairs(release).keys() >= {"author", "at", "parent", "of", "section:database", "section:pool", "section:."}
    assert log[log.index("author") + 1] == "ci"
    assert json.loads(pairs(overrides)["pool.size"])["value"] == 7
    assert ended == ["amended"]
    assert publisher.store.overrides().texts == {}
    assert publisher.store.log(2)[1].fields == {
        "action": "unset",
        "path": "pool.size",
        "author": "ann",
        "message": "by hand",
    }
    assert shown[:3] == [".", "database", "pool"]
    assert json.loads(shown[3]) == FIRST["database"]
    assert undone[:3] == ["rolled back", "4", "4"]
    assert list(pairs(undone[3:])) == [f"pool {encoded(BAD).manifest.sections['pool']}"]


def test_the_publisher_accepts_what_was_done_by_hand(
    shell: Callable[[str], list[str]], publisher: Ledger, each_server: Server
) -> None:
    shell(BLOCKS[-1])

    state = publisher.refresh()
    assert state
    after = publisher.publish(encoded({**GOOD, "debug": True}), Why("ci"))

    assert (state.head.version, state.head.revision, state.release.of, state.release.parent) == (4, 4, 2, 3)
    assert (state.release.author, state.release.message) == ("ann", "the pool was too small")
    assert state.head.merged == encoded(BAD).manifest.digest
    assert len(state.head.ancestors) == 3
    reason = state.quarantine[f"pool {encoded(BAD).manifest.sections['pool']}"]
    assert re.fullmatch(r"rolled back by ann at \d{13}: the pool was too small", reason)
    assert (after.version, after.parent) == (5, 4)
    assert [release.version for release in publisher.history()] == [5, 4, 3, 2, 1]


def test_what_comes_back_by_hand_is_no_longer_held(shell: Callable[[str], list[str]], publisher: Ledger) -> None:
    rollback(shell)
    held = publisher.store.quarantine()

    rollback(shell, target=KEYS.release(3), release=KEYS.release(5), bad=KEYS.release(4))

    pool = [f"pool {encoded(document).manifest.sections['pool']}" for document in (BAD, GOOD)]
    assert list(held) == pool[:1]
    assert list(publisher.store.quarantine()) == pool[1:]
    assert (publisher.store.log(1)[0].fields["held"], publisher.store.log(1)[0].fields["lifted"]) == ("pool", "pool")


def test_ancestors_are_kept_as_the_publisher_keeps_them(
    shell: Callable[[str], list[str]], publisher: Ledger, each_server: Server
) -> None:
    for number in range(20):
        publisher.publish(encoded({"a": {"n": number}}), Why("ci"))
    assert publisher.state
    before = publisher.state.head

    release, bad = KEYS.release(before.version + 1), KEYS.release(before.version)
    rollback(shell, release=release, bad=bad)

    state = publisher.refresh()
    assert state
    assert state.head.ancestors == (*before.ancestors[1:], before.change)


@pytest.mark.parametrize(
    ("other", "reply"),
    [
        ({"head": "confbus:{checkout}:nothing"}, ["no head"]),
        ({"bad": KEYS.release(2)}, ["head is at", "3"]),
        ({"target": KEYS.release(9)}, ["no release", KEYS.release(9)]),
        ({"release": KEYS.release(5)}, ["next free", "4"]),
        ({"release": KEYS.release(3)}, ["next free", "4"]),
        ({"blobs": "confbus:{checkout}:nothing"}, ["missing"]),
        ({"log": KEYS.blobs}, ["type", KEYS.blobs, "hash"]),
        ({"quarantine": KEYS.log}, ["type", KEYS.log, "stream"]),
    ],
)
def test_a_slip_is_refused_and_nothing_is_written(
    shell: Callable[[str], list[str]], publisher: Ledger, other: dict[str, str], reply: list[str]
) -> None:
    before = publisher.history(), publisher.store.log(10)

    answer = rollback(shell, **other)

    assert answer[: len(reply)] == reply
    assert (publisher.history(), publisher.store.log(10)) == before
    assert publisher.store.quarantine() == {}


def test_an_operator_wins_over_a_publisher_that_does_not_look(
    shell: Callable[[str], list[str]], publisher: Ledger
) -> None:
    late = Ledger(publisher.store)
    late.refresh()

    rollback(shell)

    with pytest.raises(confbus.ConfBusError, match=r"The head moved by ann: expected revision 3, found revision 4"):
        late.publish(encoded(FIRST), Why("ci"))


@pytest.mark.parametrize(
    ("arguments", "reply"),
    [
        (f"'{KEYS.release(9)}' '{KEYS.blobs}'", ["no release", KEYS.release(9)]),
        (f"'{KEYS.release(3)}' '{KEYS.blobs}' , nothing", ["no section", "nothing"]),
        (f"'{KEYS.release(3)}' '{KEYS.log}x' , pool", ["missing", encoded(BAD).manifest.sections["pool"]]),
    ],
)
def test_show_says_what_is_not_there(
    shell: Callable[[str], list[str]], publisher: Ledger, arguments: str, reply: list[str]
) -> None:
    assert shell(f"redis-cli --eval lua/show.lua {arguments}") == reply


@pytest.mark.parametrize("script", ["show", "amend", "rollback"])
def test_the_readme_explains_every_reply(script: str) -> None:
    header = (ROOT / "lua" / f"{script}.lua").read_text()
    told = set(re.findall(r'return \{"([^"]+)"', header))

    table = README.partition(f"| reply of {script} ")[2].partition("\n\n")[0]

    assert set(re.findall(r"^\| `([^`]+)`", table, re.MULTILINE)) == told
