"""The configuration that `settings.CONFBUS` names, and what a test puts over it."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

from confbus.contrib.lazy import Lazy
from confbus.errors import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import AbstractContextManager

    from confbus.contrib.django.overridden import Overridden
    from confbus.wire import path as paths
    from confbus.wire.frozen import Frozen
    from confbus.wire.snapshot import Snapshot


class LazyConfig(Lazy):
    """Everything that a `Subscriber` does, of one that is connected at the first use, by `settings.CONFBUS`.

    `url` and `namespace` there say where, all else is an option of `confbus.connect`; validators may be given as dotted
    paths. The first use raises what `connect` raises; the next one tries again. Safe from any thread, and over forks.
    """

    def __init__(self) -> None:
        super().__init__(_terms)
        self.overridden: Overridden | None = None

    def __getitem__(self, path: str | paths.Path) -> Any:
        return (self.overridden or self.subscriber)[path]

    def get(self, path: str | paths.Path, default: Any = None) -> Any:
        """The value at `path`; `default` only where there is none (a null is None)."""
        return (self.overridden or self.subscriber).get(path, default)

    def section(self, path: str | paths.Path) -> Frozen:
        """The mapping at `path`, frozen. Raises `UnknownPath`, and `TypeError` when it is no mapping."""
        return (self.overridden or self.subscriber).section(path)

    def __contains__(self, path: object) -> bool:
        return path in (self.overridden or self.subscriber)

    @property
    def snapshot(self) -> Snapshot:
        """The newest accepted release, to be held while several reads must agree."""
        return (self.overridden or self.subscriber).snapshot

    def pin(self) -> AbstractContextManager[Snapshot]:
        """As `Subscriber.pin`. While a test overrides values, they are pinned."""
        return nullcontext(self.overridden.snapshot) if self.overridden else self.subscriber.pin()


def _terms() -> dict[str, Any]:
    """The arguments of `confbus.connect`, from Django's settings."""
    from django.conf import settings
    from django.utils import module_loading

    given: Mapping[str, Any] | None = getattr(settings, "CONFBUS", None)
    if not given or not given.get("url") or not given.get("namespace"):
        reason = "it must say url and namespace"
        raise InvalidSettings("settings.CONFBUS", reason, advice="`manage.py check` tells more.")
    terms = dict(given)
    if "validators" in terms:
        terms["validators"] = [_loaded(each, module_loading) for each in terms["validators"]]
    return terms


def _loaded(each: Any, module_loading: Any) -> Any:
    return module_loading.import_string(each) if isinstance(each, str) else each


config = LazyConfig()
