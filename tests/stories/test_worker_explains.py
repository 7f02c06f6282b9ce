"""A worker tells where the values that it reads come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.client import keys_of, make_client
from confbus.dial import dialled
from confbus.errors import Unreachable
from confbus.explanation import explain
from confbus.wire.keys import Keys

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus import Subscriber
    from support.shop import Shop


@pytest.fixture
def worker(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Iterator[Subscriber]:
    monkeypatch.setenv("SHOP_DB__HOST", "b")
    (shop.directory / "confbus.yaml").write_text(
        f"namespace: {shop.namespace}\nredis: {shop.url}\nsources:\n"
        "  - file: config/app.yaml\n  - {env: SHOP_, priority: 2}\n"
    )
    assert shop.confbus("publish", "-m", "begin").code == 0
    assert shop.url
    with confbus.connect(shop.url, namespace=shop.namespace) as config:
        yield config


def test_a_value_is_explained_by_the_release_that_this_worker_reads(worker: Subscriber) -> None:
    explained = worker.explain("db.host")

    assert (explained.path, explained.value, explained.version, explained.message) == ("db.host", "b", 1, "begin")
    assert [(layer.effect, layer.place) for layer in explained.layers] == [
        ("wins", "$SHOP_DB__HOST"),
        ("loses", "config/app.yaml:2:6"),
    ]
    assert explained.published_at == worker.snapshot.published_at
    assert str(explained).splitlines()[1:] == [
        "  wins $SHOP_DB__HOST (env, priority 2)",
        "  loses config/app.yaml:2:6 (file, priority 0)",
    ]


def test_a_value_is_in_no_text_about_it(worker: Subscriber) -> None:
    explained = worker.explain("db.port")

    assert explained.value == 5432
    assert "5432" not in repr(explained) + str(explained)


def test_a_path_that_is_not_there_is_an_error(worker: Subscriber) -> None:
    with pytest.raises(KeyError, match=r"Did you mean 'db\.port'"):
        worker.explain("db.prot")


@pytest.mark.parametrize("loss", ["origins", "release", "another release"])
def test_what_is_not_kept_any_more_is_left_out(shop: Shop, worker: Subscriber, loss: str) -> None:
    assert shop.url
    client: Any = make_client(shop.url)
    keys = keys_of(client, shop.namespace)
    if loss == "origins":
        client.delete(keys.blobs)
    client.delete(keys.release(1)) if loss == "release" else None
    if loss == "another release":
        client.hset(
            keys.release(1), mapping={"digest": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}
        )
        client.hdel(keys.release(1), *[name for name in client.hkeys(keys.release(1)) if name.startswith(b"section:")])
    client.close()

    explained = worker.explain("db.port")

    assert (explained.value, explained.version, explained.layers) == (5432, 1, ())


def test_without_redis_it_says_so(worker: Subscriber) -> None:
    away = "redis://:hunter2@127.0.0.1:1"

    with pytest.raises(Unreachable) as caught:
        explain(dialled(away, Keys("shop")), Keys("shop"), worker.snapshot, "db.port")

    assert "redis://:***@127.0.0.1:1" in str(caught.value)
