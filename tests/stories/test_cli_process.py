"""The command line as the shell runs it."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
from importlib.metadata import version
from typing import TYPE_CHECKING

from support.shop import CONFBUS

if TYPE_CHECKING:
    from support.shop import Shop

MARK = "$ "
HEAVY = ["redis", "yaml", "watchfiles", "msgpack", "tenacity", "asyncio", "socket", "secrets", "importlib.metadata"]
COMMANDS = ["run", "status", "get", "wait"]
MODULES = f"""
import sys
from confbus_publisher.cli import main
try:
    main()
finally:
    print([name for name in {HEAVY} if name in sys.modules])
    print([name for name in {COMMANDS} if f"confbus_publisher.cli.{{name}}" in sys.modules])
"""
WITHOUT_CLICK = """
import sys
sys.modules["click"] = None
from confbus_publisher.cli import main
main()
"""


def in_terminal(shop: Shop, *words: str, talk: bool = False, **environment: str) -> str:
    """What a command writes when its stdout is a terminal; with `talk`, when its stderr is one."""
    ours, theirs = pty.openpty()
    with os.fdopen(ours, "rb", 0) as terminal, os.fdopen(theirs, "wb", 0) as end:
        end.write(MARK.encode())  # for one that says nothing is never at its end
        subprocess.run(
            [CONFBUS, *words],
            cwd=shop.directory,
            env=os.environ | {"COLUMNS": "80"} | environment,
            stdout=subprocess.DEVNULL if talk else end,
            stderr=end if talk else subprocess.DEVNULL,
            timeout=60,
            check=False,
        )
        return terminal.read(65536).decode().removeprefix(MARK)


def modules_after(*words: str) -> list[str]:
    """What a command that imports little said: its first line, what is heavy and what there is of commands."""
    run = subprocess.run([sys.executable, "-c", MODULES, *words], capture_output=True, text=True, check=True)
    lines = run.stdout.splitlines()
    return [lines[0], *lines[-2:]]


def test_the_version_is_told_without_importing_anything_heavy() -> None:
    assert modules_after("--version") == [f"confbus {version('confbus')}", "[]", "[]"]


def test_the_list_of_commands_imports_none_of_them() -> None:
    assert modules_after("--help")[1:] == ["[]", "[]"]


def test_a_command_is_declared_without_importing_what_it_needs_to_run_or_another_one() -> None:
    assert modules_after("status", "--help")[1:] == ["[]", "['status']"]


def test_without_click_one_line_says_what_to_install() -> None:
    run = subprocess.run([sys.executable, "-c", WITHOUT_CLICK], capture_output=True, text=True, check=False)

    assert (run.returncode, run.stdout) == (1, "")
    assert run.stderr == "confbus: the command line is not installed. Run: pip install 'confbus[publisher]'\n"


def test_a_pipeline_can_tell_by_exit_codes_what_happened(shop: Shop) -> None:
    words = [["plan"], ["publish", "-m", "begin"], ["get", "nothing"], ["get", "--nothing"]]

    codes = [shop.process(*each).returncode for each in words]

    assert codes == [2, 0, 1, 64]


def test_data_and_talk_go_separate_ways(shop: Shop) -> None:
    run = shop.process("plan")

    assert [line[0] for line in run.stdout.splitlines()] == ["+"] * 3
    assert "3 changes from nothing" in run.stderr


def test_a_reader_that_goes_early_is_no_disaster(shop: Shop) -> None:
    shop.write("".join(f"key_{number:05}: {number}\n" for number in range(20_000)))
    shop.process("publish")

    with subprocess.Popen(
        [CONFBUS, "get"], cwd=shop.directory, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.readline()
        process.stdout.close()
        talk = process.stderr.read()

    assert "Traceback" not in talk
    assert "error" not in talk


def test_whoever_closes_all_streams_gets_the_exit_code_all_the_same(shop: Shop) -> None:
    shop.process("publish")

    codes = [
        subprocess.run(["sh", "-c", f"exec {CONFBUS} {words} <&- >&- 2>&-"], cwd=shop.directory, check=False).returncode
        for words in ("status", "get nothing.there")
    ]

    assert codes == [0, 1]


def test_there_are_colours_in_a_terminal_only_and_never_against_the_will(shop: Shop) -> None:
    colourful, plain, piped = in_terminal(shop, "plan"), in_terminal(shop, "plan", NO_COLOR="1"), shop.process("plan")

    assert "\x1b[32m+\x1b[0m" in colourful
    assert "\x1b" not in plain + piped.stdout + piped.stderr


def test_in_a_terminal_no_line_is_longer_than_that(shop: Shop) -> None:
    text = "a very long value for anybody to read on one line, is it not"
    shop.write(f"a_long_name_of_a_section: {{and_a_long_name_of_a_leaf: '{text}'}}\n")
    shop.process("publish", "-m", text, "--author", "somebody.with.a.long.name@a-machine-with-a-long-name.example.com")
    shop.write(f"a_long_name_of_a_section: {{and_a_long_name_of_a_leaf: 'changed: {text}'}}\n")

    outputs = [in_terminal(shop, command, NO_COLOR="1") for command in ("status", "history", "fleet", "log", "plan")]
    outputs.append(in_terminal(shop, "explain", "--all", NO_COLOR="1"))

    assert max(len(line) for output in outputs for line in output.splitlines()) <= 80


def test_a_terminal_of_hardly_any_columns_is_one(shop: Shop) -> None:
    shop.settle()

    assert in_terminal(shop, "status", COLUMNS="5").split()[-1] == "reports"


def test_who_looks_at_a_terminal_sees_how_far_an_import_is(shop: Shop) -> None:
    shop.process("publish")
    exported = shop.process("export", "shop.jsonl")

    talk = in_terminal(shop, "import", "shop.jsonl", "-n", f"{shop.namespace}-copy", talk=True)

    assert "of 3 blobs" in talk
    assert talk.endswith("\r\x1b[K")
    assert exported.stderr == ""


def test_in_a_terminal_the_log_leaves_out_no_word_of_what_was_refused(shop: Shop) -> None:
    shop.settle(
        "checks: {rules: [{rule: 'number > 5', message: 'the number is a small one, and shops need large ones'}]}"
    )
    shop.process("publish", "--author", "ann")

    heads, entry, *below = in_terminal(shop, "log", NO_COLOR="1").splitlines()

    assert heads.split() == ["WHEN", "WHO", "ACTION", "VERSION", "WHAT"]
    assert entry.split()[2:] == ["ann", "refused", "publish"]
    assert all(line.startswith("  ") and len(line) <= 80 for line in below)
    assert "shops need large ones" in " ".join(line.strip() for line in below)


def test_who_watches_sees_every_leaf_that_changes(shop: Shop) -> None:
    shop.settle("checks: {secrets: warn}")
    shop.confbus("publish")

    with shop.start("watch", "db.**") as watch:
        watch.says("live: version 1")
        shop.write("number: 2\ndb: {host: b, port: 5432, password: hunter2}\n")
        shop.confbus("publish")
        watch.shows("+ db.password  ***\n")
        code = watch.end(signal.SIGINT)

    assert code == 0
    assert [line.split()[1:] for line in watch.out.splitlines()] == [
        ["v2", "~", "db.host", '"a"', "->", '"b"'],
        ["v2", "+", "db.password", "***"],
    ]
    assert "Traceback" not in watch.err


def test_programs_get_a_line_for_each_change(shop: Shop) -> None:
    shop.confbus("publish")

    with shop.start("watch", "--output", "json") as watch:
        watch.says("live: version 1")
        shop.write("number: 2\ndb: {host: a, port: 5432}\n")
        shop.confbus("publish")
        watch.shows("\n")

    fact = json.loads(watch.out)
    assert fact.pop("at").endswith("Z")
    assert fact == {"version": 2, "path": "/number", "change": "modified", "old": 1, "new": 2}


def test_who_watches_before_anything_is_published_waits_for_it(shop: Shop) -> None:
    with shop.start("watch") as watch:
        watch.says("waiting")
        shop.confbus("publish")
        watch.says("live: version 1")


def test_commands_for_an_emergency_need_no_settings(shop: Shop) -> None:
    shop.confbus("publish")
    (shop.directory / "confbus.yaml").unlink()
    assert shop.url

    run = shop.process("rollback", "--to", "1", CONFBUS_URL=shop.url, CONFBUS_NAMESPACE=shop.namespace)

    assert run.returncode == 0
