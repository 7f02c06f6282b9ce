"""`confbus acl`: its lines make users of real servers, and `--check` finds what they lack and what is too much."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from confbus_publisher.access.rights import ROLES, Role, rights_of
from confbus_publisher.access.rules import PLACEHOLDER, rules
from confbus_publisher.cli.program import program
from support.access import Users
from support.server import Server
from support.servers import GENERATIONS
from support.shop import Shop

if TYPE_CHECKING:
    from collections.abc import Iterator

    from support.servers import Generation
    from support.shop import Answer

EXAMPLE = Path(__file__).parents[2] / "deploy" / "users.acl"


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


def test_who_may_not_ask_about_another_user_is_told_so(users: Users, shop: Shop) -> None:
    told = checked(shop, users, "subscriber", "--user", users.name("subscriber"), url=users.url("operator"))
    nobody = checked(shop, users, "subscriber", "--user", "nobody", url=shop.url or "")

    assert (told.code, told.out, nobody.code, nobody.out) == (1, "", 1, "")
    assert "needs `+acl|dryrun`" in told.err
    assert "User 'nobody' not found" in nobody.err


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


def test_rights_that_no_role_has_are_found(users: Users, shop: Shop) -> None:
    given = rules(rights_of("subscriber"), users.keys)
    more = [
        "+acl|setuser",
        "+replicaof",
        f"(+xdel +restore ~{users.keys.log})",
        "+eval",
        "+psync",
        "+shutdown",
        "nopass",
    ]
    users.give("subscriber", [*given, *more])
    name = users.name("subscriber")

    itself = checked(shop, users, "subscriber", "--output", "json")
    by_admin = checked(shop, users, "subscriber", "--user", name, "--output", "json", url=shop.url or "")

    found, all_found = ({name for row in told.data["rows"] for name in row["excess"]} for told in (itself, by_admin))
    assert found == {"acl setuser confbus", "replicaof no one", "xdel", "restore", "eval without keys"}
    assert all_found - found == {"psync ? -1", "shutdown", "a login with any password"}


@pytest.mark.usefixtures("_runtime")
@pytest.mark.parametrize("generation", GENERATIONS[0::2], ids=lambda generation: generation.name)
def test_a_server_takes_the_lines_from_its_file(
    generation: Generation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # given
    binary = generation.find()
    if binary is None:
        pytest.skip(generation.absent)
    monkeypatch.chdir(tmp_path)
    Path("secret").write_text("of the test")
    words = ["acl", "-n", "shop", "--aclfile", "--role", "subscriber", "--hash", "secret"]
    Path("users.acl").write_text(CliRunner().invoke(program, words).stdout)

    # when
    server = Server(binary, data=tmp_path / "server", extra={"aclfile": str(tmp_path / "users.acl")})
    try:
        place = server.url.removeprefix("unix://")
        url = f"unix://shop-subscriber@{place}&password_file=secret"
        told = CliRunner().invoke(program, ["acl", "--check", "-n", "shop", "--role", "subscriber", "--url", url])
    finally:
        server.stop()

    # then
    assert (told.exit_code, told.stderr) == (0, f"The user of {url} has the rights of a subscriber of shop.\n")


def test_the_example_is_what_the_command_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)

    told = CliRunner().invoke(program, ["acl", "-n", "checkout", "--aclfile"])

    assert EXAMPLE.read_text() == told.stdout
    assert told.stdout.count(PLACEHOLDER) == len(ROLES)


def test_a_file_without_a_password_is_refused(tmp_path: Path) -> None:
    gone = str(tmp_path / "gone")

    told = CliRunner().invoke(program, ["acl", "-n", "checkout", "--role", "operator", "--hash", gone])
    all_roles = CliRunner().invoke(program, ["acl", "-n", "checkout", "--hash", gone])

    assert (told.exit_code, all_roles.exit_code) == (64, 64)
    assert f"the password file {gone} cannot be read: No such file" in told.stderr
