"""confbus in Flask: when it connects, what a request reads, and until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from flask import Flask, stream_with_context

from confbus.contrib.flask import ConfBus, current_config
from confbus.errors import InvalidSettings, NotStarted
from support.releases import Releases

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

    from flask import Response

NOBODY = "redis://127.0.0.1:1"


@pytest.fixture
def app(releases: Releases) -> Generator[Flask]:
    """An application in the middle of whose requests a release arrives."""
    app = Flask("shop")
    app.config["CONFBUS"] = {"url": releases.url, "namespace": releases.namespace}
    ConfBus(app)

    def pass_by() -> None:
        version = releases.publish(web={"number": current_config["web.number"] + 1})
        current_config.wait_for(version=version)

    @app.get("/whole")
    def whole() -> list[int]:
        before: int = current_config["web.number"]
        pass_by()
        return [before, current_config["web.number"], current_config.get("web.number"), current_config.snapshot.version]

    @app.get("/stream")
    def stream() -> Response:
        held = current_config.snapshot

        def numbers() -> Iterator[str]:
            pass_by()
            yield f"{held['web.number']} {current_config['web.number']}"

        return app.response_class(stream_with_context(numbers()))

    yield app
    app.extensions["confbus"].close()


def test_a_request_reads_one_version_while_a_release_passes(app: Flask) -> None:
    client = app.test_client()

    assert client.get("/whole").json == [1, 1, 1, 1]
    assert client.get("/whole").json == [2, 2, 2, 2]
    assert client.get("/nowhere").status_code == 404
    with app.app_context():
        assert current_config["web.number"] == 3


def test_a_response_that_is_streamed_reads_what_it_holds_or_the_newest(app: Flask) -> None:
    client = app.test_client()

    assert client.get("/stream").text == "1 2"
    assert client.get("/stream").text == "2 3"


def test_two_applications_read_what_each_is_told_to(app: Flask, redis_url: str, namespace: str) -> None:
    other = Flask("other")
    extension = ConfBus()
    extension.init_app(other)
    other.config["CONFBUS"] = {"url": redis_url, "namespace": f"{namespace}-other"}
    with Releases(redis_url, f"{namespace}-other") as elsewhere:
        elsewhere.publish(web={"number": 70})

        with other.app_context():
            there = current_config["web.number"]
            current_config.close()
        with app.app_context():
            here = current_config["web.number"]

    assert (here, there) == (1, 70)


def test_a_command_that_reads_nothing_connects_nothing() -> None:
    app = Flask("shop")
    app.config["CONFBUS"] = {"url": NOBODY, "namespace": "shop"}
    ConfBus(app)

    @app.cli.command("tidy")
    def tidy() -> None:
        """Reads nothing."""

    run = app.test_cli_runner().invoke(args=["tidy"])

    assert run.exit_code == 0
    assert repr(app.extensions["confbus"]) == "Lazy(not connected)"


def test_an_application_that_was_told_nothing_says_what_is_missing() -> None:
    app = Flask("shop")

    with app.app_context(), pytest.raises(NotStarted, match=r"ConfBus\(app\)"):
        _ = current_config["web.number"]
    ConfBus(app)
    with app.app_context(), pytest.raises(InvalidSettings, match="url and namespace"):
        _ = current_config["web.number"]
