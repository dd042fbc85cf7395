"""Splits into train, valid and test by group, so that none is in two of them.

The same names, fractions and seed give the same split on every machine and in every version, for the order
comes from SHA-256 and not from a generator of random numbers.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import ConfigError, DataError

SPLITS = ("train", "valid", "test")
NAMES: Mapping[str, int] = MappingProxyType(
    {"train": 0, "training": 0, "valid": 1, "validation": 1, "val": 1, "dev": 1, "test": 2, "testing": 2}
)
"""Which of them a folder, a file or a column means by its name."""
FRACTIONS = (0.8, 0.1, 0.1)
"""Train, valid and test, where nothing else is asked for."""


@dataclass(frozen=True, eq=False)
class Split:
    """The positions of the items of each part, rising; every item is in exactly one.

    Attributes
    ----------
    train, valid, test
        ``[items of the part]``, intp.
    """

    train: NDArray[np.intp]
    valid: NDArray[np.intp]
    test: NDArray[np.intp]


def split_by_group(
    groups: Sequence[str],
    fractions: tuple[float, float, float] = FRACTIONS,
    seed: int = 0,
    place: str = "data",
) -> Split:
    """Return a split in which all items of a group (a speaker, a file, a writer) are in one part.

    1. The groups are put in the order of SHA-256 of ``"seed:name"``.
    2. The first of them test, the next validate, the others train: of G groups each part gets its fraction,
       rounded, and at least one where its fraction is above 0; the largest part gets what then is left.

    How the items are ordered makes no difference. Fractions count groups, not items. A group that is added
    later may move others: keep the split, or the list of groups, with the results.

    Parameters
    ----------
    groups
        The group of each item.
    fractions
        Train, valid and test, 0 or more each, together 1.
    seed
        Another seed, another split.
    place
        What a message calls the data.

    Raises
    ------
    ConfigError
        The fractions are no fractions of one whole.
    DataError
        There are fewer groups than parts.

    Examples
    --------
    >>> split = split_by_group(["ann", "bob", "ann", "cem", "dee"], (0.5, 0.25, 0.25))
    >>> split.train, split.valid, split.test
    (array([0, 1, 2]), array([3]), array([4]))
    """
    _check_fractions(fractions)
    names = sorted(set(groups), key=lambda name: (_digest(name, seed), name))
    _, valid, test = _shares(len(names), fractions, place)
    parts = {
        name: 2 if place < test else 1 if place < test + valid else 0 for place, name in enumerate(names)
    }
    part = np.array([parts[group] for group in groups], dtype=np.int8)
    return Split(*(np.flatnonzero(part == number) for number in range(3)))


def _digest(name: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}:{name}".encode("utf-8", "surrogatepass")).digest()


def _check_fractions(fractions: tuple[float, float, float]) -> None:
    legal = len(fractions) == 3 and all(0 <= part <= 1 for part in fractions)
    if not legal or not math.isclose(sum(fractions), 1, abs_tol=1e-9):
        raise ConfigError(
            f"wanted three fractions of one whole (train, valid, test), came {fractions}; try (0.8, 0.1, 0.1)"
        )


def _shares(count: int, fractions: tuple[float, float, float], place: str) -> tuple[int, int, int]:
    """Return how many of ``count`` each part gets: its fraction, at least 1; the largest the rest."""
    wanted = sum(part > 0 for part in fractions)
    if count < wanted:
        raise DataError(
            f"{place}: wanted at least {wanted} groups (speakers, files, different texts) or steps for "
            f"the parts {fractions}, came {max(0, count)}; try more data"
        )
    shares = [max(int(part > 0), round(count * part)) for part in fractions]
    largest = int(np.argmax(fractions))
    shares[largest] += count - sum(shares)
    return shares[0], shares[1], shares[2]
