"""confbus in Django: `config` reads what `settings.CONFBUS` names, and connects when it is first read.

So a management command that reads no configuration needs no Redis, and nothing happens twice under runserver. Django's
own settings stay what they were when the process began: read from `config` what should follow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from confbus.contrib.django.lazy import LazyConfig, config

if TYPE_CHECKING:
    from confbus.contrib.django.overriding import override_config

__all__ = ["LazyConfig", "config", "override_config"]


def __getattr__(name: str) -> Any:
    """`override_config` brings Django's test tools along, which a server does not need."""
    if name != "override_config":
        raise AttributeError(f"module 'confbus.contrib.django' has no attribute {name!r}")
    from confbus.contrib.django.overriding import override_config

    return override_config
