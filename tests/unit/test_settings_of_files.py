"""What confbus.yaml may say of files: patterns, directories, secrets, profiles, and the terms of each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from confbus_publisher.layers import Layers
from confbus_publisher.settings import build_sources, load_settings
from confbus_publisher.sources import DirectorySource, FileSource, GlobSource, SecretsSource

if TYPE_CHECKING:
    from pathlib import Path

    from confbus_publisher.layer import Layer


def written(directory: Path, **files: str) -> None:
    """Each name with `__` for a slash and a `_` before its suffix."""
    for name, text in files.items():
        path = directory / name.replace("__", "/").replace("_", ".")
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


def layers(directory: Path, text: str, **variables: str) -> list[Layer]:
    path = directory / "confbus.yaml"
    path.write_text(f"namespace: x\n{text}")
    return list(Layers(build_sources(load_settings(path, variables=variables))).load())


def names(directory: Path, found: list[Layer]) -> list[str]:
    return [layer.source.removeprefix(f"{directory}/") for layer in found]


def test_each_kind_becomes_its_source(tmp_path: Path) -> None:
    path = tmp_path / "confbus.yaml"
    path.write_text(
        "namespace: x\nsources:\n"
        "- {file: a.conf, format: toml}\n"
        "- files: [conf.d/*.yaml, local.yaml]\n"
        "- {directory: conf.d, name: parts, priority: 3}\n"
        "- {secrets: /run/secrets, optional: true}\n"
    )

    sources = build_sources(load_settings(path, variables={}))

    assert [type(source) for source in sources] == [FileSource, GlobSource, FileSource, DirectorySource, SecretsSource]
    assert [(source.name.removeprefix(f"{tmp_path}/"), source.priority) for source in sources] == [
        ("a.conf", 0),
        ("conf.d/*.yaml", 0),
        ("local.yaml", 0),
        ("parts", 3),
        ("/run/secrets", 0),
    ]


def test_the_profile_of_all_sources_gives_way_to_that_of_one(tmp_path: Path) -> None:
    written(tmp_path, app_yaml="a: 1", app_test_yaml="a: 2", app_live_yaml="a: 3", b_yaml="b: 1")
    again = "{file: app.yaml, name: again, profile: live}"
    text = f"profile: ${{APP_ENV}}\nsources: [{{file: app.yaml}}, {again}, {{file: b.yaml}}]\n"

    found = layers(tmp_path, text, APP_ENV="test")

    assert names(tmp_path, found) == ["app.yaml", "app.test.yaml", "again", "again (live)", "b.yaml", "b.test.yaml"]
    assert [layer.tree for layer in found] == [{"a": 1}, {"a": 2}, {"a": 1}, {"a": 3}, {"b": 1}, {}]


def test_a_profile_reaches_into_patterns_and_directories(tmp_path: Path) -> None:
    written(tmp_path, d__a_yaml="a: 1", d__a_live_yaml="a: 2", d__a_test_yaml="a: 3", d__b_yaml="b: 1")

    found = layers(tmp_path, "profile: live\nsources:\n- directory: d\n- files: [d/*.yaml]\n")

    assert names(tmp_path, found) == ["d/a.yaml", "d/a.live.yaml", "d/b.yaml"] * 2


@pytest.mark.parametrize(
    ("entry", "kind", "interpolates"),
    [
        ("file: d/a.yaml", "file", True),
        ("files: [d/*.yaml]", "file", True),
        ("directory: d", "directory", True),
        ("secrets: d", "secrets", False),
    ],
)
def test_a_layer_carries_the_terms_of_its_entry(tmp_path: Path, entry: str, kind: str, *, interpolates: bool) -> None:
    written(tmp_path, d__a_yaml="a: 1")
    turned = str(not interpolates).lower()
    text = f"sources:\n- {entry}\n- {entry}\n  interpolate: {turned}\n  delete: [b, c.d]\n  priority: 4\n"
    if "files" not in entry:
        text = text.replace("  priority", "  name: other\n  priority")
    else:
        text = text.replace(f"- {entry}\n  int", "- files: [d/?.yaml]\n  int")

    plain, *_, told = layers(tmp_path, text)

    assert (plain.kind, plain.interpolates, plain.deletes, plain.priority) == (kind, interpolates, frozenset(), 0)
    assert (told.kind, told.interpolates, told.priority) == (kind, not interpolates, 4)


@pytest.mark.parametrize("entry", ["files: [a.yaml, b.yaml]", "directory: .", "files: ['?.yaml']", "file: a.yaml"])
def test_what_an_entry_deletes_goes_before_its_first_file_alone(tmp_path: Path, entry: str) -> None:
    written(tmp_path, a_yaml="a: 1", a_live_yaml="a: 2", b_yaml="b: 1")

    first, *others = layers(tmp_path, f"profile: live\nsources:\n- {entry}\n  delete: [x.y]\n")

    assert first.deletes == frozenset({("x", "y")})
    assert [layer.deletes for layer in others if layer.deletes] == []
