"""The lines of an export: one object of JSON each. What is in them is nobody's word: sizes and shapes are checked.

The first says what it is, the last has the SHA-256 of all lines before it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import re
from typing import IO, TYPE_CHECKING, Any

from confbus.errors import ConfBusError, Malformed
from confbus.wire.frozen import is_mapping

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

FORMAT = 1
MAX_BLOB = 32 * 1024 * 1024
MAX_LINE = MAX_BLOB * 4 // 3 + 1024
MAX_LINES = 2_000_000
MAX_FIELDS = 5000
MAX_BYTES = 16 * 1024**3
MAX_TEXTS = 4 * 1024**2
"""Of a line that is no blob: what is parsed may take some twenty times as much memory."""
MAX_ALL_TEXTS = 256 * 1024**2
_BLOB = b'{"kind":"blob",'
_BLOB_LINE = re.compile(rb'\{"kind":"blob","digest":"([0-9a-f]{64})","bytes":"([A-Za-z0-9+/]*={0,2})"\}\n')
_NOT_WHOLE = "Take another copy; this one is cut off or altered."

Facts = dict[str, Any]


class Writer:
    """Lines into `file`, and their checksum."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._sum = hashlib.sha256()
        self.count = 0

    def put(self, kind: str, **facts: object) -> None:
        """One line. Raises `ConfBusError` for one that nobody could read again, and `OSError`."""
        raw = _encoded({"kind": kind, **facts})
        most = MAX_LINE if kind == "blob" else MAX_TEXTS
        if len(raw) > most:
            raise ConfBusError(f"A {kind} of {len(raw):,} bytes has no place in an export, which may have {most:,}.")
        self._file.write(raw)
        self._sum.update(raw)
        self.count += 1

    def put_blob(self, digest: str, blob: bytes) -> None:
        self.put("blob", digest=digest, bytes=base64.b64encode(blob).decode())

    def end(self) -> str:
        """The last line; returns the checksum that it has."""
        checksum = self._sum.hexdigest()
        self._file.write(_encoded({"kind": "end", "lines": self.count, "sha256": checksum}))
        return checksum


def verify(file: IO[bytes], *, name: str) -> None:
    """Read to the end and see that it is the right one. Raises `Malformed` for anything that was cut off or altered."""
    checksum, count, last, size = hashlib.sha256(), 0, b"", 0
    for raw in _raw(file, name=name):
        if last:
            checksum.update(last)
            count += 1
        last, size = raw, size + len(raw)
        if count > MAX_LINES or size > MAX_BYTES:
            raise Malformed(name, "it has more than an export may have")
    if last != _encoded({"kind": "end", "lines": count, "sha256": checksum.hexdigest()}):
        raise Malformed(name, "its last line is not the checksum of all others", advice=_NOT_WHOLE)


def read(file: IO[bytes], *, name: str) -> Iterator[tuple[str, Facts]]:
    """The kind and facts of each line but the last; those of a blob are its digest and its bytes.

    Raises `Malformed` for what is no line of an export.
    """
    size = 0
    for number, raw in enumerate(_raw(file, name=name), 1):
        where = f"{name}, line {number}"
        if raw.startswith(_BLOB):
            yield "blob", {"blob": _blob(raw, where)}
            continue
        size += len(raw)
        if len(raw) > MAX_TEXTS or size > MAX_ALL_TEXTS:
            raise Malformed(where, "it is longer than an export's lines are")
        try:
            facts: Any = json.loads(raw)
            kind = facts.pop("kind")
        except (ValueError, RecursionError, AttributeError, KeyError, TypeError):
            raise Malformed(where, "it is no line of an export") from None
        if kind == "end":
            return
        yield str(kind), facts


def texts(facts: Mapping[str, Any], key: str) -> dict[str, str]:
    """The mapping of texts to texts there. Raises `Malformed`."""
    found: Any = facts.get(key)
    if not is_mapping(found) or not 0 < len(found) <= MAX_FIELDS:
        raise Malformed("a line", f"{key!r} is no mapping of texts")
    if not all(isinstance(value, str) and _is_text(name) and _is_text(value) for name, value in found.items()):
        raise Malformed("a line", f"{key!r} holds something else than texts")
    return {**found}


def text(facts: Mapping[str, Any], key: str, *, most: int = 64 * 1024) -> str:
    """The text there. Raises `Malformed`."""
    found = facts.get(key)
    if not isinstance(found, str) or len(found) > most or not _is_text(found):
        raise Malformed("a line", f"{key!r} is no text, or too long")
    return found


def _blob(raw: bytes, where: str) -> tuple[str, bytes]:
    found = _BLOB_LINE.fullmatch(raw)
    try:
        content = base64.b64decode(found[2], validate=True) if found else None
    except binascii.Error:
        content = None
    if found is None or content is None or hashlib.sha256(content).hexdigest().encode() != found[1]:
        raise Malformed(where, "it is no blob with the bytes of its digest")
    return found[1].decode(), content


def _is_text(text: str) -> bool:
    """False for half of a surrogate pair, which JSON may hold and Redis cannot."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _encoded(facts: Facts) -> bytes:
    return json.dumps(facts, separators=(",", ":")).encode() + b"\n"


def _raw(file: IO[bytes], *, name: str) -> Iterator[bytes]:
    file.seek(0)
    while raw := file.readline(MAX_LINE + 1):
        if len(raw) > MAX_LINE:
            raise Malformed(name, f"it has a line of more than {MAX_LINE:,} bytes")
        yield raw
