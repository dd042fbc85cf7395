"""Ways to damage a file, which fuzz tests of several readers draw from."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

from hypothesis import strategies as st

Change = tuple[int, int, bytes]
"""Where a change of a file begins, how many bytes it takes away, and what it puts in."""


def mutations(places: int, most: int = 5, words: Sequence[bytes] = ()) -> st.SearchStrategy[list[Change]]:
    """Return what draws up to ``most`` changes among the first ``places`` bytes, for :func:`mutated`.

    They put in bytes or ``words``, and take nothing away, as much, some more, or all that follows.
    """
    put = st.binary(max_size=6) | st.sampled_from(words) if words else st.binary(max_size=6)
    gone = st.sampled_from([0, 0, 0, 1, 1, 2, 3, 4, 7, 50, 1 << 30])
    return st.lists(st.tuples(st.integers(0, places), gone, put), min_size=1, max_size=most)


def mutated(data: bytes, changes: Sequence[Change]) -> bytes:
    """Return ``data`` after these changes, one after the other."""
    for place, gone, put in changes:
        at = place % (len(data) + 1)
        data = data[:at] + put + data[at + gone :]
    return data


def damaged(data: bytes, draw: random.Random, words: tuple[bytes, ...] = ()) -> bytes:
    """Return ``data`` after one to three random changes: flips, cuts, repeats, and ``words`` put in."""
    for _ in range(draw.randint(1, 3)):
        at = draw.randrange(len(data) + 1) if draw.random() < 0.5 else draw.randrange(min(len(data), 300) + 1)
        size = draw.choice([1, 1, 2, 7, 40])
        match draw.randrange(6):
            case 0:
                data = data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
            case 1:
                data = data[:at]
            case 2:
                data = data[:at] + data[at + size :]
            case 3:
                data = data[: at + size] + data[at:]
            case _:
                word = draw.choice(words) if words else draw.randbytes(size)
                data = data[:at] + word + data[at + draw.choice([0, 0, len(word)]) :]
    return data


def assert_one_line(error: Exception) -> None:
    """Demand that a message stays in one line."""
    assert "\n" not in str(error)


def assert_refusal(error: Exception, file: str) -> None:
    """Demand that a message begins with the file, and is short."""
    assert str(error).startswith(file)
    assert len(str(error)) < 300
    assert_one_line(error)


def damaged_copies(seeds: list[bytes], count: int, seed: int = 0, head: int = 200) -> Iterator[bytes]:
    """Yield ``count`` files: one of ``seeds`` after one to four changes, half of them in its first bytes."""
    draw = random.Random(seed)
    for _ in range(count):
        data = bytearray(draw.choice(seeds))
        for _ in range(draw.randint(1, 4)):
            _change(data, draw, head)
        yield bytes(data)


def _change(data: bytearray, draw: random.Random, head: int) -> None:
    size = len(data) if draw.random() < 0.5 else min(head, len(data))
    at = draw.randrange(max(1, size))
    kind = draw.randrange(8)
    if kind < 3:
        data[at : at + 1] = bytes([draw.randrange(256)])
    elif kind == 3:
        data[at : at + 4] = draw.choice([b"\xff" * 4, bytes(4), b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f"])
    elif kind == 4:
        del data[at:]
    elif kind == 5:
        del data[at : at + draw.randint(1, 40)]
    elif kind == 6:
        data[at:at] = data[at : at + draw.randint(1, 40)]
    else:
        data[at : at + 1] = bytes([(data[at] if data else 0) ^ 1 << draw.randrange(8)])
