"""Feature flags: who is in, who stays in, and what a flag that nobody understands does."""

from __future__ import annotations

import itertools
import logging
import subprocess
import sys
from typing import Any

import pytest

from confbus.errors import ChecksFailed
from confbus.flags import BUCKETS, Flags, bucket, validate
from confbus.wire.frozen import Frozen, freeze
from confbus.wire.snapshot import Snapshot

USERS = [f"user-{number}" for number in range(5000)]


def snapshot(features: Any) -> Snapshot:
    document = freeze({"features": features})
    assert isinstance(document, Frozen)
    return Snapshot(document, version=1, revision=1, epoch="e", digest="d", at_ms=0)


def flags(**features: Any) -> Flags:
    return Flags(snapshot(features))


def share(percentage: float, name: str = "new_ui") -> set[str]:
    """The users whom a flag at a percentage is on for."""
    partly = flags(**{name: {"enabled": True, "rollout_percentage": percentage}})
    return {user for user in USERS if partly.is_enabled(name, user)}


@pytest.mark.parametrize(
    ("flag", "for_nobody", "for_ann"),
    [
        (True, True, True),
        (False, False, False),
        (None, False, False),
        ({}, False, False),
        ({"enabled": True}, True, True),
        ({"enabled": False, "rollout_percentage": 100}, False, False),
        ({"rollout_percentage": 100}, False, False),
        ({"enabled": True, "rollout_percentage": 100}, True, True),
        ({"enabled": True, "rollout_percentage": 0}, False, False),
        ({"enabled": True, "rollout_percentage": 99.99}, False, True),
    ],
)
def test_a_flag_answers_as_it_is_written(flag: Any, for_nobody: bool, for_ann: bool) -> None:
    here = flags(new_ui=flag)

    assert here.is_enabled("new_ui") is here.is_enabled("new_ui", "") is for_nobody
    assert here.is_enabled("new_ui", "ann", default=True) is for_ann


def test_a_flag_that_is_not_there_answers_the_default() -> None:
    here = flags(search={"fuzzy": {"enabled": True}})

    assert here.is_enabled("search.fuzzy")
    assert not here.is_enabled("search.exact")
    assert here.is_enabled("search.exact", default=True)


# These vectors are a promise: whoever changes the hash puts users out of what they have.
@pytest.mark.parametrize(
    ("name", "user", "stands_at"),
    [
        ("new_ui", "ann", 4307),
        ("new_ui", "bob", 4766),
        ("new_ui", "", 2074),
        ("search.fuzzy", "ann", 9174),
        ("new_ui", 42, 3492),
        ("new_ui", "Zoë ☃", 1011),
    ],
)
def test_a_bucket_is_the_same_for_ever(name: str, user: str | int, stands_at: int) -> None:
    assert bucket(name, user) == stands_at


def test_a_bucket_does_not_depend_on_the_process() -> None:
    program = "from confbus.flags import bucket; print([bucket('new_ui', f'user-{n}') for n in range(50)])"
    expected = f"{[bucket('new_ui', f'user-{number}') for number in range(50)]}\n"

    said = [
        subprocess.check_output([sys.executable, "-c", program], text=True, env={"PYTHONHASHSEED": seed})
        for seed in ("1", "2")
    ]

    assert said == [expected] * 2


def test_users_are_spread_evenly_over_the_buckets() -> None:
    parts = 20
    counts = [0] * parts
    for number in range(20_000):
        counts[bucket("new_ui", number) * parts // BUCKETS] += 1

    chi_squared = sum((count - 1000) ** 2 / 1000 for count in counts)

    assert chi_squared < 43.8  # of 19 degrees of freedom: one honest hash in a thousand is worse


def test_raising_a_percentage_takes_nobody_out() -> None:
    steps = [share(percentage) for percentage in (0, 0.5, 1, 10, 33, 50, 99.5, 100)]

    assert all(before < after for before, after in itertools.pairwise(steps))
    assert steps[0] == set()
    assert steps[-1] == set(USERS)


def test_another_flag_chooses_other_users() -> None:
    here, there = share(50, "new_ui"), share(50, "old_ui")

    assert 0.2 < len(here & there) / len(USERS) < 0.3


@pytest.mark.parametrize(
    "flag",
    [
        "yes",
        1,
        [True],
        {"enabled": "yes"},
        {"enabled": 1},
        {"enabled": True, "rollout_percentage": 150},
        {"enabled": True, "rollout_percentage": -1},
        {"enabled": True, "rollout_percentage": "50"},
        {"enabled": True, "rollout_percentage": True},
        {"enabled": True, "rollout_percentage": None},
    ],
)
def test_a_flag_that_cannot_be_understood_is_refused_and_where_it_got_through_answers_its_default(
    flag: Any, caplog: pytest.LogCaptureFixture
) -> None:
    release = snapshot({"new_ui": flag, "fine": True})
    here = Flags(release)

    with pytest.raises(ChecksFailed, match=r"^Refused: features\.new_ui: ") as refused:
        validate(release)
    with caplog.at_level(logging.WARNING, "confbus"):
        answers = [here.is_enabled("new_ui", "ann", default=default) for default in (True, False, True)]

    assert "yes" not in str(refused.value)
    assert answers == [True, False, True]
    assert len(caplog.records) == 1


def test_the_validator_tells_every_problem_at_once_and_looks_into_groups() -> None:
    release = snapshot({"a": "on", "search": {"fuzzy": {"enabled": 2}, "exact": {"enabled": True}}, "b": True})

    with pytest.raises(ChecksFailed) as refused:
        validate(release)

    assert refused.value.problems == (
        "features.a: it is neither true, false nor a mapping",
        "features.search.fuzzy: enabled is neither true nor false",
    )


def test_the_validator_takes_a_release_without_flags_but_no_text_in_place_of_them() -> None:
    validate(snapshot({}), "experiments")

    with pytest.raises(ChecksFailed, match="no mapping of flags"):
        validate(snapshot("all"))
