"""What is known of a decoder of bytes that others may have written."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from confbus.errors import ConfBusError
from confbus.wire import codec
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@dataclass(frozen=True, slots=True)
class Decoder:
    """One decoder. `decode` is given bytes, and a folder for what reads files; `samples` are what it is meant for.

    `bounds` says in words what bounds it. `raises` is what its caller turns into words, where that is not an error of
    the tree. `bombs` ask for more memory than they deserve: for each byte it may take `growth` of memory, beside what
    it may take `at_once`. `modules` are where the bytes are read.
    """

    name: str
    modules: tuple[str, ...]
    bounds: str
    decode: Callable[[bytes, Path], object] = field(repr=False)
    samples: tuple[bytes, ...] = field(repr=False)
    raises: tuple[type[Exception], ...] = (ConfBusError,)
    bombs: tuple[bytes, ...] = field(default=(), repr=False)
    growth: int = 200
    at_once: int = 8 * 1024 * 1024


def texts(raw: bytes) -> list[bytes]:
    """The flat list of names and values of a hash, as a line each."""
    lines = raw.split(b"\n")
    return lines + [b""] * (len(lines) % 2)


def flat(fields: dict[str, str]) -> bytes:
    """The lines that `texts` makes the hash of."""
    return "\n".join(text for item in fields.items() for text in item).encode()


def checked(magic: bytes, body: bytes, *, end: bytes = b"") -> bytes:
    """A file with a checksum that fits, whatever is in it."""
    return magic + codec.digest(body).encode() + end + body


MIB = 1024 * 1024
SIZE = scaled(test=16 * 1024, soak=MIB)
"""Of a bomb."""
NESTED_LISTS = b"\x91" * SIZE
NESTED_MAPS = b"\x81\xa1a" * (SIZE // 3)
LYING_LISTS = (b"\xdd" + struct.pack(">I", SIZE - SIZE // 16)) * (SIZE // 5)
EMPTY_LISTS = b"\xdd" + struct.pack(">I", SIZE) + b"\x90" * SIZE
PREALLOCATED = 96 * MIB
"""What msgpack takes for lists within lists that claim to be long: 80 KB for each of 1,024 levels."""
MSGPACK_BOMBS = (NESTED_LISTS, NESTED_MAPS, LYING_LISTS, EMPTY_LISTS)
JSON_BOMBS = (
    b"[" * SIZE,
    b'{"a":' * (SIZE // 5),
    b'{"a":[' + b"[]," * (SIZE // 3) + b"0]}",
    b'{"a":"' + b"\\u00e4" * 9,
)
