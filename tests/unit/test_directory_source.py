"""A directory as a source: a `conf.d` of people, and the volume of a ConfigMap."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import SourceFailed
from confbus_publisher.layers import Layers
from confbus_publisher.sources import DirectorySource
from support.kubelet import Volume

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from confbus_publisher.layer import Layer


@pytest.fixture
def conf_d(tmp_path: Path) -> Path:
    directory = tmp_path / "conf.d"
    directory.mkdir()
    return directory


def trees(layers: tuple[Layer, ...]) -> list[Any]:
    return [layer.tree for layer in layers]


def names(layers: tuple[Layer, ...]) -> list[str]:
    return [layer.source.rpartition("/")[2] for layer in layers]


def refusal(layers: Layers) -> str:
    with pytest.raises(SourceFailed) as caught:
        layers.load()
    return str(caught.value)


def test_every_file_with_a_known_suffix_is_a_layer_in_the_order_of_names(conf_d: Path) -> None:
    contents = {"20.toml": "a = 2", "10.yaml": "a: 1", "9.json": '{"a": 9}', "app.env": "A=3"}
    left_out = [
        ".hidden.yaml",
        "..x.yaml",
        ".#10.yaml",
        "#10.yaml#",
        "10.yaml~",
        "10.yaml.bak",
        "x.swp",
        "README",
        "x.ini",
    ]
    for name in [*contents, *left_out]:
        (conf_d / name).write_text(contents.get(name, "a: no"))
    (conf_d / "deeper").mkdir()

    layers = Layers([DirectorySource(conf_d, priority=7)]).load()

    assert names(layers) == ["10.yaml", "20.toml", "9.json", "app.env"]
    assert trees(layers) == [{"a": 1}, {"a": 2}, {"a": 9}, {"a": 3}]
    assert {(layer.priority, layer.kind) for layer in layers} == {(7, "directory")}
    assert str(layers[0].origins["a",]) == f"{conf_d}/10.yaml:1:1"


def test_an_edit_costs_only_the_file_that_was_edited(conf_d: Path) -> None:
    for name in ("a", "b", "c"):
        (conf_d / f"{name}.yaml").write_text(f"{name}: 1")
    layers = Layers([DirectorySource(conf_d)])
    before = layers.load()

    (conf_d / "b.yaml").write_text("b: 2")
    after = layers.load()

    assert [one is other for one, other in zip(before, after, strict=True)] == [True, False, True]


def test_files_come_and_go(conf_d: Path) -> None:
    (conf_d / "b.yaml").write_text("b: 1")
    layers = Layers([DirectorySource(conf_d)])
    first = layers.load()

    (conf_d / "a.yaml").write_text("a: 1")
    second = layers.load()
    (conf_d / "b.yaml").unlink()
    third = layers.load()

    assert [names(first), names(second), names(third)] == [["b.yaml"], ["a.yaml", "b.yaml"], ["a.yaml"]]
    assert second[1] is first[0]


@pytest.mark.parametrize("is_there", [True, False])
def test_nothing_at_all_is_refused_unless_it_is_optional(conf_d: Path, *, is_there: bool) -> None:
    if not is_there:
        conf_d.rmdir()

    told = refusal(Layers([DirectorySource(conf_d)]))

    assert told.startswith(f"{conf_d}: no file is there")
    assert Layers([DirectorySource(conf_d, optional=True)]).load() == ()


def lose(directory: Path) -> None:
    for path in directory.iterdir():
        path.unlink()


def remove(directory: Path) -> None:
    lose(directory)
    directory.rmdir()


def replace_by_a_file(directory: Path) -> None:
    remove(directory)
    directory.write_text("")


def replace_by_a_circle(directory: Path) -> None:
    remove(directory)
    directory.symlink_to(directory)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lose, "no file is there"),
        (remove, "no file is there"),
        (replace_by_a_file, "no directory"),
        (replace_by_a_circle, "unreadable"),
    ],
)
def test_a_directory_that_is_spoiled_keeps_its_last_values(
    conf_d: Path, spoil: Callable[[Path], None], reason: str
) -> None:
    (conf_d / "a.yaml").write_text("a: 1")
    layers = Layers([DirectorySource(conf_d)])
    before = layers.load()

    spoil(conf_d)
    meanwhile = layers.load()
    told = str(layers.failures[str(conf_d)])
    if not conf_d.is_dir():
        conf_d.unlink(missing_ok=True)
        conf_d.mkdir()
    (conf_d / "a.yaml").write_text("a: 2")
    after = layers.load()

    assert meanwhile[0] is before[0]
    assert reason in told
    assert trees(after) == [{"a": 2}]
    assert layers.failures == {}


def test_one_broken_file_keeps_its_last_values_and_the_others_move_on(conf_d: Path) -> None:
    for name in ("a", "b"):
        (conf_d / f"{name}.yaml").write_text(f"{name}: 1")
    layers = Layers([DirectorySource(conf_d)])
    layers.load()

    (conf_d / "a.yaml").write_text("a: [")
    (conf_d / "b.yaml").write_text("b: 2")
    meanwhile = layers.load()

    assert trees(meanwhile) == [{"a": 1}, {"b": 2}]
    assert list(layers.failures) == [str(conf_d / "a.yaml")]


def test_a_new_file_that_is_broken_is_refused(conf_d: Path) -> None:
    (conf_d / "a.yaml").write_text("a: 1")
    layers = Layers([DirectorySource(conf_d)])
    layers.load()

    (conf_d / "b.yaml").write_text("b: [")

    assert refusal(layers).startswith(f"{conf_d}/b.yaml:2:1")


def test_a_directory_with_the_name_of_a_file_is_refused(conf_d: Path) -> None:
    (conf_d / "a.yaml").mkdir()

    assert "a.yaml: it is a directory" in refusal(Layers([DirectorySource(conf_d)]))


def test_a_link_leads_out_only_when_that_is_allowed(conf_d: Path) -> None:
    (conf_d.parent / "secret.yaml").write_text("a: 1")
    (conf_d / "a.yaml").symlink_to("../secret.yaml")

    told = refusal(Layers([DirectorySource(conf_d)]))
    layers = Layers([DirectorySource(conf_d, follow_links=True)]).load()

    assert "a.yaml: it is a link that leads out of its directory" in told
    assert "follow_links" in told
    assert trees(layers) == [{"a": 1}]


def test_links_within_the_directory_and_a_link_to_it_are_followed(conf_d: Path) -> None:
    (conf_d / "parts").mkdir()
    (conf_d / "parts" / "x").write_text("a: 1")
    (conf_d / "a.yaml").symlink_to("parts/x")
    (conf_d.parent / "current").symlink_to("conf.d")

    layers = Layers([DirectorySource(conf_d.parent / "current")]).load()

    assert trees(layers) == [{"a": 1}]


def test_more_files_than_anybody_has_are_refused(conf_d: Path) -> None:
    for number in range(1001):
        (conf_d / f"{number}.yaml").touch()

    assert "more than 1,000 files" in refusal(Layers([DirectorySource(conf_d)]))


def test_a_relative_directory_stays_where_it_was(conf_d: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (conf_d / "a.yaml").write_text("a: 1")
    monkeypatch.chdir(conf_d.parent)
    source = DirectorySource("conf.d")

    monkeypatch.chdir("/")
    [layer] = Layers([source]).load()

    assert str(layer.origins["a",]) == "conf.d/a.yaml:1:1"
    assert source.watched == (conf_d,)


def test_the_files_of_a_volume_are_read_from_behind_the_link(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "config")
    volume.write({"app.yaml": "a: 1", "log-level": "debug\n", "database.host": "db-1"})
    source = DirectorySource(volume.directory)

    values, app = Layers([source]).load()

    assert (values.tree, app.tree) == ({"log-level": "debug", "database.host": "db-1"}, {"a": 1})
    assert str(values.origins["log-level",]) == f"{volume.directory}/log-level"
    assert str(app.origins["a",]) == f"{volume.directory}/app.yaml:1:1"
    assert source.watched == (volume.directory, (volume.directory / "..data").resolve())


def test_no_step_of_an_update_shows_a_part_of_it(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "config")
    volume.write({"a.yaml": "a: 1", "b.yaml": "b: 1", "level": "1", "old.yaml": "o: 1"})
    layers = Layers([DirectorySource(volume.directory)])
    before = trees(layers.load())

    seen = [
        (step, trees(layers.load()))
        for step in volume.steps({"a.yaml": "a: 2", "b.yaml": "b: 2", "level": "2", "new.yaml": "n: 2"})
    ]

    after = [{"level": "2"}, {"a": 2}, {"b": 2}, {"n": 2}]
    swap = [step for step, _ in seen].index("the link is swapped")
    assert [tree for _, tree in seen] == [before] * swap + [after] * (len(seen) - swap)
    assert layers.failures == {}


def test_a_volume_that_is_made_anew_keeps_its_values_until_it_is_whole(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "config")
    volume.write({"a.yaml": "a: 1", "b.yaml": "b: 1"})
    layers = Layers([DirectorySource(volume.directory)])
    before = trees(layers.load())

    volume.remove()
    seen = [trees(layers.load())]
    seen += [trees(layers.load()) for _ in volume.steps({"a.yaml": "a: 2", "b.yaml": "b: 2"})]

    after = [{"a": 2}, {"b": 2}]
    assert before == [{"a": 1}, {"b": 1}]
    assert [tree for tree in seen if tree not in (before, after)] == []
    assert seen == sorted(seen, key=lambda tree: tree == after)
    assert trees(layers.load()) == after


class SwappedWhileRead(DirectorySource):
    """A volume that is updated after it was listed, once."""

    def __init__(self, volume: Volume) -> None:
        super().__init__(volume.directory)
        self._volume: Volume | None = volume

    def members(self) -> Any:
        members = super().members()
        if self._volume:
            members[0].load()
            self._volume.write({"a.yaml": "a: 2", "b.yaml": "b: 2"})
            self._volume = None
        return members


def test_a_volume_that_is_swapped_while_it_is_read_is_read_again(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "config")
    volume.write({"a.yaml": "a: 1", "b.yaml": "b: 1"})

    layers = Layers([SwappedWhileRead(volume)])

    assert trees(layers.load()) == [{"a": 2}, {"b": 2}]
    assert layers.failures == {}


def test_a_volume_that_leads_out_of_its_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.yaml").write_text("a: 1")
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "..data").symlink_to(tmp_path / "elsewhere")

    told = refusal(Layers([DirectorySource(tmp_path / "config")]))

    assert "leads out of its directory" in told


def test_a_swap_without_a_change_gives_the_very_same_layers(tmp_path: Path) -> None:
    volume = Volume(tmp_path / "config")
    volume.write({"a.yaml": "a: 1", "level": "1"})
    layers = Layers([DirectorySource(volume.directory)])
    before = layers.load()

    volume.write({"a.yaml": "a: 1", "level": "1"})
    after = layers.load()

    assert [one is other for one, other in zip(before, after, strict=True)] == [True, True]


def test_nothing_in_a_directory_is_waited_for(conf_d: Path) -> None:
    os.mkfifo(conf_d / "a.yaml")

    assert "no regular file" in refusal(Layers([DirectorySource(conf_d)]))
