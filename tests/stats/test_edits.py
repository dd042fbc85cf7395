"""Edit distances against the table of Wagner and Fischer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatelab.errors import ShapeError
from gatelab.stats.edits import edit_counts, edit_distance


def table(a: list[int], b: list[int]) -> int:
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        row, before = [i], row
        for j, y in enumerate(b, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (x != y)))
    return row[-1]


symbols = st.lists(st.integers(0, 3), max_size=12)


@given(symbols, symbols)
def test_is_the_distance_of_the_table(a: list[int], b: list[int]) -> None:
    assert edit_distance(a, b) == table(a, b) == edit_distance(b, a)


def test_long_sequences_and_arrays() -> None:
    draw = np.random.default_rng(0)
    a, b = draw.integers(0, 50, 5000), draw.integers(0, 50, 5000)
    assert edit_distance(a.tolist()[:150], b.tolist()[:150]) == table(a.tolist()[:150], b.tolist()[:150])
    assert edit_distance(a, b) == edit_distance(a.tolist(), b.tolist())
    changed = np.delete(np.insert(a, 100, 99), 3000)
    assert edit_distance(a, changed) == 2


def test_counts() -> None:
    counts = edit_counts(["kitten", "", "abc"], ["sitting", "ab", "abc"])
    assert counts.tolist() == [[3, 6], [2, 0], [0, 3]]
    with pytest.raises(ShapeError, match="wanted 1 hypotheses, got 2"):
        edit_counts(["a"], ["a", "b"])
