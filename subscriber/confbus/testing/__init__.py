"""What tests of configured programs are made of: a bus in memory, overrides of single values, and faults.

Nothing here needs a Redis, the publisher or a test framework. Importing this imports nothing else; names are imported
when first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confbus.testing.bus import Bus
    from confbus.testing.override import override
    from confbus.testing.proxy import Proxy
    from confbus.testing.static import static

__all__ = ["Bus", "Proxy", "override", "static"]

_HOMES = {
    "Bus": "confbus.testing.bus",
    "Proxy": "confbus.testing.proxy",
    "override": "confbus.testing.override",
    "static": "confbus.testing.static",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module 'confbus.testing' has no attribute {name!r}")
    import importlib
    import sys

    importlib.import_module(home)
    # Kept, for a function may have the name of its module: once that is imported, be it by another one, the name would
    # be the module's.
    globals().update(
        {each: getattr(sys.modules[place], each) for each, place in _HOMES.items() if place in sys.modules}
    )
    return globals()[name]
