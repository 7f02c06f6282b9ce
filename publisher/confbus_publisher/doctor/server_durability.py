"""Whether what the server was given outlives its end: on its disk, and on replicas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus_publisher.doctor.finding import Finding, Trouble, fine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.doctor.server_facts import ServerFacts

NOTHING_KEPT = Trouble(
    "server",
    "warning",
    "no-persistence",
    "After its next start the server is empty: only a publisher that knows the last state brings it back.",
)
SNAPSHOTS_ONLY = Trouble(
    "server",
    "warning",
    "snapshots-only",
    "When the server dies, the releases since its last snapshot are lost, until a publisher brings them back.",
)
SAVE_FAILED = Trouble(
    "server",
    "error",
    "save-failed",
    "What is published is not on disk, and most servers refuse every write until a save succeeds.",
)
IS_REPLICA = Trouble(
    "server",
    "error",
    "is-replica",
    "Nothing can be published here, and what is read is older than on the primary.",
)
REPLICA_BEHIND = Trouble(
    "server",
    "warning",
    "replica-behind",
    "When it takes over, the releases that it does not have are lost, until a publisher brings them back.",
)
TOO_FEW = Trouble(
    "server",
    "error",
    "too-few-replicas",
    "The server refuses every write while fewer replicas are there than min-replicas-to-write asks for.",
)
NOBODY_TO_TAKE_OVER = Trouble(
    "server",
    "warning",
    "no-replica",
    "Sentinels have nobody to take over when the primary fails.",
)
_LAG_S = 10
_SAVES = {"rdb_last_bgsave_status": "snapshot", "aof_last_write_status": "write to the append-only file"}


def durability(server: ServerFacts) -> Iterator[Finding]:
    """Persistence, as far as it is known: many managed servers do not tell, and keep copies of their own."""
    info = server.info
    if "aof_enabled" not in info:
        return
    failed = [what for name, what in _SAVES.items() if info.get(name, "ok") != "ok"]
    for what in failed:
        yield SAVE_FAILED.found(f"the last {what} failed", "Its log says why: a full disk, no rights, no memory.")
    has_log, snapshots = bool(info["aof_enabled"]), server.config.get("save")
    if has_log and not failed:
        yield fine("server", "persistence: every write is appended to a file")
    if not has_log and snapshots == "":
        yield NOTHING_KEPT.found("it writes nothing to disk", "Turn appendonly on.")
    elif not has_log and snapshots is not None:
        changes = server.number("rdb_changes_since_last_save")
        what = f"it writes snapshots alone; {changes:,} changes are in none yet"
        yield SNAPSHOTS_ONLY.found(what, "Turn appendonly on.")


def replication(server: ServerFacts) -> Iterator[Finding]:
    """The server's role, and how far behind its replicas are."""
    if "role" not in server.info:
        return
    if server.info["role"] != "master":
        primary = f"{server.info.get('master_host', '?')}:{server.info.get('master_port', '?')}"
        yield IS_REPLICA.found(f"it is a replica of {primary}", "Name the primary, or Sentinels: redis+sentinel://…")
        return
    replicas = _replicas(server)
    troubles = [*_behind(replicas), *_lacking(server, replicas)]
    yield from troubles
    if not troubles and replicas:
        lag_s = max(int(replica.get("lag", 0)) for replica in replicas)
        yield fine("server", f"replicas: {len(replicas)}, at most {lag_s} s behind")
    elif not troubles:
        yield fine("server", "replicas: none; while the server is away, workers keep what they have")


def _replicas(server: ServerFacts) -> list[dict[str, Any]]:
    found = (server.info.get(f"slave{number}") for number in range(server.number("connected_slaves")))
    return [replica for replica in found if isinstance(replica, dict)]


def _behind(replicas: list[dict[str, Any]]) -> Iterator[Finding]:
    for replica in replicas:
        place = f"{replica.get('ip', '?')}:{replica.get('port', '?')}"
        state, lag_s = str(replica.get("state", "online")), int(replica.get("lag", 0))
        advice = "Look at its log, and at the network between the two."
        if state != "online":
            yield REPLICA_BEHIND.found(f"the replica {place} is not in step yet ({state})", advice)
        elif lag_s >= _LAG_S:
            yield REPLICA_BEHIND.found(f"the replica {place} said nothing for {lag_s} s", advice)


def _lacking(server: ServerFacts, replicas: list[dict[str, Any]]) -> Iterator[Finding]:
    least = int(server.config.get("min-replicas-to-write") or 0)
    if len(replicas) < least:
        what = f"{len(replicas)} replicas are there, min-replicas-to-write is {least}"
        yield TOO_FEW.found(what, "Bring replicas back, or lower it.")
    elif not replicas and "+sentinel" in server.url.partition(":")[0]:
        yield NOBODY_TO_TAKE_OVER.found("the primary has no replica", "Start one.")
