"""`confbus init`: a first confbus.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from confbus.errors import ConfBusError, InvalidSettings
from confbus.names import plain
from confbus_publisher.cli import outcome
from confbus_publisher.cli.options import subcommand, with_output, with_place
from confbus_publisher.cli.output import listed, present, say, sentence

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from confbus_publisher.first_settings.candidates import LeftOut
    from confbus_publisher.first_settings.draft import Draft
    from confbus_publisher.opening import Named

_VALUES = "config/app.yaml"
_REDIS = "redis://localhost:6379"
_ELSE = "app"


@subcommand(
    "init",
    example="confbus init -n checkout --url redis://localhost:6379",
    keys="file, namespace, redis, sources [file], left_out [{file, why, advice}], written [file]",
)
@with_place
@with_output
def command(named: Named, output: str) -> int:
    """Write a first confbus.yaml.

    Its comments say what else it may have. Configuration that is here already, beside it or in config/, becomes its
    sources: each file that `confbus check` finds fine; of the others it says why not. Where there is none, a first
    config/app.yaml is written as well. Nothing that is there is changed.
    """
    from confbus_publisher.first_settings.candidates import candidates, sifted
    from confbus_publisher.first_settings.draft import VALUES

    draft = _begun(named)
    directory = draft.file.parent
    names = candidates(directory)
    draft, left_out = sifted(draft, names)
    written = [str(draft.file)]
    if not names:
        draft = draft.with_source(_VALUES)
        _write(directory / _VALUES, VALUES)
        written.append(str(directory / _VALUES))
    _write(draft.file, draft.text(left_out))
    present(output, _facts(draft, left_out, written), _lines(draft, left_out, written))
    if output == "text":
        if left_out:
            say(f"What was left out stands in {draft.file}: once it is mended, take the `# ` away there.")
        say(_advice(draft))
    return outcome.DONE


def _begun(named: Named) -> Draft:
    """The settings without sources. Raises `InvalidSettings` where they are there already, or cannot be."""
    from confbus.address import redacted
    from confbus_publisher.first_settings.draft import Draft

    file, url = named.file, named.url or _REDIS
    if file.is_symlink() or file.exists():
        raise InvalidSettings(str(file), "it is there, and stays as it is", advice="Edit it, or name another with -c.")
    if redacted(url) != url:
        advice = "Leave it out, and give --password-file, or write ${REDIS_PASSWORD} in its place afterwards."
        raise InvalidSettings("--url", "its password would stand in the file", advice=advice)
    login = str(Path(named.password_file).absolute()) if named.password_file else None
    namespace = named.namespace or re.sub(r"[^A-Za-z0-9._-]+", "-", file.absolute().parent.name).strip("-._") or _ELSE
    draft = Draft(file=file, namespace=namespace, redis=url, password_file=login)
    draft.settings()
    return draft


def _write(file: Path, text: str) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise ConfBusError(f"{file} was not written: {error.strerror or error}.") from error


def _facts(draft: Draft, left_out: Sequence[LeftOut], written: list[str]) -> dict[str, Any]:
    return {
        "file": str(draft.file),
        "namespace": draft.namespace,
        "redis": draft.redis,
        "sources": list(draft.sources),
        "left_out": [{"file": each.name, "why": each.why, "advice": each.advice} for each in left_out],
        "written": written,
    }


def _lines(draft: Draft, left_out: Sequence[LeftOut], written: list[str]) -> Iterator[str]:
    yield from sentence(f"Wrote {' and '.join(map(plain, written))}: the namespace {draft.namespace} at {draft.redis}.")
    if draft.sources:
        yield from sentence(f"Sources: {listed(draft.sources)}.")
    for each in left_out:
        yield from sentence(f"Left out: {plain(each.why)}", indent="  ")
        if each.advice:
            yield from sentence(f"  {plain(each.advice)}", indent="  ")


def _advice(draft: Draft) -> str:
    """What to do next."""
    option = "" if draft.file.name == str(draft.file) == "confbus.yaml" else f" -c {draft.file}"
    if not draft.sources:
        return f"No source is fine as it is: mend one, and name it there; `confbus check{option}` tells more."
    return (
        f"Look at it, then try `confbus check{option}`, `confbus publish{option}`, and let `confbus run{option}` go on."
    )
