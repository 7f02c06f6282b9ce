"""confbus as a source of pydantic-settings, for programs that read their settings once, when they start.

Settings do not follow: the object stays what it was made of. For values that change while the program runs, read the
subscriber.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic_settings import InitSettingsSource

from confbus.wire.frozen import thaw

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_settings import BaseSettings

    from confbus.subscriber import Subscriber
    from confbus.wire.snapshot import Snapshot


class ConfbusSettingsSource(InitSettingsSource):
    """The values of one release for `settings_customise_sources`. What comes before it in that tuple wins over it.

    `config` is a subscriber or a snapshot; or a URL, with the `options` of `confbus.connect`, which is read once and
    closed again. The settings are the mapping at `section`, or the whole document; where there is none, this source
    has nothing to say. Keys that no field is named after are left out, unless the model allows extras: a release that
    says more must not stop a program that needs less.

    Raises what `confbus.connect` raises, and `TypeError` when `section` is no mapping.
    """

    def __init__(
        self,
        settings_cls: type[BaseSettings],
        config: Subscriber | Snapshot | str,
        section: str = "",
        **options: Any,
    ) -> None:
        snapshot = _snapshot(config, options)
        self.section = section
        self.version = snapshot.version
        super().__init__(settings_cls, _values(snapshot, section))
        if settings_cls.model_config.get("extra") != "allow":
            known = _names(settings_cls)
            given: dict[str, Any] = self.init_kwargs
            self.init_kwargs = {name: each for name, each in given.items() if name in known}

    def __repr__(self) -> str:
        return f"ConfbusSettingsSource(section={self.section!r}, version={self.version})"


def _snapshot(config: Subscriber | Snapshot | str, options: dict[str, Any]) -> Snapshot:
    if not isinstance(config, str):
        from confbus.wire.snapshot import Snapshot

        return config if isinstance(config, Snapshot) else config.snapshot
    import confbus

    with confbus.connect(config, **options) as subscriber:
        return subscriber.snapshot


def _values(snapshot: Snapshot, section: str) -> dict[str, Any]:
    """A copy that may be changed, as pydantic-settings does when it merges its sources."""
    found: Mapping[str, Any] = snapshot if not section else snapshot.section(section) if section in snapshot else {}
    values: dict[str, Any] = thaw(found)
    return values


def _names(settings_cls: type[BaseSettings]) -> set[str]:
    """By which names pydantic takes the fields of a model; a path in an alias begins with one."""
    from pydantic import AliasChoices, AliasPath

    names: set[str] = set()
    for name, field in settings_cls.model_fields.items():
        alias = field.validation_alias
        for each in alias.choices if isinstance(alias, AliasChoices) else [alias]:
            first = each.path[0] if isinstance(each, AliasPath) else each
            names |= {name, str(first)} if first else {name}
    return names
