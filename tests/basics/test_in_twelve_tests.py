"""The product in twelve tests, from the first publish to a Redis that lost everything.

`shop` is a directory with a confbus.yaml that names one source, config/app.yaml, and a Redis at `shop.url`.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from support.eventually import eventually

if TYPE_CHECKING:
    from confbus import Change, Snapshot, Subscriber
    from support.server import Server
    from support.shop import Shop

FIRST = """\
database: {host: db-1, port: 5432, pool: {min: 2, max: 20}}
features: {gift_cards: true, motto: null}
hosts: [web-1, web-2]
"""
SECOND = FIRST.replace("db-1", "db-2").replace("max: 20", "max: 50")


def publish(shop: Shop, text: str) -> int:
    """Edit the source, and publish what it says now. Returns the exit code."""
    shop.write(text)
    return shop.confbus("publish").code


def connect(shop: Shop) -> Subscriber:
    """What every worker does once."""
    assert shop.url
    return confbus.connect(shop.url, namespace="shop")


def test_what_is_published_is_read_from_memory(shop: Shop) -> None:
    publish(shop, FIRST)

    with connect(shop) as config:
        assert config["database.host"] == "db-1"
        assert config["hosts[1]"] == "web-2"
        assert config["database.pool"] == {"min": 2, "max": 20}
        assert config.snapshot.version == 1


def test_a_default_is_for_what_is_not_there_and_a_null_is_there(shop: Shop) -> None:
    publish(shop, FIRST)

    with connect(shop) as config:
        assert config.get("features.new_cart", False) is False
        assert config.get("features.motto", "none") is None
        with pytest.raises(KeyError, match=r"Did you mean 'database\.host'\?"):
            config["database.hots"]


def test_a_change_is_told_leaf_by_leaf(shop: Shop) -> None:
    publish(shop, FIRST)
    told: list[Change] = []
    is_told = threading.Event()

    def tell(changes: list[Change]) -> None:
        told.extend(changes)
        is_told.set()

    with connect(shop) as config:
        config.subscribe(tell, "database")
        publish(shop, SECOND)
        assert is_told.wait(20)

    assert [(change.path, change.old_value, change.new_value) for change in told] == [
        ("database.host", "db-1", "db-2"),
        ("database.pool.max", 20, 50),
    ]


def test_a_snapshot_stays_what_it_is_while_releases_pass(shop: Shop) -> None:
    publish(shop, FIRST)

    with connect(shop) as config:
        held = config.snapshot
        publish(shop, SECOND)
        newest = config.wait_for(version=2, timeout=20)

        assert (held["database.host"], newest["database.host"], config["database.host"]) == ("db-1", "db-2", "db-2")
        assert newest["hosts"] is held["hosts"]


def test_what_is_read_cannot_be_changed_but_copied(shop: Shop) -> None:
    publish(shop, FIRST)

    with connect(shop) as config:
        with pytest.raises(TypeError, match="thaw"):
            config["hosts"].append("web-3")
        mine = confbus.thaw(config["hosts"])
        mine.append("web-3")

        assert config["hosts"] == ["web-1", "web-2"]


def test_a_plan_shows_what_a_publish_would_change_and_from_which_line(shop: Shop) -> None:
    publish(shop, FIRST)
    shop.write(SECOND)

    plan = shop.confbus("plan")

    assert plan.code == 2  # there is something to publish
    assert "database.host" in plan.out
    assert "config/app.yaml:1" in plan.out


def test_a_broken_source_is_told_with_its_place_and_changes_nothing(shop: Shop) -> None:
    publish(shop, FIRST)
    shop.write("database: {host: db-2, host: db-3}\n")

    answer = shop.confbus("publish")

    assert answer.code == 3
    assert "config/app.yaml:1:" in answer.err
    with connect(shop) as config:
        assert config["database.host"] == "db-1"


def test_a_worker_refuses_what_it_cannot_use_and_runs_on(shop: Shop) -> None:
    def check(snapshot: Snapshot) -> None:
        assert snapshot["database.pool.max"] <= 40, "the pool is too large for this machine"

    publish(shop, FIRST)
    assert shop.url
    with confbus.connect(shop.url, namespace="shop", validators=[check]) as config:
        publish(shop, SECOND)
        eventually(lambda: config.status().state == "vetoing")
        assert "the pool is too large for this machine" in config.status().error
        assert config["database.pool.max"] == 20

        publish(shop, SECOND.replace("50", "40"))
        assert config.wait_for(version=3, timeout=20)["database.pool.max"] == 40


def test_a_rollback_is_a_new_version_with_the_old_content(shop: Shop) -> None:
    publish(shop, FIRST)
    publish(shop, SECOND)
    with connect(shop) as config:
        assert config["database.host"] == "db-2"

        shop.confbus("rollback", "-m", "too many connections")

        assert config.wait_for(version=3, timeout=20)["database.host"] == "db-1"


def test_what_was_rolled_back_is_held_until_it_is_mended_or_somebody_lets_it_out(shop: Shop) -> None:
    publish(shop, FIRST)
    publish(shop, SECOND)
    shop.confbus("rollback")

    assert publish(shop, SECOND + "currency: EUR\n") == 3  # another change does not bring the bad section back
    assert publish(shop, SECOND.replace("max: 50", "max: 30")) == 0
    assert publish(shop, SECOND) == 3
    assert shop.confbus("resume", "database").code == 0
    assert publish(shop, SECOND) == 0


def test_a_redis_that_lost_everything_gets_it_back_and_no_worker_notices(shop: Shop, server: Server) -> None:
    shop.write(FIRST)
    with shop.start("run") as publisher:
        publisher.says("published version 1")
        with connect(shop) as config:
            server.flush()
            restored = config.wait_for(version=2, timeout=20)

            assert restored == config.snapshot
            assert config["database.host"] == "db-1"
            shop.write(SECOND)
            assert config.wait_for(version=3, timeout=20)["database.host"] == "db-2"


def test_redis_cli_shows_what_is_in_force_who_published_it_and_why(shop: Shop, server: Server) -> None:
    shop.write(FIRST)
    shop.confbus("publish", "-m", "the first one")
    redis: Any = server.client(decode_responses=True)

    head = redis.hgetall("confbus:{shop}:head")
    release = redis.hgetall("confbus:{shop}:release:1")
    [(_, entry)] = redis.xrevrange("confbus:{shop}:log", count=5)

    assert (head["version"], head["digest"]) == ("1", release["digest"])
    assert release.keys() >= {"section:database", "section:features", "section:."}
    assert (entry["action"], entry["message"]) == ("publish", "the first one")
