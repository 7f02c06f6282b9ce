"""`confbus keys`: the keyring that seals sections, and the change from one key to the next."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from confbus_publisher.cli import outcome
from confbus_publisher.cli.offers import files
from confbus_publisher.cli.options import subcommand, with_author, with_output, with_place, with_wait
from confbus_publisher.cli.output import present, say, sentence, table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from confbus.keyring import Key
    from confbus_publisher.cli.wait import Wait
    from confbus_publisher.ledger import Ledger, State
    from confbus_publisher.opening import Named
    from confbus_publisher.sealing.key_file import KeyFile

_HEADS = ["KEY", "STATE", "SINCE", "NEEDED BY"]
_EPILOG = """\b
JSON: each command says which keys its JSON has.

Example: confbus keys list
"""
_with_keys = click.option(
    "--keys", "path", metavar="FILE", help="The keyring; else what the settings say.", shell_complete=files
)


@click.group(
    "keys",
    epilog=_EPILOG,
    invoke_without_command=True,
    subcommand_metavar="COMMAND [OPTIONS]...",
    options_metavar="",
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Make, rotate and list the keys that seal sections.

    A new key is first brought to the workers, then made active: `generate`, copy the keyring, `rotate`. The keys before
    it go on opening what they sealed.
    """
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@subcommand("generate", example="confbus keys generate", keys="id, state, file")
@with_place
@_with_keys
@with_author
@with_output
def generate(named: Named, output: str, path: str | None, author: str) -> int:
    """Make a new key.

    The first one is active at once. A later one is ready, and seals nothing until `confbus keys rotate`: bring the
    keyring to the workers before.
    """
    from confbus_publisher.cli import key_log, keyring
    from confbus_publisher.ledger import Why
    from confbus_publisher.sealing.key_changes import generated

    file = keyring.key_file(named, path)
    with key_log.recorded(named, Why(author, action="keys generate")):
        key = keyring.change(file, generated)
    word = "active" if key.state == "active" else "ready: bring it to the workers, then `confbus keys rotate`"
    facts = {"id": key.id, "state": key.state, "file": str(file.path)}
    present(output, facts, sentence(f"Made the key {key.id} in {file.path}. It is {word}."))
    key_log.note(named, Why(author, f"the key {key.id} is {key.state}", "keys generate"))
    return outcome.DONE


@subcommand(
    "rotate", example="confbus keys rotate --wait 30s", keys="id, version, active {instance, state, why}, fleet"
)
@with_place
@_with_keys
@with_author
@with_wait
@with_output
def rotate(named: Named, output: str, path: str | None, author: str, wait: Wait) -> int:
    """Make the newest ready key active, and seal the head with it.

    Nobody reads anything new by that. A worker without the key keeps what it runs, and says so. Where a publisher is
    active, it seals the head when it sees its keyring change; one on another machine needs the new file there.
    """
    from confbus.errors import EmbeddedFailed, Unreachable
    from confbus_publisher.cli import key_log, keyring
    from confbus_publisher.ledger import Why
    from confbus_publisher.sealing.key_changes import rotated

    began = time.monotonic()
    file = keyring.key_file(named, path)
    with key_log.recorded(named, Why(author, action="keys rotate")):
        key = keyring.change(file, rotated)
    try:
        return _seal_head(named, file, key, author=author, output=output, wait=wait, began=began)
    except (EmbeddedFailed, Unreachable) as error:
        if wait.timeout_s is not None:
            raise
        present(output, {"id": key.id, "version": None, "active": None}, [f"The key {key.id} is active."])
        say(f"A publisher seals the head with it when the server is back: {error.message}")
        say("The audit trail may have no entry of this.")
        return outcome.DONE


@subcommand("list", example="confbus keys list", keys="file, keys [{id, state, since, releases [version]}]")
@with_place
@_with_keys
@with_output
def list_(named: Named, output: str, path: str | None) -> int:
    """List the keys of the keyring, and which kept releases need them.

    A retired key can go, with `confbus keys remove`, when no release needs it any more. A key that is needed and not in
    the keyring is listed as missing.
    """
    from confbus_publisher.cli import keyring

    file = keyring.key_file(named, path)
    ring, needed = keyring.ring_of(file), keyring.needed(named, file)
    facts = [_fact(key.id, key.state, key.since, needed) for key in ring]
    facts += [_fact(name, "missing", "", needed) for name in sorted(needed or {}) if ring.get(name) is None]
    rows = [[fact["id"], fact["state"], fact["since"] or "?", _versions(fact["releases"])] for fact in facts]
    lines = table([_HEADS, *rows], whole=["KEY", "STATE", "SINCE"])
    present(output, {"file": str(file.path), "keys": facts}, lines)
    if not rows:
        say(f"There is no key in {file.path}; `confbus keys generate` makes one.")
    return outcome.DONE


@subcommand("remove", example="confbus keys remove 2026-01-31-3f9a2c", keys="id, file")
@with_place
@_with_keys
@click.argument("name", metavar="ID")
@click.option("--force", is_flag=True, help="Also while releases need it, or when that cannot be told.")
@with_author
@with_output
def remove(named: Named, output: str, path: str | None, name: str, author: str, **how: bool) -> int:
    """Take a key that is not active out of the keyring.

    Refused while a kept release needs it: a rollback to that could not be opened. Copies elsewhere, and files of a last
    known good, are not looked at.
    """
    from confbus_publisher.cli import key_log, keyring
    from confbus_publisher.ledger import Why
    from confbus_publisher.sealing.key_changes import removed

    file = keyring.key_file(named, path)
    with key_log.recorded(named, Why(author, action="keys remove")):
        removed(keyring.ring_of(file), name)
        if not how["force"]:
            _refuse_needed(named, file, name)
        with file.alone():
            file.write(removed(keyring.ring_of(file), name))
    present(output, {"id": name, "file": str(file.path)}, [f"Removed the key {name} from {file.path}."])
    word = " by --force" if how["force"] else ""
    key_log.note(named, Why(author, f"the key {name} is removed{word}", "keys remove"))
    return outcome.DONE


def _refuse_needed(named: Named, file: KeyFile, name: str) -> None:
    """Raise `Refused` while a kept release needs the key of that name, or when nobody can tell."""
    from confbus.errors import Refused
    from confbus_publisher.cli import keyring

    needed = keyring.needed(named, file)
    if needed is None:
        raise Refused("whether a release needs that key cannot be told", advice="Start the server, or use --force.")
    if name in needed:
        advice = "They go as new ones come; --force gives them up."
        raise Refused(f"{name} is needed by {_versions(needed[name])}", advice=advice)


def _seal_head(named: Named, file: KeyFile, key: Key, *, author: str, output: str, wait: Wait, began: float) -> int:
    """Let the head be sealed with the new key, by whoever is active, or here; then tell, and wait for the fleet."""
    from confbus_publisher.cli import arrival, key_log, keyring
    from confbus_publisher.ledger import Why
    from confbus_publisher.refusals import recorded
    from confbus_publisher.sealing.renewal import renew
    from confbus_publisher.sealing.resealing import is_due

    site, seals = keyring.site_with(named, file)

    def is_out(state: State) -> bool:
        return not is_due(state.release.manifest, state.blobs, seals)

    with site.ledger() as ledger:
        before = wait.survey(ledger)
        since_ms = ledger.store.time_ms()
        key_log.enter(ledger, Why(author, f"the key {key.id} is active", "keys rotate"))
        if ledger.refresh() and not ledger.store.lease():
            with recorded(ledger, Why(author, action="keys rotate")):
                renew(ledger, seals, author)
        patience_s = wait.timeout_s or arrival.PATIENCE_S
        found = arrival.wait(ledger, is_out, since_ms=since_ms, patience_s=patience_s)
        where = f"version {found.version} {_used(ledger, key)}" if found.version else "no version is sealed with it yet"
        facts, text = {"id": key.id, **found.facts()}, f"The key {key.id} is active; {where}."
        wait.present(output, facts, text, ledger=ledger, before=before if found.version else None, since=began)
    if output == "text" and not found.version:
        say(found.reason())
    return found.exit_code(must_arrive=wait.timeout_s is not None)


def _used(ledger: Ledger, key: Key) -> str:
    from confbus_publisher.sealing.resealing import keys_of

    state = ledger.state
    is_used = state is not None and key.id in keys_of(state.release.manifest, state.blobs).values()
    return "is sealed with it" if is_used else "has nothing that is sealed"


def _fact(name: str, state: str, since: str, needed: dict[str, list[int]] | None) -> dict[str, Any]:
    return {"id": name, "state": state, "since": since, "releases": None if needed is None else needed.get(name, [])}


def _versions(versions: Sequence[int] | None) -> str:
    """The releases that need a key, newest first."""
    if versions is None:
        return "?"
    if len(versions) < 2:
        return f"version {versions[0]}" if versions else "nothing"
    return f"{len(versions)} releases, the newest version {versions[0]}"


for each in (generate, rotate, list_, remove):
    command.add_command(each)
