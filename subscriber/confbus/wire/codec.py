"""Configuration to bytes and back: canonical msgpack of the JSON data model, named by its SHA-256.

Equal documents give equal bytes (keys sorted, shortest encodings), so a digest names a content. Decoding yields
immutable values straight from the decoder's hooks; no Python code runs over the leaves.
"""

from __future__ import annotations

import gc
import sys
from operator import itemgetter

import msgpack as _untyped  # pyright: ignore[reportMissingTypeStubs]  # ships no types

from confbus.errors import InvalidDocument, Malformed
from confbus.wire import path as paths
from confbus.wire.depth import is_deeper
from confbus.wire.frozen import Frozen, FrozenList, Reference, Referring, is_list, is_mapping, is_tuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any, NoReturn

msgpack: Any = _untyped
MAX_DEPTH = 100
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1
_TEXT = {str}
_LEAF = {str, int, bool, type(None)}
_LARGE_BYTES = 256 * 1024
_REFERENCE = 1
"""The msgpack extension type of a secret reference: its text, in UTF-8."""
MAX_REFERENCE_BYTES = 1024


def encode(value: Any, *, at: paths.Path = ()) -> bytes:
    """The canonical bytes of a JSON-like value.

    Raises `InvalidDocument` naming the path (below `at`) of what cannot be part of a configuration: keys that are no
    strings, NaN and infinities, integers beyond 64 bits, lone surrogates, other types, more than 100 levels.
    """
    try:
        return bytes(msgpack.packb(_plain(value, MAX_DEPTH - len(at)), use_bin_type=True))
    except (TypeError, ValueError, OverflowError):
        # Something is not plain: the careful way accepts what it can and names the path of what it cannot.
        return bytes(msgpack.packb(_canonical(value, at, depth=len(at)), use_bin_type=True))


def decode(blob: bytes, *, what: str) -> Any:
    """The frozen value of canonical bytes, a `Referring` for a mapping with secret references. Raises `Malformed`,
    naming `what`, for anything else, also for what is nested deeper than a document may be."""
    try:
        return _shallow(_unpacked(blob), blob)
    except _DAMAGE:
        pass
    try:
        return _referring(_shallow(_unpacked(blob, max_ext_len=MAX_REFERENCE_BYTES), blob))
    except _DAMAGE as error:
        reason = f"no msgpack of plain data, at most {MAX_DEPTH} levels deep ({type(error).__name__})"
        raise Malformed(what, reason) from None


class Undisturbed:
    """`with Undisturbed(size):` the collector rests, when as many bytes are worth it. A decode allocates one object a
    leaf and frees none: the collector would walk them all, again and again, while readers wait."""

    __slots__ = ("_collecting",)

    def __init__(self, size: int) -> None:
        self._collecting = size > _LARGE_BYTES and gc.isenabled()

    def __enter__(self) -> None:
        if self._collecting:
            gc.disable()

    def __exit__(self, *_exception: object) -> None:
        if self._collecting:
            gc.enable()


def size_of_map(entries: Iterable[int]) -> int:
    """The size in bytes of a mapping whose keys and values together have these sizes."""
    sizes = list(entries)
    return (1 if len(sizes) < 16 else 3 if len(sizes) < 2**16 else 5) + sum(sizes)


def pack(facts: Any) -> bytes:
    """Plain facts of our own as msgpack, in the order given; configuration goes through `encode`."""
    return bytes(msgpack.packb(facts, use_bin_type=True))


def unpack(raw: bytes, *, what: str, most_lists: int | None = None) -> Any:
    """What `pack` packed. Raises `Malformed`, naming `what`, for anything that is no msgpack of plain facts, or has
    more than `most_lists` lists: an empty one takes a byte here, and fifty in memory."""
    hooks: dict[str, Any] = {} if most_lists is None else {"list_hook": _at_most(most_lists)}
    try:
        return msgpack.unpackb(raw, raw=False, max_ext_len=0, **hooks)
    except (ValueError, TypeError, RecursionError, msgpack.UnpackException) as error:
        raise Malformed(what, type(error).__name__) from None


def digest(blob: bytes) -> str:
    """The name of a content: SHA-256 in hex, as `sha256sum` prints it."""
    return str(_sha256(blob).hexdigest())


class _Sooner:
    """SHA-256 as the interpreter has it built in, for the first few hundred kilobytes of a process: loading OpenSSL for
    `hashlib` takes longer than reading a first configuration. Then it makes room for that one, which is faster."""

    left = 512 * 1024

    def __call__(self, data: bytes) -> Any:
        global _sha256  # noqa: PLW0603 — from now on, calls go straight there
        self.left -= len(data)
        if self.left >= 0:
            try:
                return __import__(_BUILTIN).sha256(data)
            except ImportError:  # an interpreter that was built without it
                self.left = 0
        import hashlib

        _sha256 = hashlib.sha256
        return _sha256(data)


_BUILTIN = "_sha2" if sys.version_info >= (3, 12) else "_sha256"
_sha256: Callable[[bytes], Any] = _Sooner()


def _at_most(most: int) -> Callable[[Any], Any]:
    left = iter(range(most))

    def count(items: Any) -> Any:
        if next(left, None) is None:
            raise ValueError
        return items

    return count


def _is_finite(value: float) -> bool:
    return value - value == 0  # of NaN and infinities it is NaN; a module less to load than with `math`


def _kind(value: object) -> type[object]:
    return type(value)


def _plain(value: Any, levels: int) -> Any:
    """`value` with sorted keys, when it has the plain types only. Raises `TypeError` or `ValueError` for the rest."""
    kind = _kind(value)
    if kind is float and _is_finite(value):
        return value
    if levels <= 0:
        raise ValueError
    if kind is dict or kind is Frozen:
        if not set(map(type, value)) <= _TEXT:
            raise TypeError
        return {key: part if type(part := value[key]) in _LEAF else _plain(part, levels - 1) for key in sorted(value)}
    if kind is list or kind is FrozenList:
        return [part if type(part) in _LEAF else _plain(part, levels - 1) for part in value]
    if kind is Reference:
        return _extension(value, ())
    raise TypeError


def _canonical(value: Any, at: paths.Path, *, depth: int) -> Any:
    if value is None:
        return value
    if isinstance(value, bool | str | int | float):
        return _checked_scalar(value, at)
    if isinstance(value, Reference):
        return _extension(value, at)
    if depth >= MAX_DEPTH:
        _refuse(at[:8], f"it is nested deeper than {MAX_DEPTH} levels")
    if is_mapping(value):
        return {
            _checked_key(key, at): _canonical(part, (*at, key), depth=depth + 1) for key, part in _sorted(value, at)
        }
    if is_list(value) or is_tuple(value):
        return [_canonical(part, (*at, index), depth=depth + 1) for index, part in enumerate(value)]
    return _refuse(at, f"{type(value).__name__} is no type of configuration")


def _sorted(mapping: dict[Any, Any], at: paths.Path) -> list[tuple[Any, Any]]:
    try:
        return sorted(mapping.items(), key=itemgetter(0))
    except TypeError:
        return _refuse(at, "its keys are not all strings")


def _checked_key(key: Any, at: paths.Path) -> str:
    if not isinstance(key, str):
        _refuse(at, f"the key {key!r} is no string")
    return _checked_text(key, at)


def _checked_text(text: str, at: paths.Path) -> str:
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            _refuse(at, "it holds half a surrogate pair, which is no Unicode text")
    return text


def _checked_scalar(value: float | str, at: paths.Path) -> Any:
    if isinstance(value, bool):
        return bool(value)
    if isinstance(value, str):
        return _checked_text(str.__str__(value), at)  # `str(value)` of an enum's member is its name
    if isinstance(value, int):
        if not _SMALLEST <= value <= _LARGEST:
            _refuse(at, "the integer needs more than 64 bits")
        return int(value)
    if not _is_finite(value):
        _refuse(at, "NaN and infinities have no place in a configuration")
    return float(value)


def _extension(reference: Reference, at: paths.Path) -> Any:
    from confbus.wire.reference import fault_of  # only who publishes encodes

    fault = fault_of(reference)
    if fault:
        _refuse(at, f"{fault}, in a secret reference")  # a ValueError: the careful way is tried, and says where
    return msgpack.ExtType(_REFERENCE, reference.text.encode())


def _refuse(at: paths.Path, reason: str) -> NoReturn:
    raise InvalidDocument(paths.render(at), reason)


def _unpacked(blob: bytes, max_ext_len: int = 0) -> Any:
    # Without extensions no Python code runs over the leaves; nearly all sections have none.
    return msgpack.unpackb(
        blob,
        object_hook=Frozen,
        list_hook=FrozenList,
        ext_hook=_reference,
        raw=False,
        max_bin_len=0,
        max_ext_len=max_ext_len,
    )


def _shallow(value: Any, blob: bytes) -> Any:
    """`value`, of `blob`, when no more levels are in it than were allowed to go out: whoever walks over it recurses."""
    if is_deeper(blob, MAX_DEPTH):
        raise RecursionError
    return value


def _reference(code: int, data: bytes) -> Reference:
    if code != _REFERENCE:
        raise ValueError("extension type")
    return Reference(data.decode())


def _referring(value: Any) -> Any:
    """`value`, knowing its references."""
    found: dict[paths.Path, Reference] = {}
    _collect(value, (), found)
    return Referring(value, found) if isinstance(value, Frozen) else value


def _collect(value: Any, place: paths.Path, found: dict[paths.Path, Reference]) -> None:
    """Find each reference. Raises `ValueError` for what msgpack makes of an extension type of its own, the timestamp,
    which it shows to no hook, and for nesting that nobody encodes: others walk here after this."""
    if len(place) > MAX_DEPTH:
        raise ValueError("nested too deep")
    if is_mapping(value) or is_list(value):
        for key, part in value.items() if is_mapping(value) else enumerate(value):
            _collect(part, (*place, key), found)
    elif isinstance(value, Reference):
        found[place] = value
    elif type(value) not in _LEAF and type(value) is not float:
        raise ValueError("extension type")


_DAMAGE = (ValueError, TypeError, RecursionError, msgpack.UnpackException)
