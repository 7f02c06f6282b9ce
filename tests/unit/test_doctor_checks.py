"""What the checks of `confbus doctor` make of facts that no server of a test can be brought to tell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from confbus.status import Stand
from confbus_publisher.doctor import (
    files,
    fleet,
    login,
    machine,
    namespace,
    server_delivery,
    server_durability,
    server_memory,
    server_program,
)
from confbus_publisher.doctor.login import LoginFacts
from confbus_publisher.doctor.machine_facts import MachineFacts, file_mounts, look_around
from confbus_publisher.doctor.namespace_facts import HeadFacts, NamespaceFacts
from confbus_publisher.doctor.server_facts import ServerFacts
from confbus_publisher.doctor.source_facts import FallbackFacts, FileFacts, SourceFacts
from confbus_publisher.fleet import Report
from confbus_publisher.survey import Survey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confbus_publisher.doctor.finding import Finding

NOW_MS = 1_800_000_000_000
HEAD = HeadFacts(version=7, at_ms=NOW_MS - 120_000, size=1000)
NOWHERE = "x" * 300
"""A name so long that to ask for it is an error for every user, as a closed directory is for most."""


def names(findings: Iterable[Finding]) -> list[str]:
    return [finding.name for finding in findings if finding.name]


def server(**info: Any) -> ServerFacts:
    return ServerFacts("redis://db:6379", info=info)


def stand(version: int) -> Stand:
    return Stand(version, version, "e", "c", "d")


def report(instance: str, state: str = "live", **more: Any) -> Report:
    facts: dict[str, Any] = {"seen": None, "running": stand(7), "error": "", "at_ms": NOW_MS, "interval_s": 10.0}
    return Report(instance=instance, state=state, **(facts | more))


def survey(*instances: Report, holder: str = "", publishers: tuple[Report, ...] = ()) -> Survey:
    return Survey(holder, publishers, instances, NOW_MS)


@pytest.mark.parametrize(
    ("info", "named"),
    [
        ({"maxmemory": 0, "maxmemory_policy": "allkeys-lru"}, []),
        ({"maxmemory": 10_000, "used_memory": 100, "maxmemory_policy": "volatile-lru"}, []),
        ({"maxmemory": 10_000, "used_memory": 100, "maxmemory_policy": "allkeys-lru"}, ["evicting-policy"]),
        ({"maxmemory": 10_000, "used_memory": 8_990, "maxmemory_policy": "noeviction"}, []),
        ({"maxmemory": 10_000, "used_memory": 9_001, "maxmemory_policy": "noeviction"}, ["no-memory-left"]),
        ({"maxmemory": 100_000, "used_memory": 91_000, "maxmemory_policy": "noeviction"}, ["memory-scarce"]),
        ({"maxmemory": 0, "maxmemory_policy": "noeviction", "evicted_keys": 3}, ["evicted-keys"]),
        ({"maxmemory_policy": "noeviction", "used_memory_rss": 91, "total_system_memory": 100}, ["memory-scarce"]),
        ({"maxmemory_policy": "noeviction", "used_memory_rss": 91, "total_system_memory": 0}, []),
    ],
)
def test_what_the_memory_of_a_server_means(info: dict[str, Any], named: list[str]) -> None:
    assert names(server_memory.memory(server(**info), release_bytes=1000)) == named


@pytest.mark.parametrize(
    ("version", "named"),
    [
        ({"redis_version": "6.0.20"}, ["old-server"]),
        ({"redis_version": "6.2.14"}, []),
        ({"redis_version": "7.2.4", "valkey_version": "9.1.2"}, []),
        ({"redis_version": "7.4.0", "dragonfly_version": "df-v1.30"}, ["unknown-server"]),
        ({}, []),
    ],
)
def test_what_the_version_of_a_server_means(version: dict[str, Any], named: list[str]) -> None:
    assert names(server_program.program(server(**version))) == named


def test_a_server_without_lua_is_broken_and_one_that_forbids_it_to_this_login_is_not_looked_at() -> None:
    without = ServerFacts("redis://db", lua="unknown command 'EVALSHA'")
    forbidden = ServerFacts("redis://db", refusals={"A script": "NOPERM"})

    assert names(server_program.scripts(without)) == ["no-lua"]
    assert [*server_program.scripts(forbidden)] == []
    assert [finding.level for finding in server_program.untold(forbidden)] == ["unseen"]


@pytest.mark.parametrize(("skew_ms", "said"), [(-90_000, "90 s behind"), (3_600_000, "3,600 s ahead of")])
def test_a_clock_that_is_wrong_is_told_with_its_direction(skew_ms: float, said: str) -> None:
    [finding] = server_program.clock(ServerFacts("redis://db", skew_ms=skew_ms))

    assert finding.name == "clock-skew"
    assert said in finding.what


def test_one_slow_ping_is_no_trouble_and_half_of_them_are() -> None:
    assert names(server_delivery.latency(ServerFacts("redis://db", pings_ms=(1.0, 1.0, 400.0)))) == []
    assert names(server_delivery.latency(ServerFacts("redis://db", pings_ms=(1.0, 30.0, 40.0)))) == ["slow-round-trip"]


@pytest.mark.parametrize(
    ("limit", "named"),
    [
        ("normal 0 0 0 pubsub 33554432 8388608 60", []),
        ("normal 0 0 0 slave 1 1 1 pubsub 1000 0 0", ["narrow-notices"]),
        ("pubsub 33554432 1000 60", ["narrow-notices"]),
        ("pubsub 0 0 0", ["boundless-notices"]),
        ("pubsub", []),
        ("", []),
    ],
)
def test_what_the_limit_of_pubsub_means(limit: str, named: list[str]) -> None:
    facts = ServerFacts("redis://db", config={"client-output-buffer-limit": limit})

    assert names(server_delivery.buffers(facts)) == named


@pytest.mark.parametrize(
    ("info", "named"),
    [
        ({"maxclients": 100, "connected_clients": 90}, []),
        ({"maxclients": 100, "connected_clients": 91}, ["clients-turned-away"]),
        ({"maxclients": 100, "connected_clients": 1, "rejected_connections": 1}, ["clients-turned-away"]),
        ({"client_output_buffer_limit_disconnections": 1}, ["clients-cut-off"]),
        ({"evicted_clients": 1}, ["clients-cut-off"]),
    ],
)
def test_what_the_connections_of_a_server_mean(info: dict[str, Any], named: list[str]) -> None:
    assert names(server_delivery.connections(server(**info))) == named


@pytest.mark.parametrize(
    ("replica", "named"),
    [
        ({"ip": "b", "port": 1, "state": "online", "lag": 1}, []),
        ({"ip": "b", "port": 1, "state": "online", "lag": 12}, ["replica-behind"]),
        ({"ip": "b", "port": 1, "state": "wait_bgsave", "lag": 0}, ["replica-behind"]),
    ],
)
def test_what_a_replica_means(replica: dict[str, Any], named: list[str]) -> None:
    assert names(server_durability.replication(server(role="master", connected_slaves=1, slave0=replica))) == named


def test_sentinels_without_a_replica_have_nobody_to_fail_over_to() -> None:
    alone = {"role": "master", "connected_slaves": 0}

    assert names(server_durability.replication(server(**alone))) == []
    facts = ServerFacts("redis+sentinel://a,b/main", info=alone)
    assert names(server_durability.replication(facts)) == ["no-replica"]


def test_a_managed_server_that_tells_nothing_is_in_no_trouble() -> None:
    facts = ServerFacts("redis://db", refusals={"INFO": "unknown command", "CONFIG GET": "unknown command"})

    found = [
        *server_program.program(facts),
        *server_memory.memory(facts),
        *server_durability.durability(facts),
        *server_durability.replication(facts),
        *server_delivery.buffers(facts),
        *server_delivery.connections(facts),
        *server_program.untold(facts),
    ]

    assert [finding.level for finding in found] == ["unseen", "unseen"]


def test_a_login_that_may_everything_is_worth_a_word_on_another_machine() -> None:
    able: dict[Any, tuple[str, ...]] = {"subscriber": (), "publisher": (), "operator": ()}

    assert names(login.rights(LoginFacts(able, is_almighty=True, is_local=True))) == []
    assert names(login.rights(LoginFacts(able, is_almighty=True, is_local=False))) == ["login-almighty"]


def test_a_login_of_a_worker_is_not_enough_where_a_publisher_runs() -> None:
    worker: dict[Any, tuple[str, ...]] = {"subscriber": (), "publisher": ("head: hset",), "operator": ("head: hset",)}

    assert names(login.rights(LoginFacts(worker, is_almighty=False, is_local=True))) == []
    needed = LoginFacts(worker, is_almighty=False, is_local=True, needed="publisher")
    assert names(login.rights(needed)) == ["rights-lacking"]


@pytest.mark.parametrize(
    ("some", "named"),
    [
        ([], []),
        ([report("a"), report("b")], []),
        ([report("a", "vetoing", error="no port")], ["workers-vetoing"]),
        ([report("a", "regressed"), report("b", "lost")], ["workers-ahead", "workers-ahead"]),
        ([report("a", "outdated")], ["workers-outdated"]),
        ([report("a", running=stand(6))], ["workers-behind"]),
        ([report("a", at_ms=NOW_MS - 60_000)], ["workers-silent"]),
        ([report("a", "cached")], ["workers-adrift"]),
        ([report("a", locked=("db",))], ["workers-locked"]),
        ([report("a", error="the fallback /x cannot be written: Permission denied")], ["workers-troubled"]),
        ([report("a"), report("b", protocol=2)], ["mixed-protocols"]),
        ([report("a", program="confbus 0.1.0"), report("b", program="confbus 0.2.0")], ["mixed-versions"]),
        ([report("a", program="confbus 0.1.0"), report("b", program="confbus 0.1.0"), report("c")], []),
    ],
)
def test_what_the_reports_of_workers_mean(some: list[Report], named: list[str]) -> None:
    assert names(fleet.workers(NamespaceFacts(HEAD, seen=survey(*some)))) == named


def test_a_worker_has_a_minute_to_follow() -> None:
    young = HeadFacts(version=8, at_ms=NOW_MS - 1_000, size=1000)

    assert names(fleet.workers(NamespaceFacts(young, seen=survey(report("a"))))) == []


@pytest.mark.parametrize(
    ("state", "error", "failing", "named"),
    [
        ("in step", "", (), []),
        ("in step", "version 7 is watched", (), []),
        ("in step", "app.yaml: no such file", ("app.yaml",), ["publisher-troubled"]),
        ("refused", "no port", (), ["publisher-stuck"]),
        ("held", "db was rolled back", (), ["publisher-holds"]),
    ],
)
def test_what_the_active_publisher_says_of_itself(
    state: str, error: str, failing: tuple[str, ...], named: list[str]
) -> None:
    active = report("pub", state, error=error, failing=failing, role="publisher")

    assert names(namespace.publishers(NamespaceFacts(HEAD, seen=survey(holder="pub", publishers=(active,))))) == named


def test_those_that_are_left_behind_by_an_upgrade_are_named() -> None:
    some = [report(name, program="confbus 0.2.0") for name in "abc"] + [report("old", program="confbus 0.1.0")]

    [finding] = fleet.workers(NamespaceFacts(HEAD, seen=survey(*some)))

    assert finding.what == "3 of confbus 0.2.0, 1 of confbus 0.1.0: old (confbus 0.1.0)"


def test_a_namespace_without_a_publisher_is_told_and_so_is_an_empty_one() -> None:
    assert names(namespace.publishers(NamespaceFacts(HEAD, seen=survey()))) == ["no-publisher"]
    assert names(namespace.releases(NamespaceFacts())) == ["nothing-published"]
    assert names(namespace.releases(NamespaceFacts(refusals={"the head": "NOPERM"}))) == []


@pytest.mark.parametrize(
    ("keys", "named"),
    [({"k1": "active"}, []), ({"k1": "retired"}, []), ({"k1": "ready"}, ["key-lacking"]), ({}, ["key-lacking"])],
)
def test_the_head_needs_a_key_that_was_active_here(keys: dict[str, str], named: list[str]) -> None:
    head = HeadFacts(version=7, at_ms=NOW_MS, size=1000, sealed={"db": "k1"})

    assert names(files.keyring(FileFacts(keys=keys), head)) == named


@pytest.mark.parametrize(
    ("fallback", "named"),
    [
        (FallbackFacts("/x", "it is damaged"), ["fallback-refused"]),
        (FallbackFacts("/x"), []),
        (FallbackFacts("/x", version=7, age_s=9_999), []),
        (FallbackFacts("/x", version=6, age_s=5), []),
        (FallbackFacts("/x", version=6, age_s=9_999), ["fallback-stale"]),
    ],
)
def test_what_the_last_known_good_on_disk_means(fallback: FallbackFacts, named: list[str]) -> None:
    assert names(files.last_known_good(fallback, HEAD)) == named


@pytest.mark.parametrize(
    ("used", "named"),
    [
        ({"instances": 1, "watches": 8}, []),
        ({"instances": 2, "watches": 1}, ["inotify-limit"]),
        ({"instances": 1, "watches": 9}, ["inotify-limit"]),
    ],
)
def test_a_publisher_needs_an_inotify_instance_and_a_watch_for_each_directory(
    used: dict[str, int], named: list[str]
) -> None:
    sources = SourceFacts(1, watched=frozenset({Path("/a"), Path("/b")}))

    assert names(machine.watches(MachineFacts({"instances": 2, "watches": 10}, used), sources)) == named


def test_a_file_that_is_a_mount_of_its_own_is_found_in_what_the_kernel_says(tmp_path: Path) -> None:
    file, other = tmp_path / "a b.yaml", tmp_path / "other.yaml"
    file.touch()
    point = str(file).replace(" ", "\\040")
    pod = "/pods/1/volume-subpaths/config/app/0"
    lines = [
        f"36 35 98:0 {pod} {point} rw,noatime master:1 - ext4 /dev/root rw",
        f"37 35 98:0 / {tmp_path} rw - tmpfs tmpfs rw",
        f"38 35 98:0 / {tmp_path}/{NOWHERE} rw - tmpfs tmpfs rw",
        "short",
    ]

    found = file_mounts("\n".join(lines))

    assert found == {file: pod}
    [mounted] = machine.mounts(MachineFacts(mounts=found), SourceFacts(1, files=frozenset({file, other})))
    assert mounted.name == "file-mounted"
    assert "subPath" in mounted.what


def test_what_this_user_watches_is_counted_from_proc(tmp_path: Path) -> None:
    limits = tmp_path / "sys/fs/inotify"
    limits.mkdir(parents=True)
    (limits / "max_user_watches").write_text("100\n")
    process = tmp_path / "123"
    for folder in ("fd", "fdinfo"):
        (process / folder).mkdir(parents=True)
    (process / "fd" / "5").symlink_to("anon_inode:inotify")
    (process / "fd" / "6").symlink_to("/dev/null")
    (process / "fdinfo" / "5").write_text("pos:\t0\ninotify wd:2 ino:3\ninotify wd:1 ino:2\n")

    seen = look_around(tmp_path)

    assert (seen.most, seen.used) == ({"watches": 100}, {"instances": 1, "watches": 2})
    assert seen.mounts == {}
    assert len(seen.installed) == 1


def test_two_installations_are_told_with_their_places() -> None:
    [finding] = machine.installations(MachineFacts(installed={"/a": "0.1.0", "/b": "0.2.0"}))

    assert finding.name == "installed-twice"
    assert "0.2.0 in /b" in finding.what
