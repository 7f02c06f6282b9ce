"""A plain connection reads what a server says, however it arrives, and believes no claim of a length."""

from __future__ import annotations

import os
import signal
import socket
import threading
from contextlib import closing, suppress
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.connection import Connection as RedisPyConnection

from confbus.connection import ErrorReply, ask
from confbus.resp import MAX_BYTES, MAX_ITEMS, MAX_LINE, PlainConnection, pack
from support.scale import scaled

if TYPE_CHECKING:
    from collections.abc import Iterator

TEXTS = st.binary(max_size=40) | st.sampled_from([b"\r\n", b"$3\r\n", b"x" * 70_000])
REPLIES = st.recursive(
    st.none() | st.integers(-(2**63), 2**63 - 1) | TEXTS, lambda items: st.lists(items, max_size=5), max_leaves=12
)


class Pair:
    """A connection, and the server's end of its socket."""

    def __init__(self, timeout_s: float = 5.0) -> None:
        ours, self.server = socket.socketpair()
        self.connection = PlainConnection(ours, timeout_s=timeout_s)
        self._sending: list[threading.Thread] = []

    def told(self, *parts: bytes) -> Any:
        """The next reply when the server sends these parts, one after the other."""
        self._sending.append(threading.Thread(target=self._send, args=parts))
        self._sending[-1].start()
        return self.connection.receive()

    def close(self) -> None:
        self.connection.close()
        for thread in self._sending:
            thread.join()
        self.server.close()

    def _send(self, *parts: bytes) -> None:
        with suppress(OSError):  # the connection was given up meanwhile
            for part in parts:
                self.server.sendall(part)


@pytest.fixture
def pair() -> Iterator[Pair]:
    pair = Pair()
    yield pair
    pair.close()


def encoded(reply: Any) -> bytes:
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, bytes):
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    return b"*%d\r\n" % len(reply) + b"".join(map(encoded, reply))


@given(replies=st.lists(REPLIES, min_size=1, max_size=4), cuts=st.lists(st.integers(0, 300), max_size=6))
def test_replies_are_the_same_however_they_are_cut_on_the_way(replies: list[Any], cuts: list[int]) -> None:
    pair = Pair()
    whole = b"".join(map(encoded, replies))
    places = [0, *sorted(cut % len(whole) for cut in cuts), len(whole)]
    parts = [whole[start:end] for start, end in pairwise(places)]

    first = pair.told(*parts)
    rest = [pair.connection.receive() for _ in replies[1:]]

    assert [first, *rest] == replies
    assert not pair.connection.has_more()
    pair.close()


@given(words=st.lists(st.text() | st.binary() | st.integers(), max_size=6))
def test_a_command_is_packed_as_redis_py_packs_it(words: list[str | bytes | int]) -> None:
    theirs: Any = RedisPyConnection()

    assert pack(["SET", *words]) == b"".join(theirs.pack_command("SET", *words))


def test_a_text_of_megabytes_comes_whole(pair: Pair) -> None:
    text = os.urandom(scaled(test=3_000_000, soak=100_000_000))

    assert pair.told(encoded(text)) == text


def test_words_and_errors_are_told_apart(pair: Pair) -> None:
    assert pair.told(b"+OK\r\n") == b"OK"

    error = pair.told(b"-LOADING Redis is loading the dataset in memory\r\n")

    assert isinstance(error, ErrorReply)
    assert str(error) == "LOADING Redis is loading the dataset in memory"


def test_an_error_among_replies_is_raised_when_all_have_come(pair: Pair) -> None:
    pair.server.sendall(b"+one\r\n-WRONGTYPE no\r\n+three\r\n+four\r\n")

    with pytest.raises(ErrorReply, match="WRONGTYPE no"):
        ask(pair.connection, ("A",), ("B",), ("C",))

    assert ask(pair.connection, ("D",)) == [b"four"]


def test_what_came_along_with_a_reply_is_more(pair: Pair) -> None:
    assert not pair.connection.is_readable()

    assert pair.told(b"+one\r\n+tw") == b"one"

    assert pair.connection.has_more()
    assert pair.told(b"o\r\n") == b"two"
    assert not pair.connection.has_more()


@pytest.mark.parametrize(
    "nonsense",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        b"\r\n",
        b"$abc\r\n",
        b"$-2\r\n",
        b"*-2\r\n",
        b":\r\n",
        b"$3\r\nabcde\r\n",
        b"$%d\r\n" % (MAX_BYTES + 1),
        b"*2\r\n$3\r\nabc\r\n$%d\r\n" % (MAX_BYTES - 2),
        b"*%d\r\n" % (MAX_ITEMS + 1),
        b"$" + b"9" * 5000 + b"\r\n",
        b"*1\r\n" * 20,
        b"+" + b"x" * (MAX_LINE + 1),
        b"_\r\n",
        bytes(range(128, 256)) + b"\r\n",
    ],
    ids=lambda nonsense: repr(nonsense[:12]),
)
def test_what_no_redis_says_ends_the_connection(pair: Pair, nonsense: bytes) -> None:
    with pytest.raises(ConnectionError, match="no Redis"):
        pair.told(nonsense)


@given(noise=st.binary(min_size=1, max_size=200))
def test_no_noise_does_more_than_fail(noise: bytes) -> None:
    with closing(Pair()) as pair:
        pair.server.sendall(noise)
        pair.server.shutdown(socket.SHUT_WR)

        with pytest.raises(ConnectionError, match=r"no Redis|closed the connection"):
            list(iter(pair.connection.receive, object()))


@pytest.mark.parametrize("part", [b"", b"$5\r\nab", b"*2\r\n+one\r\n", b"$200000\r\n" + b"x" * 1000])
def test_a_server_that_falls_silent_is_not_waited_for_for_ever(part: bytes) -> None:
    pair = Pair(timeout_s=0.05)
    pair.server.sendall(part)

    with pytest.raises(TimeoutError, match=r"said nothing within 0\.05 s"):
        pair.connection.receive()

    pair.close()


def test_a_server_that_takes_nothing_is_not_waited_for_for_ever() -> None:
    pair = Pair(timeout_s=0.05)

    with pytest.raises(TimeoutError, match=r"took nothing within 0\.05 s"):
        pair.connection.send((b"x" * 10_000_000,))

    pair.close()


@pytest.mark.parametrize("part", [b"", b"$5\r\nab", b"$200000\r\nab"])
def test_a_server_that_leaves_in_the_middle_has_closed_the_connection(pair: Pair, part: bytes) -> None:
    pair.server.sendall(part)
    pair.server.close()

    assert pair.connection.is_readable()
    with pytest.raises(ConnectionError, match="closed the connection"):
        pair.connection.receive()


def test_a_signal_does_not_disturb_a_wait(pair: Pair) -> None:
    heard: list[int] = []

    def answer(number: int, _frame: object) -> None:
        heard.append(number)
        pair.server.sendall(b"+OK\r\n")

    before = signal.signal(signal.SIGALRM, answer)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.01)

        assert pair.connection.receive() == b"OK"
    finally:
        signal.signal(signal.SIGALRM, before)

    assert heard == [signal.SIGALRM]
