"""Users who may do less than they should, and those whom the server does not let in: what goes on, and what is told."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

import confbus
from confbus.address import with_password_file
from confbus.errors import ConnectFailed
from confbus_publisher.access.rights import ROLES, rights_of
from confbus_publisher.access.rules import rules
from confbus_publisher.cli.program import program
from support.access import Users
from support.bus import TIMING, Bus, number_of
from support.eventually import eventually

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from confbus_publisher.access.rights import Role
    from support.constellations import Nodes
    from support.server import Server

WAYS = pytest.mark.parametrize("option", ["", "&socket_timeout=1"], ids=["plain", "borrowed"])
LOGINS = {
    "nobody": ("", "NOAUTH Authentication required; name a user in the URL, and a password_file="),
    "another password": ("ann", "WRONGPASS invalid username-password pair or user is disabled; look at the user"),
}


@pytest.fixture
def users(own_server: Server, namespace: str, tmp_path: Path) -> Iterator[Users]:
    with Users(own_server, namespace, tmp_path) as users:
        yield users


def without(users: Users, role: Role, *missing: str) -> list[str]:
    return [rule for rule in rules(rights_of(role), users.keys) if rule not in missing]


@WAYS
def test_a_worker_who_may_not_listen_follows_by_polling_and_says_so(own_bus: Bus, users: Users, option: str) -> None:
    # given
    users.give("subscriber", without(users, "subscriber", "+subscribe"))
    own_bus.publish(1)
    worker = own_bus.worker(url=users.url("subscriber") + option)

    # when
    own_bus.publish(2)

    # then
    eventually(lambda: worker.number == 2)
    eventually(lambda: worker.config.status().error.startswith("NOPERM"))
    status = worker.config.status()
    assert status.state == "reconnecting"
    assert "'subscribe'" in status.error
    assert "`confbus acl` prints the rights that this user needs" in status.error
    assert users.refusals() != []


def test_a_publisher_who_may_not_announce_writes_nothing_and_says_why(own_bus: Bus, users: Users) -> None:
    users.give("publisher", without(users, "publisher", "+publish"))

    publisher = own_bus.publisher(1, url=users.url("publisher"))

    eventually(lambda: publisher.state == "refused")
    assert f"may not publish to {users.keys.notices}" in publisher.why
    assert "`confbus acl` prints the rights" in publisher.why
    assert own_bus.ledger.refresh() is None
    assert not users.admin.exists(users.keys.blobs)


def test_rights_that_are_taken_away_take_no_configuration_away(own_bus: Bus, users: Users) -> None:
    # given
    own_bus.publish(1)
    worker = own_bus.worker(url=users.url("subscriber"))
    own_bus.agree(1)

    # when
    users.give("subscriber", [])
    own_bus.publish(2)
    eventually(lambda: "NOPERM" in worker.config.status().error)
    before = worker.number
    users.give("subscriber", without(users, "subscriber"))

    # then
    assert before == 1
    own_bus.agree(2)


@WAYS
@pytest.mark.parametrize("login", LOGINS)
def test_who_is_not_let_in_is_told_what_to_do(
    own_bus: Bus, own_server: Server, users: Users, tmp_path: Path, login: str, option: str
) -> None:
    # given
    name, reason = LOGINS[login]
    own_bus.publish(1)
    (tmp_path / "wrong").write_text("not-this-one")
    place = own_server.url.removeprefix("unix://")
    url = with_password_file(f"unix://{name}@{place}", str(tmp_path / "wrong")) if name else own_server.url
    users.admin.config_set("requirepass", "of-the-server")

    # when
    with pytest.raises(ConnectFailed) as refused:
        confbus.connect(url + option, namespace=own_bus.namespace, timeout_s=0.3, timing=TIMING)
    told = CliRunner().invoke(program, ["status", "--url", url + option, "-n", own_bus.namespace])

    # then
    assert reason in str(refused.value)
    assert "Is the server up" not in str(refused.value)
    assert told.exit_code == 1
    assert reason in told.stderr
    assert "unreachable" not in told.stderr
    assert "not-this-one" not in told.stderr + str(refused.value)


def test_who_is_not_let_in_starts_from_the_last_known_good(own_bus: Bus, users: Users, tmp_path: Path) -> None:
    # given
    own_bus.publish(1)
    file = tmp_path / "last-good"
    url, namespace = users.url("subscriber"), own_bus.namespace
    with confbus.connect(url, namespace=namespace, fallback=file, timing=TIMING):
        eventually(file.exists)
    users.file("subscriber").write_text("not any more")

    # when
    with confbus.connect(url, namespace=namespace, fallback=file, timing=TIMING, timeout_s=0.2) as config:
        # then
        assert number_of(config.snapshot) == 1
        eventually(lambda: "WRONGPASS" in config.status().error)
        assert config.status().state == "cached"


@pytest.mark.slow
def test_in_a_cluster_everybody_has_the_words_for_that(cluster: Nodes, namespace: str, tmp_path: Path) -> None:
    one, *others = cluster.servers.values()
    with (
        Users(one, namespace, tmp_path, others=others, url=cluster.url, topology="cluster") as users,
        Bus(cluster.url, namespace, tmp_path) as bus,
    ):
        # given
        publisher = bus.publisher(1, url=users.url("publisher"))
        bus.worker(url=users.url("subscriber"))

        # when
        bus.edit(publisher, 2)
        bus.agree(2)
        refusals = users.refusals()
        asked = [["acl", "--check", "-n", namespace, "--role", role, "--url", users.url(role)] for role in ROLES]
        told = [CliRunner().invoke(program, words) for words in asked]

        # then
        assert refusals == []
        assert [answer.exit_code for answer in told] == [0, 0, 0], [answer.stdout for answer in told]
