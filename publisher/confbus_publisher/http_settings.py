"""`http:` in confbus.yaml: where the publisher answers for its health and its metrics."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.serving.listen import FORM, Listen, parse_listen

if TYPE_CHECKING:
    from confbus_publisher.entry import Entry


def read_http(entry: Entry) -> Listen | None:
    """Where `http` of `entry` says to listen; None when it says nothing. Raises `InvalidSettings` with the line."""
    if "http" not in entry:
        return None
    http = entry.inner("http")
    http.only(("listen",))
    text = http.text("listen")
    listen = parse_listen(text)
    if listen is None:
        raise http.refuse(f"{text!r} is no place to listen", FORM, at="listen")
    return listen
