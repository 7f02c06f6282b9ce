"""A directory of secrets as a source: `/run/secrets`, or a volume that Kubernetes made of a Secret."""

from __future__ import annotations

from typing import TYPE_CHECKING

from confbus_publisher.sources.value_files import ValueFilesSource

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable


class SecretsSource(ValueFilesSource):
    """Each file in `directory` is one secret under its name: `database__password` is `database.password`.

    A `${` in a secret stays what it is, unless `interpolate`. See `ValueFilesSource`.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str] = "/run/secrets",
        *,
        priority: int = 0,
        name: str = "",
        optional: bool = False,
        interpolate: bool = False,
        delete: Iterable[str] = (),
        follow_links: bool = False,
    ) -> None:
        super().__init__(
            directory,
            priority=priority,
            name=name,
            optional=optional,
            interpolate=interpolate,
            delete=delete,
            follow_links=follow_links,
            kind="secrets",
            nests=True,
        )
