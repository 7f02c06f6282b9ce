"""From sources to the one document that could be published: load, merge, expand, encode; and whether it may go out.

A source that fails keeps its last good layer. What did not change is neither parsed, merged, expanded nor encoded
again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confbus.errors import InvalidDocument
from confbus.wire.encoder import Encoder
from confbus_publisher import collector
from confbus_publisher.checks import Candidate, Shaping, run_checks
from confbus_publisher.checks.doubts import DoubtCheck
from confbus_publisher.checks.references import ReferenceCheck
from confbus_publisher.checks.seal import SealCheck
from confbus_publisher.expansion.expander import Expanded, Expander
from confbus_publisher.journal import Journal
from confbus_publisher.layer import same_objects
from confbus_publisher.layers import Layers
from confbus_publisher.merge import Merged, Merger, conflicts
from confbus_publisher.merge_rules import DEFAULT, Rules
from confbus_publisher.provenance import Provenance
from confbus_publisher.sealing.seals import Seals

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence
    from pathlib import Path as FilePath

    from confbus.errors import SourceFailed
    from confbus.wire.encoder import Encoded
    from confbus.wire.frozen import Frozen
    from confbus.wire.manifest import Manifest
    from confbus.wire.path import Path
    from confbus_publisher.checks import Check, Problem
    from confbus_publisher.expansion.file_roots import FileRoots
    from confbus_publisher.layer import Layer
    from confbus_publisher.shape import Shape
    from confbus_publisher.sources.source import AnySource, Source


@dataclass(frozen=True, slots=True)
class Merge:
    """The document that could be published: as it was merged, expanded, and encoded; and where it was written."""

    merged: Merged
    expanded: Expanded
    encoded: Encoded
    origins: Mapping[str, bytes] = field(repr=False)
    aliases: Callable[[], Sequence[Manifest]] = field(default=tuple, repr=False)
    """What the manifest would be under the other keys of the ring: the same content, sealed before or afterwards."""
    guises: Callable[[str], Collection[str]] = field(default=lambda _section: (), repr=False)
    """What the digests of a section would be if it were sealed, or were not: the same content with another `seal:`."""

    @property
    def tree(self) -> Frozen:
        """What workers would read."""
        return self.expanded.tree

    @property
    def manifest(self) -> Manifest:
        return self.encoded.manifest

    def has_digest(self, digest: str) -> bool:
        """True for the digest of this content, whichever key it was sealed with."""
        return digest == self.manifest.digest or any(digest == alias.digest for alias in self.aliases())


class Inputs:
    """The sources and checks of one publisher. Without `files`, no `${file:…}` is read.

    `is_shared` is False when nobody else can read what is published; `seals` says what is sealed. Without `watch`, the
    sources are read once, when all of them can be; what they said then they say for good.
    """

    def __init__(
        self,
        sources: Sequence[AnySource],
        *,
        limit_bytes: int,
        rules: Rules = DEFAULT,
        checks: Sequence[Check] = (),
        files: FileRoots | None = None,
        watch: bool = True,
        is_shared: bool = True,
        seals: Seals | None = None,
    ) -> None:
        self.seals = seals or Seals("")
        self.checks = (*checks, SealCheck(self.seals.keys)) if self.seals.keys else tuple(checks)
        self._layers = Layers(sources, rules=rules)
        self._rules = rules
        self._limit_bytes = limit_bytes
        self._merger = Merger(rules)
        self._expander = Expander(files)
        self._encoder = Encoder(whole=self.seals.keys)
        self._provenance = Provenance(self.seals.keys)
        self._is_watching = watch
        self._is_shared = is_shared
        self._still: tuple[Layer, ...] = ()
        self._last: tuple[tuple[object, ...], Merge] | None = None
        self._parts: tuple[object, ...] = ()
        self.journal = Journal()

    @property
    def sources(self) -> tuple[AnySource, ...]:
        return self._layers.sources

    @sources.setter
    def sources(self, sources: Sequence[AnySource]) -> None:
        """Those that stay keep their last good layers."""
        self._layers.sources = sources

    @property
    def failures(self) -> Mapping[str, SourceFailed]:
        """Why the last load of a source failed, by its name."""
        return self._layers.failures

    @property
    def watched(self) -> set[FilePath]:
        """The directories to watch."""
        if not self._is_watching:
            return set()
        schemas = [directory for check in self.checks if isinstance(check, Shaping) for directory in check.watched]
        keyring = [self.seals.file.path.parent] if self.seals.keys and self.seals.file else []
        return self._layers.watched.union(self._expander.watched, schemas, keyring)

    @property
    def due_in_s(self) -> float:
        """In how many seconds to load again, though nothing woke anybody; infinite when that is enough."""
        return self._layers.due_in_s

    def listen(self, wake: Callable[[], object]) -> None:
        """Have `wake` called, from another thread, when a source that is polled may say something new."""
        self._layers.listen(wake)

    def load(self, *on_top: Source) -> Merge:
        """The merge of what the sources say now; the very same object while nothing changed.

        `on_top` are sources that are not of the settings, such as the overrides; they must not fail, and what is sealed
        they do not change.

        Raises `SourceFailed` when a source fails that never succeeded, `MergeConflict` and `InvalidDocument` when
        the layers make no publishable document, `InvalidSettings` without the keyring that is to seal it.
        """
        with collector.paused():
            return self._loaded(on_top)

    def _loaded(self, on_top: Sequence[Source]) -> Merge:
        shape, ring = self._shape(), self.seals.ring
        with self.journal.stage("read"):
            layers = (*self._from_sources(shape), *(self.seals.outside(source.load()) for source in on_top))
        parts = (shape, ring, *layers)
        if self._last and same_objects(parts, self._last[0]) and self._expander.is_current():
            return self._last[1]
        self.journal.note(self._parts, parts, is_referring=self._last is not None)
        self._parts = parts
        with self.journal.stage("merge"):
            merged = self._merger.merge(layers)
        with self.journal.stage("expand"):
            expanded = self._expanded(merged, shape)
        if expanded.errors:
            self._last = None  # The layers may be those of before, when only a file went that they name.
            raise expanded.errors[0]
        self.seals.refuse_unfit(expanded.tree)
        with self.journal.stage("encode"):
            plain = self._encoder.encode(expanded.tree)
        with self.journal.stage("seal"):
            encoded = self.seals.sealed(plain, ring)
        if encoded.size > self._limit_bytes:
            raise _too_large(encoded, self._limit_bytes)
        origins, aliases = self._provenance.blobs(merged), self.seals.aliases(plain, ring)
        merge = Merge(merged, expanded, encoded, origins, aliases, self.seals.guises(expanded.tree, ring))
        self._last = (parts, merge)
        return merge

    def failings(self) -> list[SourceFailed | InvalidDocument]:
        """Everything that keeps the sources from making a document, not only the first of it: sources that fail, layers
        that conflict, references that lead nowhere, a document that cannot be published."""
        shape = self._shape()
        layers = self._layers.available(shape)
        found: list[SourceFailed | InvalidDocument] = [*self.failures.values(), *conflicts(layers, self._rules)]
        if not found:
            found += self._expanded(self._merger.merge(layers), shape).errors
        if not found:
            try:
                self.load()
            except InvalidDocument as error:
                found.append(error)
        return found

    def how(self, path: Path) -> str:
        """In words, by which rules the variable that won at `path` was placed and typed by the last load."""
        return self._layers.how(self._last[1].merged.winner(path).source, path) if self._last else ""

    def types(self, path: Path) -> frozenset[str]:
        """The types that the schema allows at `path`; none when it does not say."""
        shape = self._shape()
        return shape.types(path) if shape else frozenset()

    def judge(
        self,
        merge: Merge,
        before: Callable[[], Frozen | None],
        *,
        approved: Callable[[str], bool] = lambda _digest: False,
    ) -> tuple[Problem, ...]:
        """All problems of `merge`, errors first. `before` gives the head's document; only if a check compares."""
        candidate = Candidate(
            raw=merge.merged.tree,
            tree=merge.tree,
            origin=merge.merged.origin,
            kind=lambda path: merge.merged.winner(path).kind,
            is_expanded=merge.expanded.is_expanded,
            before=before() if any(check.needs_head for check in self.checks) else None,
            is_shared=self._is_shared,
            sealed=self.seals.keys,
            digest=merge.manifest.digest,
            approved=approved,
        )
        doubts = DoubtCheck(merge.expanded.doubts, merge.merged.replacements)
        references = ReferenceCheck(merge.merged.interpolates)
        return run_checks((doubts, references, *self.checks), candidate)

    def _from_sources(self, shape: Shape | None) -> tuple[Layer, ...]:
        if self._is_watching:
            return self._layers.load(shape)
        self._still = self._still or self._layers.load(shape)
        return self._still

    def _shape(self) -> Shape | None:
        """That of the schema, as it is now."""
        return next((check.shape for check in self.checks if isinstance(check, Shaping)), None)

    def _expanded(self, merged: Merged, shape: Shape | None) -> Expanded:
        return self._expander.expand(merged.tree, origin=merged.origin, interpolates=merged.interpolates, shape=shape)


def _too_large(encoded: Encoded, limit_bytes: int) -> InvalidDocument:
    largest = ", ".join(f"{name} ({size:,} bytes)" for name, size in encoded.largest())
    return InvalidDocument(
        "",
        f"it has {encoded.size:,} bytes, the limit is {limit_bytes:,}",
        advice=f"Largest: {largest}. Configuration is not a database; or raise limits.document in confbus.yaml.",
    )
