"""What TAB offers: by what a shell asks, and in each shell that is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from confbus_publisher.cli.completion import SHELLS
from confbus_publisher.cli.program import COMMANDS, COMPLETE_VARIABLE, program
from support.shop import CONFBUS

if TYPE_CHECKING:
    from support.shop import Shop

IN_SHELL = {
    "bash": """
        source <(confbus completion bash)
        COMP_WORDS=(%s) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        _confbus_completion confbus
        printf '%%s\\n' "${COMPREPLY[@]}"
    """,
    "zsh": """
        compdef() { : }
        compadd() { print -l "${(@P)${@[-1]}}" }
        _describe() { print -l "${(@P)3}" }
        source <(confbus completion zsh)
        words=(%s) CURRENT=$#words
        _confbus_completion
    """,
    "fish": """
        confbus completion fish | source
        complete --do-complete "%s"
    """,
}


def offered(line: str) -> list[str]:
    """What is offered for the last word of `line`, which may be empty."""
    words = {COMPLETE_VARIABLE: "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(len(line.split(" ")) - 1)}
    answer = CliRunner().invoke(program, [], prog_name="confbus", env=words)
    assert answer.stderr == ""
    return [each.partition(",")[2] for each in answer.stdout.split()]


@pytest.mark.slow
@pytest.mark.parametrize("shell", SHELLS)
def test_a_shell_completes_what_the_namespace_has(shop: Shop, shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"{shell} is not installed")
    shop.confbus("publish")

    answer = subprocess.run(
        [shell, "-c", IN_SHELL[shell] % "confbus get db."],
        cwd=shop.directory,
        env=os.environ | {"PATH": f"{Path(CONFBUS).parent}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert (answer.stdout.split(), answer.stderr) == (["db.host", "db.port"], "")


def test_commands_and_options_are_offered_without_a_server(shop: Shop) -> None:
    shop.settle("nonsense: true")

    assert offered("confbus ") == [name for names in COMMANDS.values() for name in names]
    assert offered("confbus ex") == ["explain", "export"]
    assert offered("confbus keys ro") == ["rotate"]
    assert offered("confbus status --out") == ["--output"]
    assert offered("confbus status --output ") == ["text", "json"]


def test_paths_sections_versions_and_overrides_are_offered(shop: Shop) -> None:
    shop.confbus("publish")
    shop.write("number: 2\ndb: {host: b, port: 5432}\n")
    shop.confbus("publish")
    shop.confbus("set", "db.port", "5433")
    shop.confbus("rollback", "--to", "1")

    assert offered("confbus get ") == ["db.host", "db.port", "number"]
    assert offered("confbus explain db.h") == ["db.host"]
    assert offered("confbus hold ") == [".", "db"]
    assert offered("confbus hold db ") == ["."]
    assert offered("confbus diff ") == ["3", "2", "1"]
    assert offered("confbus rollback --to ") == ["3", "2", "1"]
    assert offered("confbus resume ") == [".", "db"]
    assert offered("confbus unset ") == ["db.port"]


def test_of_many_paths_the_next_part_is_offered(shop: Shop) -> None:
    leaves = ", ".join(f"leaf{number}: 1" for number in range(300))
    shop.write(f"services: {{web: {{{leaves}}}, mail: {{{leaves}}}}}\n")
    shop.confbus("publish")

    assert offered("confbus get s") == ["services"]
    assert offered("confbus get services.") == ["services.mail", "services.web"]


@pytest.mark.parametrize("words", ["get ", "hold ", "diff ", "resume ", "unset ", "get --url "])
def test_where_nothing_is_to_be_seen_nothing_is_offered_and_nothing_told(shop: Shop, words: str) -> None:
    shop.url = "redis://127.0.0.1:1"
    shop.settle()

    assert offered(f"confbus {words}") == []


def test_a_command_that_is_not_known_is_no_error_while_somebody_types() -> None:
    assert "status" in offered("confbus nonsense ")


def test_files_are_left_to_the_shell(shop: Shop) -> None:
    words = {COMPLETE_VARIABLE: "bash_complete", "COMP_WORDS": "confbus status -c ", "COMP_CWORD": "3"}

    assert CliRunner().invoke(program, [], prog_name="confbus", env=words).stdout == "file,\n"
