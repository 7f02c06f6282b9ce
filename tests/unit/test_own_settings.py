"""`own:` in confbus.yaml: sources that other packages bring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidSettings
from confbus_publisher.layers import Layers
from confbus_publisher.settings import Settings, build_sources, load_settings

if TYPE_CHECKING:
    from pathlib import Path

PLUGIN = """
from confbus_publisher import ConfigSource

class Fixed(ConfigSource):
    def __init__(self, values=None):
        super().__init__("fixed")
        self.values = values or {}
    async def load_config(self):
        return self.values
    async def is_modified(self):
        return False

async def asked(**options):
    return {"asked": options}

nothing = 3
"""
ENTRY_POINTS = """[confbus.sources]
shop-fixed = shop_sources:Fixed
shop-asked = shop_sources:asked
shop-nothing = shop_sources:nothing
shop-gone = shop_sources:gone
"""


@pytest.fixture(autouse=True)
def _installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package with sources, installed as pip leaves one."""
    site = tmp_path / "site"
    (site / "shop_sources-1.0.dist-info").mkdir(parents=True)
    (site / "shop_sources-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: shop-sources\n")
    (site / "shop_sources-1.0.dist-info" / "entry_points.txt").write_text(ENTRY_POINTS)
    (site / "shop_sources.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(str(site))


def settings(directory: Path, entry: str) -> Settings:
    file = directory / "confbus.yaml"
    file.write_text(f"namespace: shop\nsources:\n  - {entry}\n")
    return load_settings(file, variables={})


def test_a_class_gets_its_options_and_what_the_entry_says(tmp_path: Path) -> None:
    entry = (
        "{own: shop-fixed, name: mine, priority: 7, options: {values: {a: {b: 1}}}, interpolate: true, delete: [c.d]}"
    )

    [layer] = Layers(build_sources(settings(tmp_path, entry))).load()

    assert (layer.tree, layer.source, layer.priority) == ({"a": {"b": 1}}, "mine", 7)
    assert (layer.kind, layer.interpolates, list(layer.deletes)) == ("own", True, [("c", "d")])


def test_a_function_gets_its_options(tmp_path: Path) -> None:
    [layer] = Layers(build_sources(settings(tmp_path, "{own: shop-asked, options: {region: eu}}"))).load()

    assert (layer.tree, layer.source) == ({"asked": {"region": "eu"}}, "shop-asked")


@pytest.mark.parametrize(
    ("entry", "reason", "advice"),
    [
        ("{own: shop-fixd}", "no package here has a source 'shop-fixd'", "Did you mean shop-fixed?"),
        ("{own: shop-fixed, delete: [a..b]}", "'a..b' is not a path: a key is missing", "Write a.b"),
        ("{own: shop-fixed, delete: ['hosts[0]']}", "not an item of a list", "Write a.b"),
        ("{own: shop-fixed, timeout: soon}", "timeout must be a duration", "Mend it."),
        ("{own: shop-fixed, option: {}}", "the key 'option' is not known", "Did you mean options?"),
    ],
)
def test_what_cannot_be_right_is_told_with_its_line(tmp_path: Path, entry: str, reason: str, advice: str) -> None:
    with pytest.raises(InvalidSettings) as caught:
        settings(tmp_path, entry)

    assert "confbus.yaml:3:" in str(caught.value)
    assert reason in str(caught.value)
    assert advice in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ("{own: shop-nothing}", "neither a ConfigSource nor a function"),
        ("{own: shop-gone}", "cannot be made: AttributeError"),
        ("{own: shop-fixed, options: {sizes: 1}}", "cannot be made: TypeError"),
    ],
)
def test_what_cannot_be_made_is_told_with_its_line(tmp_path: Path, entry: str, reason: str) -> None:
    given: Any = settings(tmp_path, entry)

    with pytest.raises(InvalidSettings) as caught:
        build_sources(given)

    assert "confbus.yaml:3:" in str(caught.value)
    assert reason in str(caught.value)
