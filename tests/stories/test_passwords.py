"""Passwords are nowhere but where somebody put them: in no output, log, list, file or error of anything that runs."""

from __future__ import annotations

import json
import logging
import os
import signal
import subprocess
import sys
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

import confbus
from confbus.errors import ConfBusError
from confbus_publisher.access.rights import rights_of
from confbus_publisher.access.rules import rules
from confbus_publisher.cli.program import program
from support.access import MARK, Users
from support.bus import TIMING
from support.eventually import eventually
from support.processes import PROC
from support.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.server import Server

WORKER = """
import logging, os, sys
logging.basicConfig(level=logging.DEBUG)
import confbus

config = confbus.Subscriber(os.environ["URL"], namespace=sys.argv[1], fallback="last-good")
config.start()
print(repr(config), repr(config._dial), config.status(), flush=True)
sys.stdin.readline()
raise RuntimeError(repr(config.status()))
"""


WAYS = ("", "&socket_timeout=1")
"""To a worker's own connection, and to one of redis-py's."""


@pytest.fixture
def users(own_server: Server, namespace: str, tmp_path: Path) -> Iterator[Users]:
    with Users(own_server, namespace, tmp_path) as users:
        yield users


@pytest.fixture
def shop(users: Users, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop whose settings have the publisher's password in the URL."""
    directory = tmp_path / "shop"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return Shop(directory, namespace, url=f"'{users.telling_url('publisher')}'")


def command_lines() -> str:
    """Of every process of this machine that lets itself be looked at."""
    texts: list[str] = []
    for entry in PROC.glob("[0-9]*/cmdline"):
        try:
            texts.append(entry.read_bytes().decode("utf-8", "replace"))
        except OSError:
            continue
    return "\n".join(texts)


def states(users: Users) -> list[str]:
    """Where everybody stands who reports."""
    reports: Any = users.admin.hvals(users.keys.fleet)
    return [json.loads(report)["state"] for report in reports]


def told(*words: str, **environment: str) -> str:
    """All that a command says, with its traceback."""
    answer = CliRunner().invoke(program, words, env={"CONFBUS_DEBUG": "1", **environment})
    return answer.stdout + answer.stderr


@pytest.mark.slow
def test_processes_that_run_and_fail_tell_no_password(users: Users, shop: Shop) -> None:
    # given
    with (
        shop.start("run", CONFBUS_DEBUG="1") as publisher,
        subprocess.Popen(
            [sys.executable, "-c", WORKER, shop.namespace],
            env=os.environ | {"URL": users.telling_url("subscriber")},
            cwd=shop.directory,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as worker,
    ):
        # Both report before there is anything to read; whoever may not read it then does not start.
        eventually(lambda: sorted(states(users)) == ["in step", "live"])
        seen = [command_lines(), str(users.admin.client_list()), str(users.admin.acl_list())]

        # when
        users.give("publisher", [])
        users.give("subscriber", [])
        shop.write("number: 2\n")
        publisher.says("NOPERM")
        users.give("publisher", rules(rights_of("publisher"), users.keys))
        users.admin.execute_command("ACL", "SETUSER", users.name("publisher"), "resetpass", ">another")
        users.admin.client_kill_filter(_type="normal", skipme=True)
        publisher.says("WRONGPASS")
        publisher.end(signal.SIGTERM)
        seen += [publisher.out, publisher.err, worker.communicate("\n", timeout=30)[0]]

    # then
    assert "RuntimeError: Status(" in seen[-1]
    assert "NOPERM" in seen[-1]
    seen += [str(users.admin.acl_log()), str(users.admin.slowlog_get())]
    folders = (shop.directory, users.directory / "server")  # where each command that writes is kept
    written = [file for folder in folders for file in folder.rglob("*") if file.is_file()]
    written = [file for file in written if file.name != "confbus.yaml"]
    assert {"last-good", "server.log"} <= {file.name for file in written}
    seen += [file.read_bytes().decode("utf-8", "replace") for file in written]
    assert [text for text in seen if MARK in text] == []


@pytest.mark.parametrize(
    "url",
    [
        "redis://ann:{}/x#y@127.0.0.1:port/0",
        "redis://:{}@[::1",
        "redis://u:{}@h:99999/0",
        "redis://h?password={}&password_file=/x",
        "redis://:{}@h?nonsense=1",
        "rediss://:{}@h?ssl_ca_certs=/nowhere",
        "redis+sentinel://ann:{}/x@h/s",
        "redis+sentinel://:{}@h?sentinel_password={}",
        "redis+cluster://ann:{}#x@h:port",
        "http://:{}@h",
    ],
)
def test_no_url_that_cannot_be_followed_tells_its_password(url: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    there = url.replace("{}", MARK)

    with pytest.raises(ConfBusError) as failed:
        confbus.Subscriber(there, namespace="shop")
    said = told("status", "--url", there, "-n", "shop")

    assert MARK not in "".join(traceback.format_exception(failed.value)) + said + caplog.text


@pytest.mark.parametrize(
    ("fault", "option"),
    [
        *((fault, option) for fault in ("wrong password", "wrong file", "no right") for option in WAYS),
        ("unreachable", WAYS[0]),
    ],
)
def test_no_failure_tells_a_password(
    users: Users, shop: Shop, caplog: pytest.LogCaptureFixture, fault: str, option: str
) -> None:
    # given
    caplog.set_level(logging.DEBUG)
    url = users.telling_url("subscriber") + option
    if fault == "wrong password":
        url = users.telling_url("subscriber", wrong=f"wrong-{MARK}x") + option
    elif fault == "wrong file":
        users.file("subscriber").write_text(f"wrong-{MARK}x\n")
        url = users.url("subscriber") + option
    elif fault == "unreachable":
        url = f"redis://ann:{MARK}x@127.0.0.1:1/0?{option}"
    else:
        users.give("subscriber", ["+ping"])

    # when
    seen = [told("status", "-n", shop.namespace, CONFBUS_URL=url)]
    with pytest.raises(ConfBusError) as failed:
        confbus.connect(url, namespace=shop.namespace, timeout_s=0.2, timing=TIMING)

    # then
    seen += ["".join(traceback.format_exception(failed.value)), repr(failed.value), caplog.text]
    assert "Traceback" in seen[0]
    assert [text for text in seen if MARK in text] == []


def test_a_password_on_the_command_line_is_warned_of(users: Users, shop: Shop) -> None:
    url = users.telling_url("operator")
    bare = url.replace(f":{MARK}operator", "")
    file = str(users.file("operator"))

    typed = shop.confbus("fleet", "--url", url)
    named = shop.confbus("fleet", "--url", bare, "--password-file", file)
    both = shop.confbus("fleet", "--url", url, "--password-file", file)

    assert "--password-file" in typed.err
    assert MARK not in typed.err
    assert (typed.code, named.code) == (0, 0)
    assert "processes" not in named.err
    assert both.code == 64
    assert "it has a password, and a file with one" in both.err


def test_the_health_check_takes_the_password_from_a_file(users: Users, shop: Shop) -> None:
    with confbus.connect(users.url("subscriber"), namespace=shop.namespace, timing=TIMING, lazy=True):
        asked = [sys.executable, "-m", "confbus", "health", "-n", shop.namespace, "--instances", "0"]
        bare = users.telling_url("subscriber").replace(f":{MARK}subscriber", "")

        answer = subprocess.run(
            [*asked, "--url", bare, "--password-file", str(users.file("subscriber"))],
            capture_output=True,
            text=True,
            check=False,
        )

    assert (answer.returncode, answer.stderr) == (0, "")
