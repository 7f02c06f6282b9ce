"""Run the benches that were named, or all of them, and print one table each."""

from __future__ import annotations

import importlib
import platform
import sys

BENCHES = (
    "read",
    "views",
    "peers",
    "propagation",
    "inline",
    "parts",
    "edit",
    "parse",
    "many",
    "apply",
    "stall",
    "memory",
    "cold_start",
    "cli",
    "wait",
    "seal",
    "metrics",
)


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        print(f"No bench {unknown[0]!r}; there are {', '.join(BENCHES)}.", file=sys.stderr)
        return 64
    machine = f"Python {platform.python_version()}, {platform.machine()}"
    print(f"{machine}; medians of interleaved rounds; x is against the first row")
    for name in names or BENCHES:
        bench = importlib.import_module(f"bench.{name}")
        summary = (bench.__doc__ or "").partition("\n")[0]
        print(f"\n{name}: {summary}\n{'':58} {'median':>9} {'best':>9}")
        for row in bench.run():
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
