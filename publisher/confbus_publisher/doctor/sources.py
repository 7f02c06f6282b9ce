"""Whether the sources make a document that may go out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.doctor.finding import Finding, Trouble, fine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus.errors import ConfBusError
    from confbus_publisher.doctor.source_facts import SourceFacts

UNREADABLE = Trouble("sources", "error", "settings-refused", "No publisher starts with these settings.")
FAILING = Trouble(
    "sources",
    "error",
    "source-refused",
    "A publisher that runs keeps the last good values of it; one that starts has none, and publishes nothing.",
)
REFUSED = Trouble("sources", "error", "checks-refuse", "What the sources say now does not go out.")
WARNED = Trouble("sources", "warning", "checks-warn", "It goes out all the same.")
_MOST = 5


def refused(error: ConfBusError) -> Finding:
    """The settings themselves are not to be followed."""
    return UNREADABLE.found(error.message.rstrip("."), error.advice)


def document(facts: SourceFacts) -> Iterator[Finding]:
    """What keeps the sources from making a document, or the document from going out."""
    for failing in facts.failings[:_MOST]:
        yield FAILING.found(failing.message.rstrip("."), failing.advice)
    for level, trouble in ((True, REFUSED), (False, WARNED)):
        problems = [problem for problem in facts.problems if problem.is_error is level]
        if problems:
            more = f", and {len(problems) - 1} more" if len(problems) > 1 else ""
            yield trouble.found(f"{problems[0].headline.rstrip('.')}{more}", "`confbus check` tells all of it.")
    if not facts.failings and not facts.problems:
        made_of = f"{facts.count} source{'' if facts.count == 1 else 's'}"
        yield fine("sources", f"a document of {facts.size:,} bytes, made of {made_of}, may go out")
