"""confbus.yaml."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from confbus.errors import InvalidNamespace, InvalidSettings
from confbus_publisher.layers import Layers
from confbus_publisher.settings import Settings, build_sources, load_settings
from confbus_publisher.sources import DictSource, EnvSource, FileSource

if TYPE_CHECKING:
    from confbus_publisher.layer import Layer

WHOLE = """\
namespace: shop/checkout
redis: redis://:${REDIS_PASSWORD}@localhost:6379/0
sources:
  - file: config/app.yaml
    priority: 10
    name: app
  - files: [a.yaml, /etc/b.json]
    optional: true
  - env: APP_
    priority: 5
  - values:
      database:
        host: ${DB_HOST:localhost}
        ports: ["${PORT:1}"]
    name: defaults
history: 20
state: /var/lib/confbus/state
limits: {document: 4 MiB}
poll_interval: 500ms
report_interval: 10
lease: ${LEASE:-20s}
"""


def load(directory: Path, text: str, **variables: str) -> Settings:
    path = directory / "confbus.yaml"
    path.write_text(text)
    return load_settings(path, variables=variables)


def layers(settings: Settings) -> list[Layer]:
    """What the sources that can be read say."""
    return Layers(build_sources(settings)).available()


def refusal(directory: Path, text: str) -> str:
    with pytest.raises(InvalidSettings) as caught:
        load(directory, text)
    return str(caught.value)


def test_everything_that_can_be_said_is_understood(tmp_path: Path) -> None:
    variables = {"REDIS_PASSWORD": "hunter2", "LEASE": ""}

    settings = load(tmp_path, WHOLE, **variables)

    assert settings.namespace == "shop/checkout"
    assert settings.redis == "redis://:hunter2@localhost:6379/0"
    assert settings.history == 20
    assert settings.state == Path("/var/lib/confbus/state")
    assert settings.document_limit_bytes == 4 * 1024 * 1024
    assert (settings.poll_interval_s, settings.report_interval_s, settings.lease_s) == (0.5, 10.0, 20.0)
    assert settings.path == tmp_path / "confbus.yaml"


def test_settings_show_no_secret(tmp_path: Path) -> None:
    text = WHOLE + "# the end\n"

    settings = load(tmp_path, text, REDIS_PASSWORD="hunter2", DB_HOST="hunter2")

    assert "hunter2" not in repr(settings)


def test_little_needs_to_be_said(tmp_path: Path) -> None:
    text = "namespace: shop/checkout\n"

    settings = load(tmp_path, text)

    assert settings.redis is None
    assert settings.sources == ()
    assert settings.history == 50
    assert settings.state == tmp_path / ".confbus" / "state-shop%2Fcheckout"
    assert settings.document_limit_bytes == 8 * 1024 * 1024


def test_sources_are_built_in_order_with_paths_from_the_file(tmp_path: Path) -> None:
    settings = load(tmp_path, WHOLE, REDIS_PASSWORD="x")

    sources = build_sources(settings)

    assert [type(source) for source in sources] == [FileSource, FileSource, FileSource, EnvSource, DictSource]
    assert [(source.name, source.priority) for source in sources] == [
        ("app", 10),
        (str(tmp_path / "a.yaml"), 0),
        ("/etc/b.json", 0),
        ("env:APP_", 5),
        ("defaults", 0),
    ]
    assert sources[0].watched == (tmp_path / "config",)


def test_inline_values_have_their_line_in_confbus_yaml(tmp_path: Path) -> None:
    settings = load(tmp_path, WHOLE, REDIS_PASSWORD="x", PORT="7")

    layer = layers(settings)[-1]

    assert layer.tree == {"database": {"host": "${DB_HOST:localhost}", "ports": ["${PORT:1}"]}}
    assert str(layer.origins["database", "host"]) == f"{tmp_path / 'confbus.yaml'}:13:9"


REFUSED = {
    "no namespace": ("history: 50", ":1:1", "namespace is missing"),
    "not a string": ("namespace: 5", ":1:1", "namespace must be a string"),
    "unknown key": ("namespace: x\nhistroy: 5", ":2:1", "Did you mean history?"),
    "nothing near": ("namespace: x\nzzz: 5", ":2:1", "Known are checks, file_roots"),
    "null": ("namespace: x\nredis:", ":2:1", "redis must be a string"),
    "empty": ("namespace: x\nredis: ''", ":2:1", "redis is empty"),
    "history too short": ("namespace: x\nhistory: 15", ":2:1", "at least 16"),
    "history no number": ("namespace: x\nhistory: true", ":2:1", "must be a whole number"),
    "history no whole number": ("namespace: x\nhistory: 20.5", ":2:1", "must be a whole number"),
    "size": ("namespace: x\nlimits:\n  document: 8 parsecs", ":3:3", "must be a size such as 8 MiB"),
    "size of nothing": ("namespace: x\nlimits:\n  document: 0", ":3:3", "more than nothing"),
    "unknown limit": ("namespace: x\nlimits:\n  documents: 1", ":3:3", "Did you mean document?"),
    "limits no mapping": ("namespace: x\nlimits: 5", ":2:1", "limits must be a mapping"),
    "short": ("namespace: x\nlease: 1ms", ":2:1", "must be between 0.5s and 3600s"),
    "long": ("namespace: x\nlease: 2h", ":2:1", "must be between 0.5s and 3600s"),
    "duration": ("namespace: x\nlease: soon", ":2:1", "must be a duration such as 5s"),
    "password of nobody": ("namespace: x\npassword_file: secret", ":2:1", "has no server"),
    "negative duration": ("namespace: x\npoll_interval: -1", ":2:1", "more than nothing"),
    "boolean duration": ("namespace: x\npoll_interval: true", ":2:1", "must be a duration"),
    "a strategy": ("namespace: x\nmerge: {hosts: add}", ":2:9", "'add' is no way to join lists. Known are append"),
    "a pattern": ("namespace: x\nmerge: {a..b: append}", ":2:9", "'a..b' is not a path"),
    "replace": ("namespace: x\nreplace: [a, 1]", ":2:14", "replace is a list of strings"),
    "seal a deeper path": ("namespace: x\nseal: [a, database.password]", ":2:11", "lies inside a section, and only a"),
    "seal the root": ("namespace: x\nseal:\n- .", ":3:3", "top-level values without a mapping cannot be sealed"),
    "seal no path": ("namespace: x\nseal: [a..b]", ":2:8", "'a..b' is no path"),
    "seal no list": ("namespace: x\nseal: database", ":2:1", "seal must be a list"),
    "directory no string": ("namespace: x\nsources:\n- directory: [x]", ":3:3", "directory must be a string"),
    "secrets with a profile": (
        "namespace: x\nsources:\n- secrets: x\n  profile: y",
        ":4:3",
        "'profile' is not known",
    ),
    "a pattern as one file": (
        "namespace: x\nsources:\n- file: conf.d/*.yaml",
        ":3:3",
        "Write `files: [conf.d/*.yaml]`",
    ),
    "a pattern without a suffix": ("namespace: x\nsources:\n- files: [a.yaml, conf.d/*]", ":3:19", "of which format"),
    "a pattern of any depth": ("namespace: x\nsources:\n- files: [conf.d/**/a.yaml]", ":3:11", "** is not known"),
    "format": ("namespace: x\nsources:\n- file: a.ini\n  format: ini", ":4:3", "there is no format ini"),
    "profile": ("namespace: x\nprofile: ../x\nsources: []", ":2:1", "a profile is a word"),
    "empty profile": ("namespace: x\nprofile: ''", ":2:1", "profile is empty"),
    "profile of a source": ("namespace: x\nsources:\n- file: a.yaml\n  profile: a b", ":4:3", "a profile is a word"),
    "interpolate": ("namespace: x\nsources:\n- file: a.yaml\n  interpolate: 1", ":4:3", "must be true or false"),
    "delete no list": ("namespace: x\nsources:\n- file: a.yaml\n  delete: a", ":4:3", "delete must be a list"),
    "delete no path": (
        "namespace: x\nsources:\n- file: a.yaml\n  delete: [a, b..c]",
        ":4:15",
        "'b..c' is not a path",
    ),
    "delete in a list": (
        "namespace: x\nsources:\n- file: a.yaml\n  delete: ['hosts[0]']",
        ":4:12",
        "not an item of a list",
    ),
    "sources no list": ("namespace: x\nsources: {file: a.yaml}", ":2:1", "sources must be a list"),
    "source no mapping": ("namespace: x\nsources:\n- a.yaml", ":3:3", "sources is a list of mappings"),
    "source of no kind": ("namespace: x\nsources:\n- priority: 3", ":3:3", "names no source"),
    "source of two kinds": (
        "namespace: x\nsources:\n- env: A_\n  file: a.yaml",
        ":3:3",
        "file and env are two sources",
    ),
    "source misspelt": ("namespace: x\nsources:\n- env: A_\n  prioritty: 3", ":4:3", "Did you mean priority?"),
    "file variable": (
        "namespace: x\nsources:\n- env: A_\n  file_variables: [A_PW]",
        ":4:20",
        "A_PW does not begin with A_ and end with _FILE",
    ),
    "delete no path of env": (
        "namespace: x\nsources:\n- env: A_\n  delete: [a..b]",
        ":4:12",
        "'a..b' is not a path",
    ),
    "delete in a list of env": (
        "namespace: x\nsources:\n- env: A_\n  delete: ['hosts[0]']",
        ":4:12",
        "not an item of a list",
    ),
    "file_roots no list": ("namespace: x\nfile_roots: /run", ":2:1", "file_roots must be a list"),
    "file out of the roots": ("namespace: x\nredis: '${file:/etc/hostname}'", ":2:1", "it is not below /run/secrets"),
    "reference": ("namespace: x\nredis: '${ref:namespace}'", ":2:1", "cannot stand here"),
    "optional variable": ("namespace: x\nsources:\n- env: A_\n  optional: true", ":4:3", "'optional' is not known"),
    "name for several": ("namespace: x\nsources:\n- files: [a.yaml]\n  name: b", ":4:3", "'name' is not known"),
    "optional maybe": ("namespace: x\nsources:\n- file: a.yaml\n  optional: maybe", ":4:3", "must be true or false"),
    "priority": ("namespace: x\nsources:\n- env: A_\n  priority: high", ":4:3", "priority must be a whole number"),
    "empty prefix": ("namespace: x\nsources:\n- env: ''", ":3:3", "env is empty"),
    "suffix": ("namespace: x\nsources:\n- file: a.ini", ":3:3", "Use one of .yaml, .yml, .json"),
    "suffix among files": ("namespace: x\nsources:\n- files: [a.yaml, b]", ":3:3", "the suffix of"),
    "files no list": ("namespace: x\nsources:\n- files: a.yaml", ":3:3", "files must be a list"),
    "file no string": ("namespace: x\nsources:\n- files: [a.yaml, 3]", ":3:19", "files is a list of strings"),
    "values no mapping": ("namespace: x\nsources:\n- values: 3", ":3:3", "values must be a mapping"),
    "same name": ("namespace: x\nsources:\n- file: a.yaml\n- file: a.yaml", ":4:3", "is named"),
    "variable not set": ("namespace: x\nredis: redis://${REDIS_HOST}", ":2:1", "the variable REDIS_HOST is not set"),
    "variable in a list": (
        "namespace: x\nsources:\n- files: ['${DIR}/a.yaml']",
        ":3:11",
        "the variable DIR is not set",
    ),
    "no YAML": ("namespace: [", ":", ""),
    "duplicate": ("namespace: x\nnamespace: y", ":2:1", "'namespace' stands on line 1 already"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_followed_is_refused_with_its_line(tmp_path: Path, case: str) -> None:
    text, place, reason = REFUSED[case]

    told = refusal(tmp_path, text)

    assert told.startswith(f"{tmp_path / 'confbus.yaml'}{place}")
    assert reason in told


@pytest.mark.parametrize("namespace", ["a b", "a:b", "a{b}", "x" * 101, "é"])
def test_a_namespace_that_would_change_keys_is_refused_with_its_line(tmp_path: Path, namespace: str) -> None:
    text = f"history: 50\nnamespace: '{namespace}'\n"

    with pytest.raises(InvalidNamespace) as caught:
        load(tmp_path, text)

    assert str(caught.value).startswith(f"{tmp_path / 'confbus.yaml'}:2:1: ")


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "confbus.yaml"

    with pytest.raises(InvalidSettings, match="No such file"):
        load_settings(path)


def test_numbers_may_come_from_variables(tmp_path: Path) -> None:
    text = "namespace: x\nhistory: ${HISTORY}\nsources:\n- file: a.yaml\n  priority: ${P}\n  optional: ${O}\n"

    settings = load(tmp_path, text, HISTORY="30", P="-2", O="true")

    assert settings.history == 30
    assert [source.priority for source in settings.sources] == [-2]
    assert [layer.tree for layer in layers(settings)] == [{}]


def test_variables_come_from_the_environment_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "confbus.yaml"
    path.write_text("namespace: ${CONFBUS_TEST_NAMESPACE}\n")
    monkeypatch.setenv("CONFBUS_TEST_NAMESPACE", "checkout")

    settings = load_settings(path)

    assert settings.namespace == "checkout"


def test_files_below_the_roots_may_be_named(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "pw").write_text("hunter2\n")
    text = "namespace: x\nredis: redis://:${file:elsewhere/pw}@localhost\n"

    by_default = load(tmp_path, text)
    by_name = load(tmp_path, f"{text}file_roots: ['${{WHERE}}']\n", WHERE="elsewhere")

    assert by_default.redis == by_name.redis == "redis://:hunter2@localhost"
    assert by_default.file_roots == (Path("/run/secrets"), tmp_path)
    assert by_name.file_roots == (tmp_path / "elsewhere",)
    assert by_name.files().read("elsewhere/pw") == "hunter2"
    assert "not below" in refusal(tmp_path, f"{text}file_roots: [other]\n")


def test_a_source_of_the_environment_is_told_what_it_may_do(tmp_path: Path) -> None:
    text = "namespace: x\nsources:\n- {env: CBX_, interpolate: true, delete: [a.b], file_variables: [CBX_PW_FILE]}\n"

    [settings] = load(tmp_path, text).sources
    [layer] = Layers([settings.build()]).load()

    assert (layer.interpolates, layer.deletes) == (True, frozenset([("a", "b")]))
    assert getattr(settings, "file_variables", ()) == ("CBX_PW_FILE",)


def test_the_password_file_belongs_to_the_url(tmp_path: Path) -> None:
    file = tmp_path / "confbus.yaml"
    file.write_text("namespace: shop\nredis: rediss://ann@db:6379/1\npassword_file: secret\n")

    settings = load_settings(file, variables={})

    assert settings.redis == f"rediss://ann@db:6379/1?password_file={tmp_path}/secret"


def test_what_is_sealed_and_with_which_keyring_is_said_in_the_file_or_by_a_variable(tmp_path: Path) -> None:
    plain = load(tmp_path, "namespace: x")
    named = load(tmp_path, "namespace: x\nseal: [db, '[\"a.b\"]', db]\nkeys: ${DIR}/keys", DIR="/etc/confbus")

    assert (plain.seal, plain.keys) == ((), tmp_path / ".confbus" / "keys")
    assert (named.seal, named.keys) == (("db", "a.b"), Path("/etc/confbus/keys"))
    assert load(tmp_path, "namespace: x", CONFBUS_KEYS="mine").keys == tmp_path / "mine"
