"""Origins as people read them."""

from __future__ import annotations

import pytest

from confbus_publisher.layer import Layer
from confbus_publisher.origin import Origin


@pytest.mark.parametrize(
    ("origin", "text"),
    [
        (Origin(file="config/app.yaml", line=14, column=3), "config/app.yaml:14:3"),
        (Origin(file="config/app.yaml"), "config/app.yaml"),
        (Origin(variable="APP_DATABASE_HOST", source="env:APP_"), "$APP_DATABASE_HOST"),
        (Origin(variable="APP_PW_FILE", file="/run/secrets/pw"), "$APP_PW_FILE (/run/secrets/pw)"),
        (Origin(url="https://config.example.com/app.json"), "https://config.example.com/app.json"),
        (
            Origin(url="https://config.example.com/app.json", line=2, column=5),
            "https://config.example.com/app.json:2:5",
        ),
        (Origin(source="dict"), "dict"),
    ],
)
def test_an_origin_reads_as_the_place_to_open(origin: Origin, text: str) -> None:
    shown = str(origin)

    assert shown == text


def test_a_layer_shows_no_value() -> None:
    layer = Layer("dict", 3, {"password": "hunter2"}, {})

    shown = repr(layer)

    assert shown == "Layer('dict', priority=3, keys=1)"
