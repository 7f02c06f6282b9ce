"""Whether this machine lets a publisher hear of edits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.doctor.finding import Finding, Trouble, fine, unseen
from confbus_publisher.doctor.machine_facts import MachineFacts, is_subpath

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.doctor.source_facts import SourceFacts

NO_WATCHES = Trouble(
    "machine",
    "warning",
    "inotify-limit",
    "A publisher that starts here hears of no edit, and looks every 10 s instead.",
)
MOUNTED = Trouble(
    "machine",
    "warning",
    "file-mounted",
    "It stays the file that was there when it was mounted: whoever replaces the original is never heard.",
)
TWICE = Trouble("machine", "warning", "installed-twice", "Which of them runs depends on the order of sys.path.")


def watches(machine: MachineFacts, sources: SourceFacts) -> Iterator[Finding]:
    """Whether there are inotify instances and watches left for a publisher of these sources."""
    if not machine.most:
        yield unseen("machine", "the limits of inotify", "/proc/sys/fs/inotify is not there")
        return
    needed = {"instances": 1, "watches": len(sources.watched)}
    short = [name for name, most in machine.most.items() if machine.used.get(name, 0) + needed[name] > most]
    for name in short:
        used, most = machine.used.get(name, 0), machine.most[name]
        what = f"{used:,} of {most:,} inotify {name} are in use; a publisher needs {needed[name]:,} more"
        yield NO_WATCHES.found(what, f"sysctl fs.inotify.max_user_{name}={2 * most}")
    if not short:
        left = machine.most["watches"] - machine.used.get("watches", 0) if "watches" in machine.most else 0
        yield fine("machine", f"inotify: {left:,} watches left for the {needed['watches']:,} that a publisher needs")


def mounts(machine: MachineFacts, sources: SourceFacts) -> Iterator[Finding]:
    """Files of the sources that are mounted one by one."""
    for path in sorted(sources.files & machine.mounts.keys()):
        if is_subpath(machine.mounts[path]):
            advice = "Mount the whole volume as a directory, without subPath."
            yield MOUNTED.found(f"{path} is mounted with subPath", advice)
        else:
            advice = "Mount its directory instead, as in -v ./config:/config."
            yield MOUNTED.found(f"{path} is a mount of its own", advice)


def installations(machine: MachineFacts) -> Iterator[Finding]:
    """Whether there is one confbus here."""
    if len(machine.installed) > 1:
        places = ", ".join(f"{version} in {place}" for place, version in machine.installed.items())
        yield TWICE.found(f"confbus is installed {len(machine.installed)} times: {places}", "Uninstall all but one.")
