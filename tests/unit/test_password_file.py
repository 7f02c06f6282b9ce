"""A password in a file: what a URL says of it, and what is told when the file has none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus.address import plain, read_password, redacted, with_password_file
from confbus.client import make_client
from confbus.errors import InvalidSettings

if TYPE_CHECKING:
    from pathlib import Path

SECRET = "s@cret/with spaces"


@pytest.mark.parametrize("url", ["redis://ann@h:1/2", "redis://ann@h:1?db=2", "unix://ann@/run/r.sock?db=2"])
@pytest.mark.parametrize("name", ["password", "pass word&x=é%41"])
def test_a_login_is_the_user_of_the_url_with_what_the_file_says_now(url: str, name: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_text("old")
    address = plain(with_password_file(url, str(file)))
    assert address is not None

    file.write_text(f"{SECRET}\n")

    assert address.credentials() == ("ann", SECRET)
    assert address.database == 2
    assert SECRET not in repr(address)


@pytest.mark.parametrize("url", ["rediss://ann@h/1", "redis://ann:@h/1?socket_timeout=1", "rediss://h/1"])
def test_a_client_of_redis_py_logs_in_with_what_the_file_says_now(url: str, tmp_path: Path) -> None:
    file = tmp_path / "password"
    client = make_client(with_password_file(url, str(file)))

    file.write_text(f"{SECRET}\r\n")

    settings = client.connection_pool.connection_kwargs
    login = settings["credential_provider"].get_credentials()
    assert login == (("ann", SECRET) if "ann" in url else (SECRET,))
    assert settings["db"] == 1


@pytest.mark.parametrize("url", ["redis://ann:secret@h", "redis://:secret@h", "rediss://h?password=secret"])
def test_a_password_beside_the_file_is_refused(url: str) -> None:
    with pytest.raises(InvalidSettings, match="Keep one of them") as refused:
        make_client(with_password_file(url, "/run/secrets/redis"))

    assert "secret@" not in str(refused.value)


def test_a_file_that_gives_no_password_is_named(tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.write_text("\n")
    binary = tmp_path / "binary"
    binary.write_bytes(b"\xff\xfe")

    for path, reason in [(empty, "is empty"), (binary, "no text"), (tmp_path / "none", "No such file")]:
        with pytest.raises(ConnectionError, match=reason) as refused:
            read_password(str(path))
        assert str(path) in str(refused.value)


def test_the_path_is_shown_and_a_password_is_not() -> None:
    url = with_password_file("redis://ann@h", "/run/secrets/redis")

    assert redacted(url) == "redis://ann@h?password_file=/run/secrets/redis"
