"""Run the benches that were named, or all of them, and print one table each."""

from __future__ import annotations

import importlib
import platform
import sys

BENCHES = ("read", "propagation", "edit", "apply", "cold_start")


def main(names: list[str]) -> int:
    unknown = sorted(set(names) - set(BENCHES))
    if unknown:
        print(f"No bench {unknown[0]!r}; there are {', '.join(BENCHES)}.", file=sys.stderr)
        return 64
    print(f"Python {platform.python_version()}, {platform.machine()}; medians of interleaved rounds; x is against row 1")
    for name in names or BENCHES:
        bench = importlib.import_module(f"bench.{name}")
        print(f"\n{name}: {bench.__doc__.splitlines()[0]}\n{'':58} {'median':>9} {'best':>9}")
        for row in bench.run():
            print(row, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
