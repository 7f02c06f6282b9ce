"""Several files as sources, found anew at each load."""

from __future__ import annotations

from abc import abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict, Unpack

from confbus.errors import SourceFailed
from confbus_publisher.formats.limits import MOST_FILES, Unfit
from confbus_publisher.sources.dict import DictSource
from confbus_publisher.sources.file import FileSource
from confbus_publisher.sources.mount import listing, root_of
from confbus_publisher.sources.profile import in_order
from confbus_publisher.sources.source import SourceGroup

if TYPE_CHECKING:
    from collections.abc import Iterable

    from confbus_publisher.sources.mount import Listing
    from confbus_publisher.sources.source import Source


class FileOptions(TypedDict, total=False):
    """What a group may be told beside where its files are."""

    priority: int
    name: str
    optional: bool
    format_name: str
    profile: str
    interpolate: bool
    delete: Iterable[str]
    follow_links: bool


class FileGroup(SourceGroup):
    """The files of some directories. Each is read like a `FileSource`; links are followed within the directory, and
    out of it only with `follow_links`.

    None at all is refused unless the group is `optional`: a volume that is mounted anew is empty for a moment.
    With a `profile`, `app.PROFILE.yaml` comes right after `app.yaml`, and those of other profiles are left out.
    What `delete` names is taken out of the layers below the first file. Not for use by several threads at once, but
    for `watched`.
    """

    kind = "file"

    def __init__(self, shown: str, **options: Unpack[FileOptions]) -> None:
        self.name = options.get("name") or shown
        self.priority = options.get("priority", 0)
        self.shown = shown
        self.format_name = options.get("format_name", "")
        self.interpolates = options.get("interpolate", True)
        self.follows_links = options.get("follow_links", False)
        self._base = Path.cwd()
        self._is_optional = options.get("optional", False)
        self._profile = options.get("profile", "")
        self._files: dict[str, FileSource] = {}
        self._roots: dict[Path, Path] = {}
        self._first = self._deleting(tuple(options.get("delete", ())))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.shown!r}, priority={self.priority})"

    @abstractmethod
    def directories(self) -> list[str]:
        """The directories to look in, as they are shown; they may not exist. Raises `Unfit`."""

    @abstractmethod
    def takes(self, name: str) -> bool:
        """Whether a file of that name belongs to the group."""

    @property
    def watched(self) -> tuple[Path, ...]:
        """The directories, and those that are swapped behind them."""
        try:
            directories = [self.path(directory) for directory in self.directories()]
        except Unfit:
            directories = []  # `members` says why.
        return tuple(dict.fromkeys([*directories, *self._roots, *self._roots.values()]))

    def members(self) -> tuple[Source, ...]:
        """The files that are there now, in order; the same object for a file that stays."""
        try:
            found = self._found()
            members = [member for directory, seen in found.items() for member in self._members_in(directory, seen)]
        except Unfit as unfit:
            raise SourceFailed(self.name, self.shown, unfit.reason, advice=unfit.advice) from unfit.__cause__
        if not members and not self._is_optional:
            advice = "Put one there, or say `optional: true` of it."
            raise SourceFailed(self.name, self.shown, "no file is there", advice=advice)
        self._roots = {self.path(directory): seen.root for directory, seen in found.items()}
        kept = {member.name for member in members}
        self._files = {shown: file for shown, file in self._files.items() if shown in kept}
        return (*self._first, *members)

    def is_current(self) -> bool:
        """False when a volume was swapped since `members`."""
        return all(root_of(directory) == root for directory, root in self._roots.items())

    def path(self, shown: str) -> Path:
        """Where `shown` is, whatever the directory of the process is now."""
        return self._base / shown

    def values_in(self, directory: str, seen: Listing) -> list[Source]:  # noqa: ARG002 — for groups that know some
        """What is in a directory beside the files that the group takes."""
        return []

    def _deleting(self, delete: tuple[str, ...]) -> tuple[Source, ...]:
        if not delete:
            return ()
        return (DictSource({}, priority=self.priority, name=f"{self.name} (delete)", delete=delete),)

    def _found(self) -> dict[str, Listing]:
        listings = {directory: listing(self.path(directory)) for directory in self.directories()}
        return {directory: seen for directory, seen in listings.items() if seen}

    def _members_in(self, directory: str, seen: Listing) -> list[Source]:
        taken = [name for name in seen.names if self.takes(name)]
        if len(taken) > MOST_FILES:
            raise Unfit(f"more than {MOST_FILES:,} files are there", "Split it; a configuration is small.")
        within = None if self.follows_links else seen.directory
        members = self.values_in(directory, seen)
        for name in in_order(taken, self._profile, among=seen.names):
            file = self._file(str(Path(directory, name)))
            file.move(seen.root / name, within=within)
            members.append(file)
        return members

    def _file(self, shown: str) -> FileSource:
        if shown not in self._files:
            self._files[shown] = FileSource(
                shown,
                priority=self.priority,
                format_name=self.format_name,
                interpolate=self.interpolates,
                kind=self.kind,
            )
        return self._files[shown]
