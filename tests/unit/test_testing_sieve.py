"""Messages are taken out of a stream of replies, however that is cut, and nothing else is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from confbus.testing.drops import Drops
from confbus.testing.sieve import Sieve

MESSAGE = b"*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$4\r\na\r\nb\r\n"
OTHERS = [
    b"+OK\r\n",
    b":7\r\n",
    b"-ERR no\r\n",
    b"$-1\r\n",
    b"*-1\r\n",
    b"*0\r\n",
    b"*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n",
    b"*2\r\n*1\r\n$0\r\n\r\n$4\r\n*3\r\n\r\n",
    b"$%d\r\n%b\r\n" % (len(MESSAGE), MESSAGE),  # a value that looks like a message
]


@given(st.lists(st.sampled_from([MESSAGE, *OTHERS])), st.integers(1, 60))
def test_messages_are_left_out_of_a_stream_cut_anywhere(replies: list[bytes], size: int) -> None:
    stream = b"".join(replies)
    sieve = Sieve(lambda: True)

    passed = b"".join(sieve.sifted(stream[at : at + size]) for at in range(0, len(stream), size))

    assert passed == b"".join(reply for reply in replies if reply != MESSAGE)


def test_so_many_are_dropped_and_a_share_is_the_same_for_the_same_seed() -> None:
    few, some, same = Drops(2, share=1.0, seed=0), Drops(None, share=0.3, seed=5), Drops(None, share=0.3, seed=5)

    assert [few.next() for _ in range(4)] == [True, True, False, False]
    drawn = [some.next() for _ in range(1000)]
    assert drawn == [same.next() for _ in range(1000)]
    assert 250 < sum(drawn) < 350
