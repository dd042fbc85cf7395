"""Damage to real files, for the fuzz tests of readers."""

from __future__ import annotations

import random
from collections.abc import Iterator


def damaged(seeds: list[bytes], count: int, seed: int = 0, head: int = 200) -> Iterator[bytes]:
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
