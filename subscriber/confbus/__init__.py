"""confbus: one configuration, in step across a fleet, read from memory.

import confbus
config = confbus.connect("redis://localhost:6379", namespace="checkout")
config["database.host"]
"""

from __future__ import annotations

from confbus.errors import ConfBusError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from confbus.start import Policy
    from confbus.status import Status
    from confbus.subscriber import Subscriber
    from confbus.timing import Timing
    from confbus.variables import env
    from confbus.views.view import View
    from confbus.wire.diff import Change, ChangeType
    from confbus.wire.frozen import Frozen, FrozenList, Reference, thaw
    from confbus.wire.snapshot import Snapshot

__all__ = [
    "Change",
    "ChangeType",
    "ConfBusError",
    "Frozen",
    "FrozenList",
    "Reference",
    "Snapshot",
    "Status",
    "Subscriber",
    "Timing",
    "View",
    "aconnect",
    "connect",
    "env",
    "thaw",
]

_HOMES = {
    "Change": "confbus.wire.diff",
    "ChangeType": "confbus.wire.diff",
    "Frozen": "confbus.wire.frozen",
    "FrozenList": "confbus.wire.frozen",
    "Reference": "confbus.wire.frozen",
    "Snapshot": "confbus.wire.snapshot",
    "Status": "confbus.status",
    "Subscriber": "confbus.subscriber",
    "Timing": "confbus.timing",
    "View": "confbus.views.view",
    "env": "confbus.variables",
    "thaw": "confbus.wire.frozen",
}


def connect(
    url: str = "",
    *,
    namespace: str,
    start: Policy = "wait",
    timeout_s: float = 30.0,
    lazy: bool = False,
    **options: Any,
) -> Subscriber:
    """A subscriber that follows `namespace`, returned with its first snapshot.

    With `lazy` it connects nothing in this process until the first read, which waits for the first snapshot in its
    place; in a process that is forked from this one it begins by itself. For masters that load what workers use.

    `start` is "wait", "cached" or "fail", as in `Subscriber.start`; `options` are those of `Subscriber`. Raises
    `ConnectFailed` when no snapshot comes within `timeout_s` seconds, `ConfigRefused` when this process refuses all
    that it could run, `InvalidNamespace` and `InvalidSettings` for what cannot be right.
    """
    from confbus.subscriber import Subscriber

    subscriber = Subscriber(url, namespace=namespace, **options)
    if lazy:
        return subscriber.start_when_read(start, timeout_s=timeout_s)
    try:
        return subscriber.start(start, timeout_s=timeout_s)
    except BaseException:
        subscriber.close()
        raise


async def aconnect(
    url: str = "", *, namespace: str, start: Policy = "wait", timeout_s: float = 30.0, **options: Any
) -> Subscriber:
    """As `connect`, while the event loop goes on: the very same object, whose reads have no need to wait.

    `async with await confbus.aconnect(…) as config:` closes it at the end. A task that is cancelled here leaves nothing
    behind.
    """
    from asyncio import to_thread

    from confbus.subscriber import Subscriber

    subscriber = await to_thread(Subscriber, url, namespace=namespace, **options)
    try:
        return await subscriber.start_async(start, timeout_s=timeout_s)
    except BaseException:
        await subscriber.close_async()
        raise


def __getattr__(name: str) -> Any:
    """Names are imported when first used: `import confbus` alone costs almost nothing."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'confbus' has no attribute {name!r}")
    import importlib

    return getattr(importlib.import_module(home), name)
