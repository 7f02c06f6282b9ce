"""Values for the time of a test, in the manner of Django's `override_settings`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.test.utils import TestContextDecorator

from confbus.contrib.django.lazy import config
from confbus.contrib.django.overridden import Overridden

if TYPE_CHECKING:
    from collections.abc import Mapping


class override_config(TestContextDecorator):  # type: ignore[misc]  # noqa: N801 — untyped; as override_settings is called
    """`with override_config({"features.new_cart": True}):`, or as a decorator of a test, sync or async, or of a class
    of tests. Keywords work too, with two underscores for a dot.

    As with Django's settings, the whole process reads the values, whatever its threads, and nested ones add to those
    around them. Nothing is connected for a path that is overridden. Subscriptions are not told.
    """

    def __init__(self, values: Mapping[str, Any] | None = None, **named: Any) -> None:
        super().__init__()
        self._values = {**(values or {}), **{name.replace("__", "."): value for name, value in named.items()}}
        self._around: list[Overridden | None] = []

    def enable(self) -> None:
        around = config.overridden
        self._around.append(around)
        config.overridden = Overridden(self._values, lambda: around or config.subscriber)

    def disable(self) -> None:
        config.overridden = self._around.pop()
