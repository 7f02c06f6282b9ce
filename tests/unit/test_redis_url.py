"""Redis URLs: what messages show of them, and what is said of those that lead nowhere."""

from __future__ import annotations

import pytest

from confbus import Subscriber
from confbus.address import redacted
from confbus.client import make_client
from confbus.errors import InvalidSettings


@pytest.mark.parametrize(
    "url",
    [
        "redis://:geheim@db:6379/0",
        "redis://ann:geheim@db:6379/0",
        "redis://ann:geheim@h%65im@[::1]:6379",
        "rediss://db:6379/0?password=geheim",
        "rediss://db/0?ssl_password=geheim&db=1",
        "unix://:geheim@/run/redis.sock?db=2",
        "redis://ann:geheim@[::1",
        "redis://:12/geheim@db:6379",
        "redis://ann:12?geheim@db",
        "redis://ann:12#geheim@db",
        "redis://ann:geh@geheim@db",
        "redis+sentinel://ann:geheim@a:1,b:2/config/0?sentinel_password=geheim",
        "rediss+cluster://:geheim@a:1,[::1]:2",
    ],
)
def test_a_password_is_never_shown(url: str) -> None:
    assert "geheim" not in redacted(url)


@pytest.mark.parametrize(
    "url",
    [
        "redis://localhost:6379/0",
        "redis://[::1]:6379/0",
        "unix:///run/redis.sock?db=0",
        "redis://ann@db",
        "rediss://db/0?ssl_cert_reqs=none",
        "redis+sentinel://a:1,b:2/config/0?sentinel_password_file=/run/s",
        "redis+cluster://ann@a:1,b:2",
    ],
)
def test_a_url_without_a_password_is_shown_as_it_is(url: str) -> None:
    assert redacted(url) == url


@pytest.mark.parametrize("url", ["redis://ann:geh/eim@db:6379", "redis://ann:geh#eim@db:6379"])
def test_of_a_password_that_was_not_escaped_nothing_is_shown(url: str) -> None:
    with pytest.raises(InvalidSettings, match="as %2F and %23") as refused:
        make_client(url)

    assert "geh" not in str(refused.value)


@pytest.mark.parametrize(
    "url",
    [
        "localhost:6379",
        "http://localhost",
        "",
        "redis://[::1",
        "redis://db:port",
        "redis://db?db=x",
        "redis://db?colour=red",
    ],
)
def test_a_url_that_leads_nowhere_is_refused_before_anything_is_tried(url: str) -> None:
    with pytest.raises(InvalidSettings, match=r"the Redis URL: .*redis://localhost:6379/0"):
        make_client(url)
    with pytest.raises(InvalidSettings):
        Subscriber(url, namespace="shop")
