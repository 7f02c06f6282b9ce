"""From sources to the document that could be published."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidDocument
from confbus_publisher.expansion.file_roots import FileRoots
from confbus_publisher.inputs import Inputs
from confbus_publisher.opening import inputs_of
from confbus_publisher.settings import load_settings
from confbus_publisher.sources import DictSource, EnvSource, FileSource

if TYPE_CHECKING:
    from pathlib import Path

    from confbus_publisher.layer import Layer
    from confbus_publisher.sources.source import Source

LIMIT = 1024 * 1024


def inputs(*sources: Source, files: FileRoots | None = None) -> Inputs:
    return Inputs(sources, limit_bytes=LIMIT, files=files)


def test_references_of_files_are_expanded_and_those_of_variables_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PORT", "5433")
    (tmp_path / "app.yaml").write_text("db: {port: '${DB_PORT:5432}', name: 'db-${DB_PORT}'}\n")
    variables = EnvSource("APP_", priority=1, environ={"APP_DB__USER": "${DB_PORT}"})

    merge = inputs(FileSource(tmp_path / "app.yaml"), variables).load()

    assert merge.tree == {"db": {"port": 5433, "name": "db-5433", "user": "${DB_PORT}"}}
    assert merge.merged.tree["db"]["port"] == "${DB_PORT:5432}"
    assert merge.expanded.steps["db", "name"].used == ("variable DB_PORT",)


def test_values_in_the_settings_are_expanded_as_files_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DB_PORT", "5433")
    file = tmp_path / "confbus.yaml"
    file.write_text(
        "namespace: x\nsources:\n- values: {port: '${DB_PORT}', pair: [1, 'x-${DB_PORT}']}\n"
        "- {values: {raw: '${DB_PORT}'}, name: raw, interpolate: false}\n"
    )

    merge = inputs_of(load_settings(file)).load()

    assert merge.tree == {"port": 5433, "pair": [1, "x-5433"], "raw": "${DB_PORT}"}


def test_a_reference_that_lost_is_not_looked_at(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("password: ${NOBODY_SETS_THIS}\n")
    source = FileSource(tmp_path / "app.yaml")

    assert inputs(source, DictSource({"password": "x"}, priority=1)).load().tree == {"password": "x"}
    with pytest.raises(InvalidDocument, match=r"app.yaml:1:1: password: .*NOBODY_SETS_THIS"):
        inputs(source).load()


def test_a_file_that_a_reference_names_is_read_again_when_it_changes(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("one\n")
    (tmp_path / "app.yaml").write_text("db: {password: '${file:password}'}\nweb: {port: 1}\n")
    loading = inputs(FileSource(tmp_path / "app.yaml"), files=FileRoots([tmp_path], base=tmp_path))

    before = loading.load()
    again = loading.load()
    secret.write_text("two\n")
    after = loading.load()

    assert again is before
    assert (before.tree["db"]["password"], after.tree["db"]["password"]) == ("one", "two")
    assert after.tree["web"] is before.tree["web"]
    assert tmp_path in loading.watched


def test_a_file_that_a_reference_names_and_that_is_gone_is_told_each_time(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("password: '${file:secret}'\n")
    (tmp_path / "secret").write_text("first\n")
    loading = inputs(FileSource(tmp_path / "app.yaml"), files=FileRoots([tmp_path], base=tmp_path))
    loading.load()

    (tmp_path / "secret").unlink()

    for _ in range(2):
        with pytest.raises(InvalidDocument, match="No such file"):
            loading.load()
    (tmp_path / "secret").write_text("second\n")
    assert loading.load().tree == {"password": "second"}


def test_every_problem_is_told_and_not_only_the_first(tmp_path: Path) -> None:
    (tmp_path / "app.yaml").write_text("a: ${ONE_THAT_IS_NOT_SET}\nb: ${ANOTHER_THAT_IS_NOT_SET}\n")
    (tmp_path / "broken.yaml").write_text("a: [\n")

    lost = inputs(FileSource(tmp_path / "app.yaml")).failings()
    mixed = inputs(
        FileSource(tmp_path / "broken.yaml"),
        FileSource(tmp_path / "missing.yaml"),
        DictSource({"x": 1}, name="one"),
        DictSource({"x": {"y": 1}}, name="two"),
        EnvSource("APP_", environ={"APP_A": "{"}),
    ).failings()

    assert [str(problem).partition(" ")[0] for problem in lost] == [
        f"{tmp_path}/app.yaml:1:1:",
        f"{tmp_path}/app.yaml:2:1:",
    ]
    assert [type(problem).__name__ for problem in mixed] == ["SourceFailed", "SourceFailed", "MergeConflict"]


def test_a_document_that_cannot_be_published_is_a_problem() -> None:
    small = Inputs([DictSource({"a": "x" * 100})], limit_bytes=10)

    [problem] = small.failings()

    assert "the limit is 10" in str(problem)


@pytest.mark.parametrize("is_on", [True, False])
def test_the_collector_is_afterwards_as_it_was_and_rests_meanwhile(is_on: bool) -> None:
    seen: list[bool] = []

    class Watching(DictSource):
        def load(self) -> Layer:
            seen.append(gc.isenabled())
            return super().load()

    before = gc.isenabled()
    (gc.enable if is_on else gc.disable)()
    try:
        inputs(Watching({"a": 1})).load()
        after = gc.isenabled()
    finally:
        (gc.enable if before else gc.disable)()

    assert (seen, after) == ([False], is_on)
