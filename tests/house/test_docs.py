"""What the documentation says is done here: its code runs, its settings load, its commands exist, its links lead on."""

from __future__ import annotations

import importlib
import os
import pkgutil
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import click
import pytest
import yaml

from confbus.client import keys_of
from confbus.errors import InvalidSettings
from confbus.subscriber import Subscriber
from confbus_publisher import source_settings
from confbus_publisher.cli.program import COMMANDS, program
from confbus_publisher.ledger import Ledger, Why
from confbus_publisher.ledger.redis import RedisStore
from confbus_publisher.opening import inputs_of
from confbus_publisher.settings import load_settings
from support.places import encoded

if TYPE_CHECKING:
    from confbus_publisher.source_settings.kind import Kind
    from support.server import Server

ROOT = Path(__file__).parents[2]
PAGES = [*sorted(ROOT.glob("*.md")), ROOT / "lua" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]

URL = "redis://localhost:6379"
SAMPLE: dict[str, Any] = {
    "database": {"host": "db-1.internal", "port": 5432, "pool": {"min": 2, "max": 20}},
    "checkout": {"carriers": ["dhl", "ups"], "free_shipping_from": 50},
}
NAMESPACE = "checkout"

_MODULES = pkgutil.iter_modules(source_settings.__path__, f"{source_settings.__name__}.")
KINDS: dict[str, Kind] = {
    name: kind
    for module in _MODULES
    for name, kind in getattr(importlib.import_module(module.name), "KINDS", {}).items()
}

# Where a file that is named without its whole path may be, and files that only a reader has.
HOMES = [ROOT, ROOT / "subscriber" / "confbus", ROOT / "publisher" / "confbus_publisher", ROOT / "tests"]
OF_THE_READER = re.compile(r"confbus\.yaml|config/.*|\.confbus/.*|settings\..*|\.secrets\.toml|conf\.d/.*")
FILE = re.compile(r"[\w./-]+\.(?:py|lua|md|yaml|yml|toml|sh|json)")
FLAGS = re.MULTILINE | re.DOTALL
FOLDER = re.compile(r"(?:tests|docs|lua|publisher|subscriber|bench|examples|deploy)/[\w./-]*")
NAME = re.compile(r"confbus(?:_publisher)?(?:\.(?!yaml)\w+)+")
GROUPS = {"confbus.checks", "confbus.sources", "confbus.publisher"}  # of entry points, and a logger


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block: what its fence says it is, its text, and where it begins."""

    kind: str
    text: str
    place: str


def blocks(*kinds: str) -> list[Block]:
    fence = re.compile(r"^```([^\n`]*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
    found: list[Block] = []
    for name, page in zip(NAMES, PAGES, strict=True):
        text = page.read_text()
        for match in fence.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            found.append(Block(match[1].strip(), match[2], f"{name}:{line}"))
    return [block for block in found if block.kind in kinds]


def commands(first: str) -> list[tuple[str, list[str]]]:
    """Every line of the shell blocks that calls `first`: where its block is, and the words after `first`."""
    found: list[tuple[str, list[str]]] = []
    for block in blocks("sh", "console"):
        shown = block.text.replace("\\\n", " ").splitlines()
        for line in shown if block.kind == "sh" else filter(lambda line: line.startswith("$ "), shown):
            lexer = shlex.shlex(line.removeprefix("$ "), posix=True, punctuation_chars="|&;")
            lexer.whitespace_split = True
            words = list(lexer)
            end = next((at for at, word in enumerate(words) if set(word) <= set("|&;")), len(words))
            if words[:1] == [first]:
                found.append((block.place, words[1:end]))
    return found


def rows(name: str) -> dict[str, str]:
    """The rows of a page's tables by what their first cell names in code; one cell may name several."""
    found = re.findall(r"^\| (`[^|]+`) \| (.*) \|$", prose(ROOT / name), re.MULTILINE)
    return {key: rest for first, rest in found for key in re.findall(r"`([^`]+)`", first)}


def prose(page: Path) -> str:
    """A page without its blocks."""
    return re.sub(r"^```.*?^```$", "", page.read_text(), flags=re.MULTILINE | re.DOTALL)


def headings(page: Path) -> set[str]:
    """The anchors of a page, as forges make them."""
    titles = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


def is_there(dotted: str) -> bool:
    """Whether a dotted name is a module, or what a module has."""
    try:
        pkgutil.resolve_name(dotted)
    except (ImportError, AttributeError):
        return False
    return True


def publish_sample(server: Server) -> None:
    client = server.client()
    ledger = Ledger(RedisStore(client, keys_of(client, NAMESPACE), where=server.url))
    ledger.publish(encoded(SAMPLE), Why("docs"))


@pytest.mark.parametrize("page", NAMES)
def test_every_python_block_of_a_page_runs_after_the_ones_before_it(
    page: str, server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code = [block for block in blocks("python") if block.place.startswith(f"{page}:")]
    publish_sample(server)
    scope: dict[str, Any] = {}
    subscribers: list[Subscriber] = []

    try:
        for block in code:
            exec(compile(block.text.replace(URL, server.url), block.place, "exec", dont_inherit=True), scope)
            subscribers += [thing for thing in scope.values() if isinstance(thing, Subscriber)]
    finally:
        for subscriber in subscribers:
            subscriber.close()

    assert all(subscriber.snapshot == SAMPLE for subscriber in subscribers)


@pytest.mark.parametrize("block", blocks("python before", "python subscriber.py"), ids=lambda block: block.place)
def test_what_runs_elsewhere_is_python_at_least(block: Block) -> None:
    compile(block.text, block.place, "exec", dont_inherit=True)


@pytest.mark.parametrize("block", blocks("yaml confbus.yaml"), ids=lambda block: block.place)
def test_every_confbus_yaml_loads(block: Block, tmp_path: Path) -> None:
    file = tmp_path / "confbus.yaml"
    file.write_text(block.text)

    settings = load_settings(file, variables={})

    assert settings.sources


def test_the_configuration_of_the_readme_is_fine_and_is_what_its_code_reads(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if name.startswith("APP_")]:
        monkeypatch.delenv(name)
    for block in blocks("yaml config/app.yaml", "yaml confbus.yaml"):
        if block.place.startswith("README.md:"):
            file = tmp_path / block.kind.removeprefix("yaml ")
            file.parent.mkdir(exist_ok=True)
            file.write_text(block.text)

    inputs = inputs_of(load_settings(tmp_path / "confbus.yaml", variables={}))
    merge = inputs.load()

    assert merge.tree == SAMPLE
    assert inputs.judge(merge, lambda: None) == ()


def test_every_key_of_confbus_yaml_has_its_row(tmp_path: Path) -> None:
    file = tmp_path / "confbus.yaml"
    file.write_text("namespace: checkout\nno-such-key-at-all: 1")

    with pytest.raises(InvalidSettings) as refused:
        load_settings(file)

    known = set(re.findall(r"\w+", refused.value.advice.removeprefix("Known are")))
    assert {key.partition(".")[0] for key in rows("docs/settings.md")} >= known > {"namespace", "sources"}


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_source_has_its_row_with_all_its_keys(kind: str) -> None:
    table = rows("docs/sources.md")

    told = set(re.findall(r"`(\w+)`", table[kind].rpartition(" | ")[2]))

    assert (told or table.keys()) >= set(KINDS[kind].keys)
    assert told <= set(KINDS[kind].keys)


@pytest.mark.parametrize(("place", "words"), commands("confbus"))
def test_every_command_is_one_that_the_program_knows(place: str, words: list[str]) -> None:
    name, *options = words
    command = program.get_command(click.Context(program), name)

    assert command is not None, f"{place}: there is no command {name}"
    with command.make_context(name, options):  # raises for options and arguments that it does not know
        pass


def test_the_readme_shows_every_command() -> None:
    shown = {words[0] for place, words in commands("confbus") if place.startswith("README.md:")}

    assert shown == {name for names in COMMANDS.values() for name in names}


@pytest.mark.parametrize(("place", "words"), commands("make"))
def test_every_make_target_is_there(place: str, words: list[str]) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert {word for word in words if "=" not in word} <= targets, place


def test_the_readme_takes_its_lines_of_redis_cli_from_those_that_are_run() -> None:
    run = (ROOT / "lua" / "README.md").read_text()
    readme = [block for block in blocks("sh") if block.place.startswith("README.md:")]
    lines = [line for block in readme for line in block.text.splitlines() if line.startswith("redis-cli")]

    assert lines
    assert [line for line in lines if line not in run.splitlines()] == []


def test_every_block_is_one_that_something_looks_at() -> None:
    """Blocks without a word show output, or a picture; those in `yaml` alone are parts of files."""
    words = "|text|sh|console|pycon|json|ini|toml|dockerfile|lua"
    known = re.compile(rf"({words}|python( before| subscriber\.py)?|yaml( \S+)?)")
    text = {page: page.read_text() for page in PAGES}
    kinds = {kind.strip() for each in text.values() for kind in re.findall(r"^```([^\n`]*)\n.*?^```$", each, FLAGS)}

    assert [kind for kind in sorted(kinds) if not known.fullmatch(kind)] == []


@pytest.mark.parametrize("block", blocks("yaml"), ids=lambda block: block.place)
def test_what_is_yaml_in_part_is_yaml(block: Block) -> None:
    class Loader(yaml.SafeLoader):
        """Takes the tags of confbus for what they stand before."""

    def plain(loader: yaml.SafeLoader, _suffix: str, node: yaml.ScalarNode) -> object:
        return loader.construct_scalar(node)

    Loader.add_multi_constructor("!", plain)

    assert list(yaml.load_all(block.text, Loader))


def test_the_readme_shows_code_within_its_first_15_lines() -> None:
    first = (ROOT / "README.md").read_text().splitlines()[:15]

    assert any("confbus.connect(" in line for line in first)
    assert any('config["database.host"]' in line for line in first)


@pytest.mark.parametrize("name", NAMES)
def test_every_link_leads_somewhere(name: str) -> None:
    page = ROOT / name
    dead: list[str] = []

    for target in re.findall(r"\]\(([^)\s]+)\)", prose(page)):
        file, _, anchor = target.partition("#")
        leads_to = page.parent / file if file else page
        if target.startswith("https://"):
            continue
        if not leads_to.exists() or (anchor and anchor not in headings(leads_to)):
            dead.append(target)

    assert dead == []


def test_the_map_leads_to_every_page() -> None:
    home = ROOT / "docs"
    linked = {target.partition("#")[0] for target in re.findall(r"\]\(([^)\s]+)\)", prose(home / "README.md"))}

    pages = {str(page.relative_to(home)) for page in home.rglob("*.md")}

    assert pages - linked == {"README.md"}


@pytest.mark.parametrize("name", NAMES)
def test_every_folder_and_name_that_is_told_is_there(name: str) -> None:
    spans = set(re.findall(r"`([^`\n]+)`", prose(ROOT / name)))
    folders = {span for span in spans if FOLDER.fullmatch(span)}
    names = {span for span in spans if NAME.fullmatch(span)} - GROUPS

    assert [folder for folder in sorted(folders) if not (ROOT / folder).exists()] == []
    assert [dotted for dotted in sorted(names) if not is_there(dotted)] == []


@pytest.mark.parametrize("name", NAMES)
def test_every_file_that_is_named_is_there(name: str) -> None:
    named = {span for span in re.findall(r"`([^`\n]+)`", prose(ROOT / name)) if FILE.fullmatch(span)}
    homes = [*HOMES, (ROOT / name).parent]

    gone = [
        file
        for file in sorted(named)
        if not OF_THE_READER.fullmatch(file) and not any((home / file).exists() for home in homes)
    ]

    assert gone == []


def test_every_page_that_code_names_is_there() -> None:
    code = [
        file for folder in ("publisher", "subscriber", "examples", "bench") for file in (ROOT / folder).rglob("*.py")
    ]
    named = {page for file in code for page in re.findall(r"\bdocs/[\w/-]+\.md", file.read_text())}

    assert named
    assert [page for page in sorted(named) if not (ROOT / page).exists()] == []


def test_the_numbers_of_the_readme_name_benches_that_are_there() -> None:
    table = (ROOT / "README.md").read_text().partition("\n## Numbers\n")[2].partition("\n## ")[0]
    named = set(re.findall(r"^\| `(\w+)` \|", table, re.MULTILINE))

    assert named
    assert named <= {file.stem for file in (ROOT / "bench").glob("*.py")}


def test_the_server_for_development_keeps_its_data_and_listens_on_loopback_alone() -> None:
    compose = cast("dict[str, Any]", yaml.safe_load((ROOT / "docker-compose.yml").read_text()))
    server = compose["services"]["develop"]

    assert server["image"].startswith("valkey/valkey:")
    assert server["command"][:3] == ["valkey-server", "--appendonly", "yes"]
    assert all(port.startswith("127.0.0.1:") for port in server["ports"])
    assert {volume.partition(":")[0] for volume in server["volumes"]} <= compose["volumes"].keys()
    assert server["healthcheck"]["test"] == ["CMD", "valkey-cli", "ping"]
