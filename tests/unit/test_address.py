"""Plain URLs are read as redis-py reads them; what is not plain is left to it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import ConnectionPool

from confbus.address import Address, plain

NAMES = st.text("abcXYZ019-_.~%:!$&'()*+,;=é ", max_size=12)
PARTS = st.sampled_from(["", "%40", "%2F", "%zz", "%e4", "%C3%A4", "p w", "pass:word"]) | NAMES


def as_redis_py(url: str) -> Address:
    """What redis-py would connect to."""
    found: dict[str, Any] = ConnectionPool.from_url(url).connection_kwargs
    return Address(
        path=found.get("path", ""),
        host=found.get("host", "localhost"),
        port=found.get("port", 6379),
        database=int(found.get("db", 0)),
        username=found.get("username", ""),
        password=found.get("password", ""),
    )


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://localhost",
        "redis://LocalHost:6380/3",
        "redis://10.0.0.1:0/",
        "redis://[::1]:7000/1",
        "redis://h/2?db=5",
        "redis://:secret@h:6379",
        "redis://ann:s%40crt@h/7",
        "redis://ann@h",
        "redis://a:b:c@h",
        "unix:///run/redis.sock",
        "unix://:secret@/run/a%20b.sock?db=4",
    ],
)
def test_a_plain_url_means_what_it_means_to_redis_py(url: str) -> None:
    assert plain(url) == as_redis_py(url)


@given(
    scheme=st.sampled_from(["redis://", "unix://"]),
    who=st.just("") | st.builds("{}@".format, PARTS) | st.builds("{}:{}@".format, PARTS, PARTS),
    place=st.sampled_from(["", "h", "H.example", "[::1]", "127.0.0.1"]),
    port=st.just("") | st.integers(0, 70_000).map(":{}".format),
    path=st.sampled_from(["", "/", "/0", "/15", "/x", "//1", "/run/redis.sock", "/a%2Fb"]),
    query=st.sampled_from(["", "?db=3", "?db=x", "?socket_timeout=1", "?db=1&db=2", "#db"]),
)
def test_whatever_is_taken_for_plain_redis_py_reads_alike(
    scheme: str, who: str, place: str, port: str, path: str, query: str
) -> None:
    url = scheme + who + place + port + path + query

    address = plain(url)

    assert address is None or address == as_redis_py(url)


@pytest.mark.parametrize(
    "url",
    [
        "rediss://h",
        "redis+sentinel://h/service/0",
        "redis://h?socket_timeout=1",
        "redis://h:70000",
        "redis://hé",
        "http://h",
        "unix://",
        "",
    ],
)
def test_what_needs_more_than_a_socket_is_not_plain(url: str) -> None:
    assert plain(url) is None


def test_its_repr_does_not_tell_who_logs_in() -> None:
    assert repr(plain("redis://ann:hunter2@h:1/2")) == "Address(h:1, database=2)"
