"""That the hook and the recipes of docs/scanning.md are what pre-commit and pipelines can run."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any, cast

import click
import pytest
import yaml

from confbus_publisher.cli.program import program

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "scanning.md").read_text()
HOOKS = cast("list[dict[str, Any]]", yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text()))


def recipes(file: str) -> list[dict[str, Any]]:
    """What stands on the page as that file."""
    found = re.findall(rf"^```yaml {re.escape(file)}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return [cast("dict[str, Any]", yaml.safe_load(text)) for text in found]


def is_understood(line: str) -> bool:
    """Whether the program knows the command, and all of its options."""
    first, name, *words = shlex.split(line.partition(">")[0])
    command = program.get_command(click.Context(program), name)
    if first != "confbus" or command is None:
        return False
    with command.make_context(name, words):
        return True


def test_the_hook_is_a_command_that_takes_no_names_of_files() -> None:
    [hook] = HOOKS

    assert is_understood(hook["entry"])
    assert hook["pass_filenames"] is False
    assert hook["language"] == "python"


@pytest.mark.parametrize(
    "name", ["confbus.yaml", "config/app.yml", "config/app.json", "a/b.toml", ".env", "a/.env.production", "x.env"]
)
def test_a_change_of_any_file_that_may_be_a_source_runs_the_hook(name: str) -> None:
    assert re.search(HOOKS[0]["files"], name)


@pytest.mark.parametrize("name", ["app.py", "yaml", "notes.md", ".environment"])
def test_a_change_of_anything_else_does_not_run_the_hook(name: str) -> None:
    assert not re.search(HOOKS[0]["files"], name)


def test_the_recipes_for_pre_commit_name_the_hook_or_a_command() -> None:
    [ours, theirs] = [recipe["repos"][0] for recipe in recipes(".pre-commit-config.yaml")]

    assert ours["rev"]
    assert [hook["id"] for hook in ours["hooks"]] == [hook["id"] for hook in HOOKS]
    assert [is_understood(hook["entry"]) for hook in theirs["hooks"]] == [True]


def test_the_recipe_for_github_checks_and_may_write_nothing() -> None:
    [recipe] = recipes(".github/workflows/configuration.yml")
    steps = recipe["jobs"]["check"]["steps"]
    runs = [step["run"] for step in steps if "run" in step]

    assert recipe["permissions"] == {"contents": "read"}
    assert [is_understood(run) for run in runs if run.startswith("confbus")] == [True]
    assert all(re.search(r"@v\d", step["uses"]) for step in steps if "uses" in step)


def test_the_recipe_for_gitlab_checks() -> None:
    [recipe] = recipes(".gitlab-ci.yml")

    assert [is_understood(line) for line in recipe["configuration"]["script"] if line.startswith("confbus")] == [True]
