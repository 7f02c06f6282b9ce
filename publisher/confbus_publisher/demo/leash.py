"""Calls a function for as long as somebody holds the other end of a pipe: `leash.py FD MODULE:FUNCTION [ARGUMENT …]`.

The demo holds it, and the kernel lets go of it however the demo ends. So a program on a leash needs to know nothing of
whoever started it, and is gone with them.
"""

from __future__ import annotations

import os
import pkgutil
import sys
import threading


def main() -> None:
    held, program = int(sys.argv[1]), sys.argv[2]
    threading.Thread(target=_end_with_holder, args=(held,), daemon=True).start()
    sys.argv[:] = sys.argv[2:]
    pkgutil.resolve_name(program)()


def _end_with_holder(held: int) -> None:
    os.read(held, 1)  # nobody ever writes: this returns when the other end is closed
    os._exit(0)


if __name__ == "__main__":
    main()
