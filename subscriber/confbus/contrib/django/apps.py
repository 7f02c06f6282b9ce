"""What Django asks of an application: its name, and the check of its settings."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error
from django.core.signals import setting_changed

from confbus.contrib.django.lazy import config
from confbus.errors import InvalidNamespace
from confbus.wire.frozen import is_mapping
from confbus.wire.keys import Keys

HINT = 'CONFBUS = {"url": "redis://localhost:6379", "namespace": "checkout"}; options of confbus.connect may follow.'


class ConfbusConfig(AppConfig):  # type: ignore[misc]  # Django has no types
    """Connects nothing: `ready` runs in every management command."""

    name = "confbus.contrib.django"
    label = "confbus"

    def ready(self) -> None:
        checks.register(check_settings)
        setting_changed.connect(_begin_anew)


def check_settings(**_scope: Any) -> list[CheckMessage]:
    """What `manage.py check` says about `settings.CONFBUS`."""
    terms: Any = getattr(settings, "CONFBUS", None)
    if terms is None:
        return [Error("settings.CONFBUS is missing.", hint=HINT, id="confbus.E001")]
    if not is_mapping(terms):
        return [Error("settings.CONFBUS is no dictionary.", hint=HINT, id="confbus.E002")]
    missing = [name for name in ("url", "namespace") if not terms.get(name)]
    if missing:
        return [Error(f"settings.CONFBUS has no {name!r}.", hint=HINT, id="confbus.E003") for name in missing]
    try:
        Keys(str(terms["namespace"]))
    except InvalidNamespace as error:
        return [Error(f"settings.CONFBUS: {error.message}", hint=error.advice, id="confbus.E004")]
    return []


def _begin_anew(*, setting: str, **_facts: Any) -> None:
    if setting == "CONFBUS":
        config.close()
