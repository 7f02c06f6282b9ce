"""Where the values of a merge were written, as it goes out with a release."""

from __future__ import annotations

from confbus.wire import origins
from confbus.wire.frozen import freeze
from confbus_publisher.formats.yaml import load_yaml
from confbus_publisher.layer import Layer
from confbus_publisher.merge import merge
from confbus_publisher.origin import Origin
from confbus_publisher.provenance import Provenance, origins_of


def of_file(text: str, *, file: str = "app.yaml") -> Layer:
    return Layer(file, 0, *load_yaml(text, origin_name=file), "file")


def of_url(url: str) -> Layer:
    at = Origin(source="web", url=url, line=3, column=5)
    return Layer("web", 1, freeze({"a": 1}), {(): at, ("a",): at}, "http")


def test_every_leaf_has_the_place_that_its_origin_tells() -> None:
    layers = [of_file("a: 1\nb: {c: [1], d: {}}\n"), of_url("https://host/app.json")]

    told = [origins.decode(blob) for blob in Provenance().blobs(merge(layers)).values()]

    assert [{at: each.place(at) for at in each.places} for each in told] == [
        {"/a": "app.yaml:1:1", "/b/c": "app.yaml:2:5", "/b/d": "app.yaml:2:13"},
        {"/a": "https://host/app.json:3:5"},
    ]
    assert told == origins_of(merge(layers))


def test_a_layer_that_stayed_is_not_encoded_again() -> None:
    provenance = Provenance()
    base, before, after = of_file("a: 1\n", file="base"), of_file("b: 1\n"), of_file("\nb: 1\n")

    first = provenance.blobs(merge([base, before]))
    second = provenance.blobs(merge([base, after]))

    assert next(iter(first.values())) is next(iter(second.values()))
    assert list(first)[1] != list(second)[1]


def test_a_layer_that_says_nothing_has_no_blob() -> None:
    assert list(Provenance().blobs(merge([of_file(""), of_file("a: 1\n", file="other")]))) != []
    assert Provenance().blobs(merge([of_file("")])) == {}
