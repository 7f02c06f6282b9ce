"""Sizes and durations as people write them."""

from __future__ import annotations

import pytest

from confbus_publisher.quantity import parse_bytes, parse_seconds


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("512", 512),
        ("8MiB", 8 * 2**20),
        ("8 MiB", 8 * 2**20),
        ("1.5 KiB", 1536),
        ("2MB", 2_000_000),
        ("1 GiB", 2**30),
        ("7 B", 7),
        ("0", None),
        ("-1", None),
        ("8 MiBs", None),
        ("8 mib", None),
        ("MiB", None),
        ("", None),
        ("9" * 400, None),
    ],
)
def test_a_size_is_in_bytes(text: str, size: int | None) -> None:
    parsed = parse_bytes(text)

    assert parsed == size


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("5s", 5.0),
        ("500ms", 0.5),
        ("0.25", 0.25),
        ("2 m", 120.0),
        ("1h", 3600.0),
        ("2d", 172_800.0),
        ("1w", 604_800.0),
        ("0s", None),
        ("5 days", None),
    ],
)
def test_a_duration_is_in_seconds(text: str, seconds: float | None) -> None:
    parsed = parse_seconds(text)

    assert parsed == seconds
