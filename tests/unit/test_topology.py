"""URLs of several servers, and what a worker must not load to follow them."""

from __future__ import annotations

import subprocess
import sys

import pytest

from confbus.errors import InvalidSettings
from confbus.topology import topology


def test_each_server_of_sentinels_has_a_url_of_its_own() -> None:
    found = topology(
        "rediss+sentinel://ann:s%40@a,[::1]:7/config/3?ssl_ca_certs=/ca&sentinel_username=w&sentinel_password_file=/p"
    )

    assert found.places == (("a", 26379), ("::1", 7))
    assert (found.service, found.database) == ("config", 3)
    assert found.node_url(("10.0.0.1", 6379)) == "rediss://ann:s%40@10.0.0.1:6379/3?ssl_ca_certs=/ca"
    assert found.sentinel_url(("::1", 7)) == "rediss://w:@[::1]:7?ssl_ca_certs=/ca&password_file=/p"


def test_what_the_servers_log_in_with_the_sentinels_never_see() -> None:
    found = topology("redis+sentinel://ann@a/config?password_file=/secret&username=ann&db=3&socket_timeout=1")

    assert found.sentinel_url(("a", 1)) == "redis://a:1?socket_timeout=1"
    assert "secret" not in repr(found)


def test_the_nodes_of_a_cluster_have_its_login() -> None:
    found = topology("redis+cluster://:secret@a:7000,b?password_file=/p")

    assert found.places == (("a", 7000), ("b", 6379))
    assert found.node_url(("c", 1)) == "redis://:secret@c:1/0?password_file=/p"
    assert "secret" not in str(found)


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("redis+sentinel://a:1", "names no service"),
        ("redis+sentinel://a/config/x", "database is no number"),
        ("redis+sentinel://a/config?sentinel_colour=red", "sentinel_colour is not known"),
        ("redis+sentinel://ann:geh/eim@a/config", "cannot be read"),
        ("redis+sentinel://a:99999/config", "hosts cannot be read"),
        ("redis+cluster://a,,b", "hosts cannot be read"),
        ("redis+cluster://a/1", "database 0 alone"),
        ("redis+ring://a", "cannot be read"),
    ],
)
def test_a_url_that_cannot_be_followed_says_why(url: str, reason: str) -> None:
    with pytest.raises(InvalidSettings, match=reason) as refused:
        topology(url)

    assert "geh" not in str(refused.value)


@pytest.mark.parametrize("url", ["redis+sentinel://127.0.0.1:1/config", "redis+cluster://127.0.0.1:1"])
def test_a_worker_follows_several_servers_without_redis_py(url: str) -> None:
    program = f"""
import contextlib, sys, confbus
with contextlib.suppress(confbus.ConfBusError):
    confbus.connect({url!r}, namespace="shop", timeout_s=0.05)
print(sorted({{"redis", "asyncio", "ssl", "urllib"}} & sys.modules.keys()))
"""

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"
