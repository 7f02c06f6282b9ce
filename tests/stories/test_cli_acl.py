"""`confbus acl`: its lines make users of real servers, and `--check` finds what they lack and what is too much."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus_publisher.access.rights import ROLES, Role
from support.access import Users
from support.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from support.server import Server
    from support.shop import Answer


@pytest.fixture
def users(each_server: Server, namespace: str, tmp_path: Path) -> Iterator[Users]:
    """A user for each role, on each server that knows rules for single keys."""
    if int(each_server.client().info("server")["redis_version"].split(".")[0]) < 7:
        pytest.skip("users of Redis 6 have one set of commands for all their keys")
    with Users(each_server, namespace, tmp_path) as users:
        yield users


@pytest.fixture
def shop(each_server: Server, namespace: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """A shop on the server of `users`; its directory is the current one."""
    directory = tmp_path / "shop"
    directory.mkdir()
    monkeypatch.chdir(directory)
    return Shop(directory, namespace, url=each_server.url)


def checked(shop: Shop, users: Users, role: Role, *words: str, url: str = "") -> Answer:
    return shop.confbus("acl", "--check", "--role", role, "--url", url or users.url(role), "-n", shop.namespace, *words)


@pytest.mark.parametrize("role", ROLES)
def test_the_lines_make_users_who_pass_the_check(users: Users, shop: Shop, role: Role, tmp_path: Path) -> None:
    # given
    secret = tmp_path / "secret"
    secret.write_text("of the test\n")
    made = shop.confbus("acl", "-n", shop.namespace, "--role", role, "--hash", str(secret))
    users.admin.execute_command(*made.out.strip().split(" "))
    users.file(role).write_text("of the test")
    before = users.admin.dbsize()

    # when
    itself = checked(shop, users, role)
    by_admin = checked(shop, users, role, "--user", users.name(role), url=shop.url or "")

    # then
    assert (itself.code, by_admin.code) == (0, 0), itself.out + by_admin.out
    assert users.admin.dbsize() == before


def test_what_is_missing_and_what_is_too_much_is_told_by_row(users: Users, shop: Shop) -> None:
    # given
    rules = [f"~{users.keys.fleet}", "resetchannels", "+multi", "+discard", "+ping", "+hgetall", "+del", "+flushall"]
    users.give("subscriber", rules)

    # when
    told = checked(shop, users, "subscriber", "--output", "json")
    text = checked(shop, users, "subscriber")

    # then
    rows: dict[str, Any] = {row["row"]: row for row in told.data["rows"]}
    assert (told.code, told.data["is_right"]) == (1, False)
    assert rows["head"]["missing"] == ["hget", "hgetall"]
    assert rows["fleet"]["missing"] == ["hdel", "hset"]
    assert rows["fleet"]["excess"] == ["del"]
    assert rows["server"]["excess"] == ["flushall"]
    assert rows["notices"]["missing"] == ["subscribe"]
    assert rows["elsewhere"]["excess"] == []
    assert "should be refused: flushall" in text.out
    assert "has other rights than a subscriber" in text.err
