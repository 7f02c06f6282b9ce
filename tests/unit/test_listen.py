"""Where a publisher listens, and what is said when it cannot."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidSettings, ListenFailed
from confbus_publisher.serving.listen import Listen, parse_listen
from confbus_publisher.settings import load_settings

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("127.0.0.1:9630", "127.0.0.1", 9630),
        ("localhost:0", "localhost", 0),
        (" 0.0.0.0:65535 ", "0.0.0.0", 65_535),
        ("[::1]:9630", "::1", 9630),
    ],
)
def test_a_host_and_a_port_are_a_place(text: str, host: str, port: int) -> None:
    assert parse_listen(text) == Listen(host, port)
    assert str(Listen(host, port)) == text.strip()


@pytest.mark.parametrize(
    "text",
    ["", ":", "9630", ":9630", "127.0.0.1", "127.0.0.1:", "a:65536", "a:-1", "a:٣", "::1:9630", "a b:1", "http://a:1"],
)
def test_anything_else_is_none(text: str) -> None:
    assert parse_listen(text) is None


@pytest.mark.parametrize("http", ["{listen: nowhere}", "{listen: 9630}", "{listen: ''}", "{}", "{port: 1}", "on"])
def test_settings_that_name_no_place_are_refused_with_their_line(http: str, tmp_path: Path) -> None:
    file = tmp_path / "confbus.yaml"
    file.write_text(f"namespace: shop\nhttp: {http}\n")

    with pytest.raises(InvalidSettings, match=r"confbus\.yaml:2:\d+"):
        load_settings(file)


def test_a_port_that_is_taken_an_address_and_a_name_that_are_not_ours_are_told_with_what_to_do() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]

        with pytest.raises(ListenFailed, match=rf"127\.0\.0\.1:{port}: .*in use\. Stop what listens there.*--listen"):
            Listen("127.0.0.1", port).open()
    with pytest.raises(ListenFailed, match="Name an address of this machine"):
        Listen("192.0.2.1", 0).open()
    with pytest.raises(ListenFailed, match=r"no address of that name.*Write host:port"):
        Listen("nowhere.invalid", 0).open()
