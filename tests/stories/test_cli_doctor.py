"""`confbus doctor` on real servers that are really ill, and on one that is well."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.client import keys_of
from support.access import MARK, Users
from support.eventually import eventually
from support.server import Server
from support.servers import GENERATIONS

if TYPE_CHECKING:
    from support.constellations import Nodes
    from support.shop import Answer, Shop


@pytest.fixture
def ill(own_server: Server, shop: Shop) -> Shop:
    """A shop with a release on a server that a test may make ill."""
    shop.url = own_server.url
    shop.settle()
    assert shop.confbus("publish").code == 0
    return shop


def examined(shop: Shop, *words: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """The exit code, and every trouble by its name."""
    answer = shop.confbus("doctor", "--output", "json", *words)
    return answer.code, {each["name"]: each for each in answer.data["findings"] if each["name"]}


def unseen(answer: Answer) -> list[str]:
    return [each["what"] for each in answer.data["findings"] if each["level"] == "unseen"]


def test_where_all_is_well_there_is_a_line_for_each_thing(shop: Shop) -> None:
    shop.confbus("publish")

    answer = shop.confbus("doctor")

    assert answer.code == 0
    assert [line for line in answer.out.splitlines() if line and not line.startswith(" ")] == [
        *(f"{shop.namespace} at {shop.url}", "sources", "machine", "server", "login", "namespace", "fleet")
    ]
    assert "  fine    the head is version 1, whole" in answer.out
    assert answer.out.count("  warning ") == 1, "only that no publisher runs"
    assert answer.err == "1 warning.\n"


def test_warnings_are_reason_to_fail_only_when_that_is_asked_for(shop: Shop) -> None:
    shop.confbus("publish")

    assert examined(shop)[0] == 0
    code, troubles = examined(shop, "--strict")

    assert (code, list(troubles)) == (1, ["no-publisher"])


@pytest.mark.parametrize(
    ("name", "code", "befalls"),
    [
        ("evicting-policy", 1, {"maxmemory-policy": "allkeys-lru", "maxmemory": "1gb"}),
        ("no-memory-left", 1, {"maxmemory": "1"}),
        ("no-persistence", 0, {"appendonly": "no", "save": ""}),
        ("snapshots-only", 0, {"appendonly": "no", "save": "3600 1"}),
        ("narrow-notices", 0, {"client-output-buffer-limit": "pubsub 1000 1000 1"}),
        ("boundless-notices", 0, {"client-output-buffer-limit": "pubsub 0 0 0"}),
        ("clients-turned-away", 0, {"maxclients": "1"}),
        ("too-few-replicas", 1, {"min-replicas-to-write": "1"}),
    ],
)
def test_settings_of_the_server_that_do_harm_are_told(
    name: str, code: int, befalls: dict[str, str], ill: Shop, own_server: Server
) -> None:
    client = own_server.client()
    for setting, value in befalls.items():
        client.config_set(setting, value)
    if "maxclients" in befalls:
        own_server.close_clients()

    found, troubles = examined(ill)

    assert found == code
    assert troubles.keys() == {name, "no-publisher"}
    assert troubles[name]["why"]
    assert troubles[name]["advice"]


def test_a_save_that_failed_is_told(ill: Shop, own_server: Server, tmp_path: Path) -> None:
    client = own_server.client()
    shutil.rmtree(tmp_path / "server")
    client.bgsave()
    eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err")

    code, troubles = examined(ill)

    assert (code, "save-failed" in troubles) == (1, True)


def test_a_replica_is_no_place_to_publish(ill: Shop, own_server: Server) -> None:
    own_server.client().replicaof("127.0.0.1", "1")

    code, troubles = examined(ill)

    assert (code, list(troubles)) == (1, ["is-replica", "no-publisher"])
    assert "127.0.0.1:1" in troubles["is-replica"]["what"]


def test_what_a_managed_server_does_not_tell_is_no_trouble(shop: Shop, tmp_path: Path) -> None:
    binary = GENERATIONS[0].find()
    if binary is None:
        pytest.skip(GENERATIONS[0].absent)
    server = Server(binary, data=tmp_path / "managed", extra={"rename-command": 'CONFIG ""'})
    try:
        server.client().execute_command("ACL", "SETUSER", "default", "-info", "-time")
        shop.url = server.url
        shop.settle()

        answer = shop.confbus("doctor", "--output", "json")
    finally:
        server.stop()

    assert [what for what in unseen(answer) if "rights" not in what and "fleet" not in what] == [
        "cannot look at version, memory, persistence, replicas and clients",
        "cannot look at limits of pubsub, snapshots and min-replicas-to-write",
        "cannot look at the server's clock",
    ]
    assert [each["name"] for each in answer.data["findings"] if each["level"] == "error"] == ["rights-lacking"]


def test_a_worker_s_login_looks_at_what_it_may_and_is_no_publisher(
    shop: Shop, server: Server, namespace: str, tmp_path: Path
) -> None:
    shop.confbus("publish")
    with Users(server, namespace, tmp_path) as users:
        alone = shop.confbus(
            *("doctor", "-c", "/dev/null/none", "--url", users.url("subscriber"), "-n", namespace, "--output", "json")
        )
        here = shop.confbus("doctor", "--url", users.url("subscriber"), "--role", "publisher", "--output", "json")
        publisher = shop.confbus("doctor", "--url", users.url("publisher"), "--output", "json")

    assert "cannot look at whether scripts run" in unseen(alone)
    assert [each["what"] for each in alone.data["findings"] if each["area"] == "login"] == [
        "this user may be a subscriber"
    ]
    assert here.code == 1
    assert "rights-lacking" in {each["name"] for each in here.data["findings"]}
    assert (publisher.code, MARK in publisher.out) == (0, False)


def test_without_a_server_sources_and_machine_are_looked_at(shop: Shop) -> None:
    shop.url = "redis://ann:hunter2@127.0.0.1:1/0"
    shop.settle()

    answer = shop.confbus("doctor", "--output", "json")

    assert answer.code == 1
    assert {each["area"] for each in answer.data["findings"]} == {"sources", "machine", "server"}
    assert [each["name"] for each in answer.data["findings"] if each["level"] == "error"] == ["no-server"]
    assert "hunter2" not in answer.out


def test_an_embedded_server_that_does_not_run_is_no_server(shop: Shop) -> None:
    shop.url = None
    shop.settle()

    code, troubles = examined(shop)

    assert (code, list(troubles)) == (1, ["no-server"])


def test_settings_that_are_refused_leave_a_server_that_is_named(shop: Shop) -> None:
    shop.confbus("publish")
    url = shop.url or ""
    (shop.directory / "confbus.yaml").write_text("nonsense: [\n")

    code, troubles = examined(shop)
    _, beside = examined(shop, "--url", url, "-n", shop.namespace)

    assert (code, list(troubles)) == (1, ["settings-refused"])
    assert list(beside) == ["settings-refused", "no-publisher"]


def test_sources_that_make_no_document_are_told_each(shop: Shop) -> None:
    shop.settle("checks: {rules: [{rule: 'db.port < 10', message: too high}]}")
    shop.confbus("publish", "--force")
    assert "checks-refuse" in examined(shop)[1]

    (shop.directory / "config" / "app.yaml").unlink()

    code, troubles = examined(shop)
    assert (code, "app.yaml: no such file" in troubles["source-refused"]["what"]) == (1, True)


def test_a_head_and_a_history_that_lack_content_are_told(ill: Shop, own_server: Server) -> None:
    client = own_server.client()
    keys = keys_of(client, ill.namespace)
    ill.write("number: 2\ndb: {host: b, port: 5432}\n")
    ill.confbus("publish")
    sections = {version: client.hgetall(keys.release(version))[b"section:db"] for version in (1, 2)}

    client.hdel(keys.blobs, sections[1])
    code, troubles = examined(ill)
    client.hdel(keys.blobs, sections[2])
    damaged, worse = examined(ill)

    assert (code, troubles["history-damaged"]["what"]) == (0, "content is gone of version 1")
    assert (damaged, "'db' is gone" in worse["head-damaged"]["what"]) == (1, True)


def test_a_keyring_of_somebody_else_is_told_before_the_publisher_is_refused(shop: Shop) -> None:
    shop.settle("seal: [db]")
    shop.confbus("keys", "generate")
    shop.confbus("publish")
    assert examined(shop)[0] == 0

    Path(".confbus/keys").chmod(0o644)
    open_to_all = examined(shop)
    Path(".confbus/keys").unlink()
    shop.confbus("keys", "generate")
    another = examined(shop)

    assert (open_to_all[0], "mode 644" in open_to_all[1]["keyring-refused"]["what"]) == (1, True)
    assert (another[0], "db is sealed with the key" in another[1]["key-lacking"]["what"]) == (1, True)


def test_files_of_the_publisher_that_are_not_in_order_are_told(shop: Shop) -> None:
    Path("password").write_text("of the test")
    Path("password").chmod(0o644)
    Path("state").write_text("damaged")
    assert shop.url
    shop.url += "&password_file=password"
    shop.settle("state: state")

    _, troubles = examined(shop)

    assert {"password-open", "state-not-kept"} <= troubles.keys()


def test_the_fallback_of_workers_here_is_looked_at_as_they_would(shop: Shop) -> None:
    assert shop.url
    shop.confbus("publish")
    with confbus.connect(shop.url, namespace=shop.namespace, fallback="good") as config:
        assert config["number"] == 1
    Path("bad").write_text("nothing")

    good = shop.confbus("doctor", "--fallback", "good")
    _, bad = examined(shop, "--fallback", "bad")
    _, nowhere = examined(shop, "--fallback", "nowhere/file")

    assert "the fallback good has version 1" in good.out
    assert "not written by this version" in bad["fallback-refused"]["what"]
    assert "nowhere is not there" in nowhere["fallback-refused"]["what"]


def test_an_operator_needs_the_rights_of_an_operator_when_that_is_said(
    shop: Shop, server: Server, namespace: str, tmp_path: Path
) -> None:
    with Users(server, namespace, tmp_path) as users:
        place = ("--url", users.url("operator"))
        of_any, of_publisher = examined(shop, *place), examined(shop, *place, "--role", "publisher")

    assert (of_any[0], "rights-lacking" in of_any[1]) == (0, False)
    assert (of_publisher[0], "server: info" in of_publisher[1]["rights-lacking"]["what"]) == (1, True)


def test_a_server_of_each_generation_is_well(each_server: Server, shop: Shop) -> None:
    shop.url = each_server.url
    shop.settle()
    shop.confbus("publish")

    assert examined(shop)[0] == 0


@pytest.mark.slow
def test_a_cluster_is_looked_at_as_one_and_a_node_of_it_says_that_it_is_one(cluster: Nodes, shop: Shop) -> None:
    shop.url = cluster.url
    shop.settle()
    shop.confbus("publish")

    whole = examined(shop)
    nodes = [examined(shop, "--url", node.url) for node in cluster.servers.values()]

    assert (whole[0], list(whole[1])) == (0, ["no-publisher"])
    assert sorted(code for code, _ in nodes) == [0, 1, 1]
    assert all("redis+cluster://" in troubles["no-server"]["what"] for code, troubles in nodes if code)


def test_workers_that_refuse_what_is_published_are_told_with_their_reason(shop: Shop) -> None:
    def refuse(snapshot: confbus.Snapshot) -> None:
        if snapshot["number"] == 2:
            raise ValueError("two is too many")

    assert shop.url
    shop.confbus("publish")
    with confbus.connect(shop.url, namespace=shop.namespace, validators=[refuse]) as config:
        shop.write("number: 2\ndb: {host: a, port: 5432}\n")
        shop.confbus("publish")

        def told() -> Any:
            return examined(shop)[1].get("workers-vetoing")

        found = eventually(told, describe=config.status)

    assert "two is too many" in found["what"]
