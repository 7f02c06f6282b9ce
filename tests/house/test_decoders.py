"""That every place in which bytes of others are read is known, bounded and fuzzed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from support.publisher_decoders import PUBLISHER_DECODERS
from support.syntax import dotted, nodes
from support.worker_decoders import WORKER_DECODERS

ROOT = Path(__file__).parents[2]
DECODERS = (*WORKER_DECODERS, *PUBLISHER_DECODERS)

READING = {
    "msgpack.unpackb",
    "msgpack.Unpacker",
    "json.load",
    "json.loads",
    "json.JSONDecoder",
    "tomllib.load",
    "tomllib.loads",
    "zlib.decompress",
    "zlib.decompressobj",
    "gzip.decompress",
    "gzip.open",
    "yaml.parse",
    "yaml.compose",
    "yaml.safe_load",
    "yaml.BaseLoader",
    "yaml.CBaseLoader",
    "struct.unpack",
    "struct.unpack_from",
    "base64.b64decode",
    "base64.urlsafe_b64decode",
    "bytes.fromhex",
    "codec.unpack",
    "codec.decode",
    "read_json",
    "load_json",
    "load_yaml",
    "load_toml",
    "load_dotenv",
    "PARSER",
}

# What reads nothing that others may have written, and why.
KNOWN = {
    "publisher/confbus_publisher/checks/cel_worker.py": "what its parent, the publisher, wrote into its pipe",
    "publisher/confbus_publisher/demo/workers.py": "what the demo's own workers print",
    "publisher/confbus_publisher/first_settings/draft.py": "the settings that it just wrote itself",
    "publisher/confbus_publisher/formats/format.py": "gives texts to the parsers of each format",
    "subscriber/confbus/testing/override.py": "what the test itself encoded just before",
}


def readings(file: Path) -> set[str]:
    """What a module calls that makes values of bytes or texts."""
    return {dotted(node.func) for node in nodes(file) if isinstance(node, ast.Call)} & READING


def test_every_module_that_reads_what_others_wrote_is_fuzzed() -> None:
    modules = [file for package in ("publisher", "subscriber") for file in sorted((ROOT / package).rglob("*.py"))]
    fuzzed = {module for decoder in DECODERS for module in decoder.modules}

    reading = {str(file.relative_to(ROOT)): found for file in modules if (found := readings(file))}

    unknown = {module: found for module, found in reading.items() if module not in fuzzed | KNOWN.keys()}
    assert unknown == {}, "put each into tests/support/worker_decoders.py or publisher_decoders.py"
    assert KNOWN.keys() <= reading.keys()


@pytest.mark.parametrize("decoder", DECODERS, ids=lambda decoder: decoder.name)
def test_every_decoder_says_what_bounds_it_and_where_it_stands(decoder: object) -> None:
    known = next(each for each in DECODERS if each is decoder)

    assert known.bounds
    assert [module for module in known.modules if not (ROOT / module).exists()] == []


def test_every_decoder_has_a_name_of_its_own() -> None:
    names = [decoder.name for decoder in DECODERS]

    assert sorted(set(names)) == sorted(names)
