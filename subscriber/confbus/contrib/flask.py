"""confbus in Flask: an extension that connects at the first read, and one version for each request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from flask import current_app, g
from werkzeug.local import LocalProxy

from confbus.contrib.lazy import Lazy
from confbus.errors import InvalidSettings, NotStarted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from flask import Flask

    from confbus.subscriber import Subscriber

_NAME = "confbus"


class ConfBus:
    """`ConfBus(app)`, or `init_app(app)` later; `app.config["CONFBUS"]` says url, namespace and options of `connect`.

    Everything that a request reads of `current_config` is of the release that it began with. What a response reads
    while it is streamed is not: hold `current_config.snapshot` there. A command that reads nothing connects nothing.
    """

    def __init__(self, app: Flask | None = None) -> None:
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Give `app` a subscriber of its own, connected at its first read or request."""
        config = app.extensions[_NAME] = Lazy(lambda: _terms(app))

        def pin() -> None:
            g.confbus_pin = config.pin()
            g.confbus_pin.__enter__()

        def unpin(_error: BaseException | None) -> None:
            pinned = g.pop("confbus_pin", None)
            if pinned is not None:
                pinned.__exit__(None, None, None)

        app.before_request(pin)
        app.teardown_request(unpin)


def _terms(app: Flask) -> Mapping[str, Any]:
    settings = cast("Mapping[str, Any]", app.config)
    terms: Mapping[str, Any] | None = settings.get("CONFBUS")
    if not terms or not terms.get("url") or not terms.get("namespace"):
        advice = 'e.g. {"url": "redis://localhost:6379", "namespace": "checkout"}'
        raise InvalidSettings('app.config["CONFBUS"]', "it must say url and namespace", advice=advice)
    return terms


def _current() -> Subscriber:
    config: Subscriber | None = current_app.extensions.get(_NAME)
    if config is None:
        raise NotStarted("This application has no configuration", advice="Call confbus.contrib.flask.ConfBus(app).")
    return config


current_config = cast("Subscriber", LocalProxy(_current))
"""The configuration of the application at hand, as a subscriber."""
