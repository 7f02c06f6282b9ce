"""confbus as a provider of OpenFeature, in the scenarios that the specification has for the evaluation of flags, their
errors, reasons and events. Its scenarios of targeting by rule are not among them: there are no rules here."""

from __future__ import annotations

import queue
from typing import TYPE_CHECKING, Any

import pytest
from openfeature import api
from openfeature.evaluation_context import EvaluationContext
from openfeature.event import EventDetails, ProviderEvent
from openfeature.flag_evaluation import Reason

import confbus
from confbus.contrib.openfeature import ConfbusProvider
from confbus.flags import Flags
from support.releases import Releases

if TYPE_CHECKING:
    from collections.abc import Generator

    from openfeature.client import OpenFeatureClient

PICTURES = {"showImages": True, "title": "Check out these pics!", "imagesPerPage": 100}
FLAGS: dict[str, Any] = {
    "boolean-flag": True,
    "string-flag": "hi",
    "integer-flag": 10,
    "float-flag": 0.5,
    "object-flag": PICTURES,
    "boolean-zero-flag": False,
    "string-zero-flag": "",
    "integer-zero-flag": 0,
    "float-zero-flag": 0.0,
    "whole-float-flag": 10.0,
    "large-integer-flag": 2**31 - 1,
    "huge-integer-flag": 2**53 - 1,
    "wrong-flag": "uh-oh",
    "null-flag": None,
    "changing-flag": "before",
    "disabled-flag": {"enabled": False},
    "whole-flag": {"enabled": True},
    "part-flag": {"enabled": True, "rollout_percentage": 50},
    "broken-flag": {"enabled": "yes"},
    "group": {"inner-flag": True},
}
DEFAULTS = {"boolean": False, "string": "fallback", "integer": 1, "float": 0.1, "object": {"a": 1}}


@pytest.fixture
def releases(redis_url: str, namespace: str) -> Generator[Releases]:
    with Releases(redis_url, namespace) as there:
        there.publish(features=FLAGS, web={"port": 80})
        yield there


@pytest.fixture
def config(releases: Releases) -> Generator[confbus.Subscriber]:
    with confbus.connect(releases.url, namespace=releases.namespace) as subscriber:
        yield subscriber


@pytest.fixture
def client(config: confbus.Subscriber) -> Generator[OpenFeatureClient]:
    """A stable provider, and a client of it."""
    api.set_provider(ConfbusProvider(config))
    try:
        yield api.get_client()
    finally:
        api.shutdown()
        api.clear_providers()


def details(client: OpenFeatureClient, kind: str, key: str, default: Any, user: str = "") -> Any:
    context = EvaluationContext(user) if user else None
    return getattr(client, f"get_{kind}_details")(key, default, context)


@pytest.mark.parametrize(
    ("kind", "key", "default", "value"),
    [
        ("boolean", "boolean-flag", False, True),
        ("string", "string-flag", "bye", "hi"),
        ("integer", "integer-flag", 1, 10),
        ("float", "float-flag", 0.1, 0.5),
        ("object", "object-flag", {}, PICTURES),
        ("boolean", "boolean-zero-flag", True, False),
        ("string", "string-zero-flag", "hi", ""),
        ("integer", "integer-zero-flag", 1, 0),
        ("float", "float-zero-flag", 0.1, 0.0),
        ("integer", "large-integer-flag", 1, 2**31 - 1),
        ("integer", "huge-integer-flag", 1, 2**53 - 1),
        ("integer", "whole-float-flag", 1, 10),
        ("float", "integer-flag", 0.1, 10.0),
        ("boolean", "whole-flag", False, True),
        ("boolean", "group.inner-flag", False, True),
    ],
)
@pytest.mark.parametrize("user", ["", "f20bd32d-703b-48b6-bc8e-79d53c85134a"])
def test_a_value_is_resolved_with_its_reason_and_a_context_disturbs_nothing(
    client: OpenFeatureClient, kind: str, key: str, default: Any, value: Any, user: str
) -> None:
    found = details(client, kind, key, default, user)

    assert found.value == value
    assert type(found.value) is type(value) or kind == "object"
    assert (found.flag_key, found.reason) == (key, Reason.STATIC)
    assert (found.error_code, found.error_message) == (None, None)


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        *[(kind, "string-flag") for kind in ("boolean", "integer", "float", "object")],
        *[(kind, "boolean-flag") for kind in ("string", "integer", "float", "object")],
        *[(kind, key) for kind in ("boolean", "string") for key in ("integer-flag", "float-flag")],
        *[(kind, "object-flag") for kind in ("boolean", "string", "integer", "float")],
        ("boolean", "wrong-flag"),
        ("integer", "float-flag"),
        ("boolean", "group"),
    ],
)
def test_another_type_than_asked_for_gives_the_default_and_is_told(
    client: OpenFeatureClient, kind: str, key: str
) -> None:
    found = details(client, kind, key, DEFAULTS[kind])

    assert found.value == DEFAULTS[kind]
    assert (found.reason, found.error_code) == (Reason.ERROR, "TYPE_MISMATCH")
    assert "hi" not in found.error_message.split()


@pytest.mark.parametrize("kind", DEFAULTS)
@pytest.mark.parametrize("key", ["missing-flag", "null-flag", "no path at [all"])
def test_a_flag_that_is_not_there_gives_the_default_and_is_told(client: OpenFeatureClient, kind: str, key: str) -> None:
    found = details(client, kind, key, DEFAULTS[kind])

    assert found.value == DEFAULTS[kind]
    assert (found.reason, found.error_code) == (Reason.ERROR, "FLAG_NOT_FOUND")


def test_a_rollout_goes_by_the_targeting_key_as_that_of_flags_does(
    client: OpenFeatureClient, config: confbus.Subscriber
) -> None:
    flags = Flags(config)
    users = [f"user-{number}" for number in range(40)]

    found = {user: details(client, "boolean", "part-flag", False, user) for user in users}
    nobody = details(client, "boolean", "part-flag", True)

    assert {user: each.value for user, each in found.items()} == {
        user: flags.is_enabled("part-flag", user) for user in users
    }
    assert {(each.reason, each.variant) for each in found.values()} == {(Reason.SPLIT, "on"), (Reason.SPLIT, "off")}
    assert (nobody.value, nobody.reason) == (False, Reason.DEFAULT)


def test_a_flag_that_is_disabled_or_broken_says_so(client: OpenFeatureClient) -> None:
    disabled = details(client, "boolean", "disabled-flag", False)
    broken = details(client, "boolean", "broken-flag", True)

    assert (disabled.value, disabled.reason, disabled.error_code) == (False, Reason.DISABLED, None)
    assert (broken.value, broken.reason, broken.error_code) == (True, Reason.ERROR, "PARSE_ERROR")


def test_a_change_is_signalled_and_applied(client: OpenFeatureClient, releases: Releases) -> None:
    told: queue.Queue[EventDetails] = queue.Queue()
    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, told.put)
    before = client.get_string_value("changing-flag", "unset")

    releases.publish(features={**FLAGS, "changing-flag": "after", "object-flag": {**PICTURES, "title": "New"}}, web={})
    event = told.get(timeout=20)

    assert before == "before"
    assert event.flags_changed == ["changing-flag", "object-flag", "object-flag.title"]
    assert client.get_string_value("changing-flag", "unset") == "after"


def test_what_changes_elsewhere_or_after_the_provider_is_gone_is_no_event(
    client: OpenFeatureClient, releases: Releases, config: confbus.Subscriber
) -> None:
    told: queue.Queue[EventDetails] = queue.Queue()
    client.add_handler(ProviderEvent.PROVIDER_CONFIGURATION_CHANGED, told.put)

    releases.publish(features=FLAGS, web={"port": 81})
    releases.publish(features={**FLAGS, "string-flag": "ho"}, web={"port": 81})
    first = told.get(timeout=20)
    api.shutdown()
    config.wait_for(version=releases.publish(features=FLAGS, web={"port": 81}))

    assert first.flags_changed == ["string-flag"]
    assert told.empty()


def test_a_provider_without_a_release_is_not_ready(redis_url: str, namespace: str) -> None:
    fresh = confbus.Subscriber(redis_url, namespace=namespace)

    found = ConfbusProvider(fresh).resolve_boolean_details("boolean-flag", default_value=True)

    assert (found.value, found.error_code, found.reason) == (True, "PROVIDER_NOT_READY", Reason.ERROR)
