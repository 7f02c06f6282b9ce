"""Whether the publisher's own files are in order: keyring, memory, password."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus.keyring import READY
from confbus_publisher.doctor.finding import Finding, Trouble, fine

if TYPE_CHECKING:
    from collections.abc import Iterator

    from confbus_publisher.doctor.namespace_facts import HeadFacts
    from confbus_publisher.doctor.source_facts import FallbackFacts, FileFacts

NO_KEYRING = Trouble("sources", "error", "keyring-refused", "What is to be sealed cannot be sealed: nothing goes out.")
KEY_LACKING = Trouble(
    "sources",
    "error",
    "key-lacking",
    "A publisher with this keyring is refused: no older key takes the place of a newer one.",
)
PASSWORD_OPEN = Trouble("sources", "warning", "password-open", "Other users of this machine can read the password.")
NOT_REMEMBERED = Trouble(
    "sources",
    "warning",
    "state-not-kept",
    "After a restart the publisher does not know what was published, and cannot undo a loss of the server.",
)

NO_FALLBACK = Trouble(
    "machine",
    "error",
    "fallback-refused",
    "A worker that starts while the server is away finds nothing to read.",
)
STALE_FALLBACK = Trouble(
    "machine",
    "warning",
    "fallback-stale",
    "A worker that starts while the server is away runs an older version.",
)
_STALE_S = 600


def keyring(files: FileFacts, head: HeadFacts | None) -> Iterator[Finding]:
    """The keys that seal, and those that the head needs."""
    if files.keyring_error:
        yield NO_KEYRING.found(files.keyring_error.message.rstrip("."), files.keyring_error.advice)
        return
    needed: dict[str, list[str]] = {}
    if head:
        for section, key in head.sealed.items():
            needed.setdefault(key, []).append(section)
    keys = files.keys
    lacking = {key: sections for key, sections in needed.items() if keys.get(key, READY) == READY}
    for key, sections in lacking.items():
        has = "has not made active" if key in keys else "does not have"
        what = f"{', '.join(sections)} is sealed with the key {key}, which {files.keyring} {has}"
        yield KEY_LACKING.found(what, "Bring it the keyring of the publisher that sealed, whole.")
    if keys and not lacking:
        yield fine("sources", f"the keyring has {len(keys)} keys, and all that the head needs")


def memory_file(files: FileFacts) -> Iterator[Finding]:
    """Whether the publisher can remember."""
    if files.state_error:
        yield NOT_REMEMBERED.found(files.state_error, "Choose another place with `state:`, or mend this one.")


def passwords(files: FileFacts) -> Iterator[Finding]:
    """Whether others may log in with what they read here."""
    for path, mode in files.open_passwords.items():
        yield PASSWORD_OPEN.found(f"{path} may be read by everybody (mode {mode})", f"chmod 600 {path}")


def last_known_good(fallback: FallbackFacts, head: HeadFacts | None) -> Iterator[Finding]:
    """Whether a worker that starts without the server has something to read."""
    if fallback.error:
        advice = "Give it a directory of its own, which the workers' user may write."
        yield NO_FALLBACK.found(fallback.error, advice)
    elif fallback.version is None:
        yield fine("machine", f"the fallback {fallback.path} can be written; no worker wrote it yet")
    elif head and fallback.version != head.version and fallback.age_s > _STALE_S:
        what = f"the fallback {fallback.path} has version {fallback.version}, the head is {head.version}"
        yield STALE_FALLBACK.found(what, "Do workers that use it run here, and follow?")
    else:
        yield fine("machine", f"the fallback {fallback.path} has version {fallback.version}")
