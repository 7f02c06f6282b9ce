"""The last good answer of a server, and the layer that was made of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from confbus.errors import SourceFailed
from confbus.wire import codec
from confbus.wire.diff import same
from confbus_publisher.formats.limits import Unfit
from confbus_publisher.sources.remote.answer import OK, UNCHANGED, Answer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from confbus_publisher.layer import Layer
    from confbus_publisher.sources.remote.answer_cache import AnswerCache


class LastGood:
    """`read` makes a layer of an answer, or raises `Unfit` or `SourceFailed`; then the one before stays.

    With a `cache` an answer outlives the process. Not for use by several threads at once.
    """

    def __init__(self, read: Callable[[Answer], Layer], cache: AnswerCache | None) -> None:
        self.layer: Layer | None = None
        self._read = read
        self._cache = cache
        self._content = ""
        self._headers: Mapping[str, str] = {}
        self._received_ms = 0

    @property
    def moment(self) -> str:
        """When the answer was received, for people."""
        return datetime.fromtimestamp(self._received_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

    def recall(self) -> None:
        """Take the answer that an earlier process kept, if there is one."""
        answer = self._cache.recall() if self._cache else None
        if answer:
            try:
                self._take(answer, self._read(answer))
            except (Unfit, SourceFailed):  # Another version of confbus found it good. It will be asked for again.
                return

    def conditions(self) -> dict[str, str]:
        """The headers that spare the server the answer which is here already."""
        both = {"if-none-match": "etag", "if-modified-since": "last-modified"}
        return {name: self._headers[its] for name, its in both.items() if its in self._headers} if self.layer else {}

    def take(self, answer: Answer) -> Layer:
        """The layer of `answer`: the very same one as before when it says the same. Raises as `read` does."""
        if self.layer and answer.status == UNCHANGED and self.conditions():
            return self.layer
        is_same = answer.status == OK and _content(answer) == self._content
        layer = self.layer if self.layer and is_same else self._read(answer)
        if self._cache and not (is_same and answer.headers == self._headers):
            self._cache.keep(answer)
        return self._take(answer, layer)

    def _take(self, answer: Answer, layer: Layer) -> Layer:
        if self.layer is None or not _says_the_same(self.layer, layer):
            self.layer = layer
        self._content, self._headers, self._received_ms = _content(answer), answer.headers, answer.received_ms
        return self.layer


def _content(answer: Answer) -> str:
    return f"{answer.media_type} {codec.digest(answer.body)}"


def _says_the_same(one: Layer, other: Layer) -> bool:
    """Whether two layers have the same values of the same types at the same places, however it was written."""
    return one is other or (one.origins == other.origins and same(one.tree, other.tree))
