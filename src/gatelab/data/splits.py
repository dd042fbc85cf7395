"""A fixed shuffle into training, validation and test that keeps what is equal in one part."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from gatelab.errors import DataError

FRACTIONS = (0.8, 0.1, 0.1)


def split_by_content(keys: Sequence[str], place: str) -> tuple[list[int], list[int], list[int]]:
    """Return the places in ``keys`` that are for training, validation and test.

    1. Order the different keys by their SHA-256, and equal ones by their place.
    2. The first 80 of 100 are for training, the next 10 for validation, the rest for test; a key that
       straddles a cut belongs to the earlier part as a whole.

    Parameters
    ----------
    keys
        The content of each example: equal keys never come into two parts.
    place
        What a message calls the data.

    Raises
    ------
    DataError
        A part would be empty.

    Examples
    --------
    >>> train, valid, test = split_by_content([f"sentence {n % 90}" for n in range(100)], "a.csv")
    >>> len(train), len(valid), len(test)
    (80, 10, 10)
    """
    names = {key: hashlib.sha256(key.encode(errors="surrogatepass")).digest() for key in set(keys)}
    order = sorted(range(len(keys)), key=lambda n: (names[keys[n]], n))
    first = _end(order, keys, round(len(keys) * FRACTIONS[0]))
    second = _end(order, keys, round(len(keys) * (FRACTIONS[0] + FRACTIONS[1])))
    parts = order[:first], order[first:second], order[second:]
    if not all(parts):
        raise DataError(
            f"{place}: wanted examples for training, validation and test, came {len(keys)}; try more"
        )
    return parts


def _end(order: Sequence[int], keys: Sequence[str], cut: int) -> int:
    """Return the cut, moved behind the keys that are equal to the one before it."""
    while 0 < cut < len(order) and keys[order[cut]] == keys[order[cut - 1]]:
        cut += 1
    return cut
