"""What a publisher seals of its merge."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from confbus.errors import InvalidDocument, InvalidSettings
from confbus.wire import origins
from confbus.wire.sealed import is_sealed
from confbus.wire.sections import join
from confbus_publisher.explain import of_merge
from confbus_publisher.inputs import Inputs
from confbus_publisher.overrides.override import Override
from confbus_publisher.sources import DictSource
from confbus_publisher.sources.overrides import OverridesSource
from support.seals import ring, seals

if TYPE_CHECKING:
    from pathlib import Path

    from confbus_publisher.sealing.seals import Seals

DOCUMENT = {"database": {"host": "db-1", "password": "hunter2"}, "web": {"port": 80}, "debug": False}


def inputs(tree: dict[str, Any], seals: Seals | None) -> Inputs:
    return Inputs([DictSource(tree)], limit_bytes=1_000_000, seals=seals)


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    return tmp_path / "keys"


def test_a_sealed_section_is_an_envelope_and_the_rest_is_as_it_was(keys: Path) -> None:
    sealing = seals(keys, "database")

    merge = inputs(DOCUMENT, sealing).load()

    assert is_sealed(merge.encoded.blobs["database"])
    assert b"hunter2" not in b"".join(merge.encoded.by_digest.values())
    plain = inputs(DOCUMENT, None).load()
    assert merge.encoded.blobs["web"] == plain.encoded.blobs["web"]
    assert join(merge.encoded.by_digest, merge.manifest, sealing.open).document == DOCUMENT
    assert join(merge.encoded.by_digest, merge.manifest).document == {"web": {"port": 80}, "debug": False}


def test_two_publishers_with_one_keyring_make_the_same_bytes(keys: Path) -> None:
    first = inputs(DOCUMENT, seals(keys, "database")).load()
    again = inputs(DOCUMENT, seals(keys, "database")).load()

    assert first.encoded.blobs == again.encoded.blobs


def test_a_large_sealed_section_is_one_section_so_that_the_names_in_it_stay_inside(keys: Path) -> None:
    large = {f"service-{number}": {"token": "x" * 5000} for number in range(30)}

    merge = inputs({"services": large}, seals(keys, "services")).load()

    assert list(merge.manifest) == ["services"]


def test_where_it_was_written_tells_no_name_in_a_sealed_section(keys: Path) -> None:
    document = {"database": {"customer-a": {"token": "x"}, "list": [1]}, "web": {"port": 80}}

    merge = inputs(document, seals(keys, "database")).load()

    (layer,) = [origins.decode(blob) for blob in merge.origins.values()]
    assert sorted(layer.places) == ["/database", "/web/port"]
    for path in (("database",), ("database", "customer-a", "token"), ("database", "list", 0), ("web", "port")):
        assert [(given.effect, given.source) for given in origins.trace([layer], path)] == [("wins", layer.source)]


def test_a_key_with_dots_is_sealed(keys: Path) -> None:
    merge = inputs({"a.b": {"c": "hunter2"}}, seals(keys, "a.b")).load()

    assert [is_sealed(blob) for blob in merge.encoded.blobs.values()] == [True]


def test_the_merge_is_the_very_same_object_until_the_keyring_changes(keys: Path) -> None:
    sealing = seals(keys, "database")
    made = inputs(DOCUMENT, sealing)
    merge = made.load()
    assert made.load() is merge

    assert sealing.file is not None
    sealing.file.write(ring("k2", "k1"))
    after = made.load()

    assert after.manifest != merge.manifest
    assert after.has_digest(merge.manifest.digest)
    assert not merge.has_digest(after.manifest.digest), "a key that is not in the ring yet"


@pytest.mark.parametrize("value", ["postgres://a:hunter2@b", 5, None, ["hunter2"]])
def test_what_is_no_mapping_is_not_sealed_and_not_published_either(keys: Path, value: Any) -> None:
    with pytest.raises(InvalidDocument, match="database: it is to be sealed, and only a mapping") as refused:
        inputs({"database": value}, seals(keys, "database")).load()

    assert "hunter2" not in str(refused.value)


def test_without_a_keyring_nothing_goes_out_and_the_message_names_the_command(keys: Path) -> None:
    without = inputs(DOCUMENT, seals(keys, "database", ring_of=()))

    with pytest.raises(InvalidSettings, match=r"keys: it is not there\. `confbus keys generate`"):
        without.load()


def test_a_keyring_without_an_active_key_seals_nothing(keys: Path) -> None:
    sealing = seals(keys, "database")
    keys.write_text(ring("k1").text().replace('"active"', '"retired"'))

    with pytest.raises(InvalidSettings, match=r"no key in it is active\. `confbus keys generate`"):
        inputs(DOCUMENT, sealing).load()


def test_the_directory_of_the_keyring_is_watched(keys: Path) -> None:
    assert keys.parent in inputs(DOCUMENT, seals(keys, "database")).watched


def test_a_name_that_is_not_there_is_a_warning_with_the_nearest(keys: Path) -> None:
    made = inputs(DOCUMENT, seals(keys, "databse"))

    problems = made.judge(made.load(), lambda: None)

    assert [str(problem) for problem in problems if problem.rule == "seal"] == [
        "databse: it is to be sealed, and is not there. Did you mean database? That goes out in plain text."
    ]


def test_an_override_changes_nothing_that_is_sealed_since_whoever_writes_to_redis_may_have_put_it_there(
    keys: Path,
) -> None:
    values = {("database", "host"): "evil", ("web", "port"): 8080}
    texts = [Override(path=path, value=value, at_ms=1) for path, value in values.items()]
    overrides = OverridesSource({each.name: each.text() for each in texts}, at_ms=2)
    made = inputs(DOCUMENT, seals(keys, "database"))

    merge = made.load(overrides)

    assert merge.tree == {**DOCUMENT, "web": {"port": 8080}}
    assert made.load(overrides) is merge
    assert merge.merged.winner(("database", "host")).kind != "override"
    assert [each.parts[0].given.kind for each in of_merge(made, merge, ("database", "host"))] != ["override"]
    assert inputs(DOCUMENT, None).load(overrides).tree["database"]["host"] == "evil"
