"""Ways to damage a file, which fuzz tests of several readers draw from."""

from __future__ import annotations

import random


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
