"""Levels of loggers that follow the configuration, and go back when it says nothing more."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

import confbus
from confbus.contrib.logging import follow_levels, validate
from confbus.errors import ChecksFailed
from support.eventually import eventually
from support.releases import Releases

if TYPE_CHECKING:
    from collections.abc import Generator

LEVELS = {"shop": "INFO", "shop.db": "debug", "shop.http": 35}


@pytest.fixture
def releases(redis_url: str, namespace: str) -> Generator[Releases]:
    with Releases(redis_url, namespace) as there:
        there.publish(logging=LEVELS)
        yield there


@pytest.fixture
def config(releases: Releases) -> Generator[confbus.Subscriber]:
    logging.getLogger("shop.db").setLevel(logging.ERROR)
    with confbus.connect(releases.url, namespace=releases.namespace) as subscriber:
        yield subscriber
    for name in ("shop", "shop.db", "shop.http"):
        logging.getLogger(name).setLevel(logging.NOTSET)


def levels() -> tuple[int, ...]:
    return tuple(logging.getLogger(name).level for name in ("shop", "shop.db", "shop.http"))


def test_loggers_take_the_levels_that_are_configured_and_those_that_come(
    releases: Releases, config: confbus.Subscriber
) -> None:
    stop = follow_levels(config)
    first = levels()
    releases.publish(logging={"shop": {"http": "ERROR"}})
    eventually(lambda: levels() == (logging.NOTSET, logging.ERROR, logging.ERROR), describe=levels)
    releases.publish(other={})
    eventually(lambda: levels() == (logging.NOTSET, logging.ERROR, logging.NOTSET), describe=levels)
    stop()

    assert first == (logging.INFO, logging.DEBUG, 35)


def test_all_levels_are_their_own_again_when_it_is_over(releases: Releases, config: confbus.Subscriber) -> None:
    root = logging.getLogger()
    own = root.level
    config.wait_for(version=releases.publish(logging={"root": "CRITICAL", "shop": "DEBUG"}))

    stop = follow_levels(config)
    during = root.level, *levels()[:2]
    stop()
    config.wait_for(version=releases.publish(logging=LEVELS))

    assert during == (logging.CRITICAL, logging.DEBUG, logging.ERROR)
    assert (root.level, *levels()) == (own, logging.NOTSET, logging.ERROR, logging.NOTSET)


def test_what_is_no_level_is_told_and_changes_nothing(
    releases: Releases, config: confbus.Subscriber, caplog: pytest.LogCaptureFixture
) -> None:
    config.wait_for(version=releases.publish(logging={"shop": "LOUD", "shop.db": True, "shop.http": "WARNING"}))

    with caplog.at_level(logging.WARNING, "confbus"):
        stop = follow_levels(config)
        found = levels()
        stop()

    assert found == (logging.NOTSET, logging.ERROR, logging.WARNING)
    assert sorted(record.getMessage().split()[4] for record in caplog.records) == ["'shop'", "'shop.db'"]


@pytest.mark.parametrize(
    ("section", "problem"),
    [({"shop": {"db": "LOUD"}}, r"the level of 'shop\.db'"), ("DEBUG", "no mapping"), ({"shop": -1}, "'shop'")],
)
def test_a_validator_refuses_what_is_no_level(
    releases: Releases, config: confbus.Subscriber, section: Any, problem: str
) -> None:
    candidate = config.wait_for(version=releases.publish(logging=section))

    with pytest.raises(ChecksFailed, match=problem):
        validate(candidate)
    validate(candidate, "elsewhere")
