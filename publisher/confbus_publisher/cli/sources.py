"""What the sources say, for a command that reads them once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.cli.output import say

if TYPE_CHECKING:
    from confbus_publisher.inputs import Inputs, Merge
    from confbus_publisher.sources.source import Source


def merged(inputs: Inputs, *on_top: Source) -> Merge:
    """The merge of the sources. Says so of each that fails and goes on with what it said before this process."""
    merge = inputs.load(*on_top)
    for name, failure in inputs.failures.items():
        say(f"{name} keeps its last good values: {failure}")
    return merge
