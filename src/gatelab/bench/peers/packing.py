"""How peers hold weights: all gates of a matrix below one another, in an order for each cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

Values = NDArray[Any]
LSTM = (("W", "ifco"), ("U", "ifco"), ("b", "ifco"))
PACKING: Mapping[str, tuple[tuple[str, str], ...]] = {
    "lstm-np": LSTM,
    "lstm": (*LSTM, ("V", "ifo")),
    "gru": (("W", "zrh"), ("U", "zrh"), ("b", "zrh")),
    "gru-after": (("W", "rzh"), ("U", "rzn"), ("b", "rzh"), ("b", "n")),
    "tanh": (("W", "h"), ("U", "h"), ("b", "h")),
}
"""Cell → its packed weights, each as (letter, gates from top to bottom)."""


def packed(weights: Mapping[str, Values], cell: str) -> list[Values]:
    """Return a cell's weights packed: W [G H, I], U [G H, H], b [G H], and further vectors."""
    return [np.concatenate([weights[f"{letter}_{g}"] for g in gates]) for letter, gates in PACKING[cell]]


def unpacked(values: Sequence[Values], cell: str) -> dict[str, Values]:
    """Return the parts of what :func:`packed` made, by the weights' names.

    Examples
    --------
    >>> import numpy as np
    >>> sorted(unpacked([np.ones((2, 3)), np.ones((2, 2)), np.ones(2)], "tanh"))
    ['U_h', 'W_h', 'b_h']
    """
    found: dict[str, Values] = {}
    for value, (letter, gates) in zip(values, PACKING[cell], strict=True):
        for gate, part in zip(gates, np.split(value, len(gates)), strict=True):
            found[f"{letter}_{gate}"] = part
    return found
