"""A local copy that nobody follows for: the test offers it what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from confbus.local import ABSENT, Local
from confbus.views import View
from confbus.wire.codec import digest
from confbus.wire.frozen import freeze
from confbus.wire.snapshot import Snapshot

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence


def snapshot(document: dict[str, Any], version: int = 1) -> Snapshot:
    """A release of `document`, of which parts that are frozen already are kept."""
    return Snapshot(
        freeze(document), version=version, revision=version, epoch="e", digest=digest(repr(document).encode()), at_ms=0
    )


def local(*validators: Callable[[Snapshot], object]) -> Local:
    return Local(validators=validators, on_swap=lambda _: None)


def bind(
    local: Local,
    path: str | tuple[str | int, ...],
    kind: Any,
    *,
    default: Any = ABSENT,
    extra: str = "refuse",
    pinned: Sequence[Snapshot] = (),
) -> View[Any]:
    """A view; the last of `pinned`, which the test may change, is the version that is pinned everywhere."""

    def find_pinned() -> Snapshot | None:
        return pinned[-1] if pinned else None

    return local.bind(View(path, kind, default=default, extra=extra, wait=_wait, find_pinned=find_pinned))


def built(kind: Any, value: Any, *, extra: str = "refuse") -> Any:
    """What a view of `kind` shows of `value` at the path `it`."""
    reader = local()
    view = bind(reader, "it", kind, extra=extra)
    return view.build(snapshot({"it": value})).value


def objections(local: Local, documents: Iterable[dict[str, Any]]) -> list[str]:
    """Why each of `documents`, offered one after the other, is refused; empty where it is taken."""
    return [local.offer(snapshot(document, version)) for version, document in enumerate(documents, 1)]


def _wait() -> NoReturn:
    raise LookupError("there is no release yet")
