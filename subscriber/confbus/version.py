"""Which confbus this is. The build reads it from here, since asking what is installed takes longer than a read."""

from __future__ import annotations

VERSION = "0.1.0"
PROGRAM = f"confbus {VERSION}"
