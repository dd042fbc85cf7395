"""Random numbers by place."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.splits import SPLITS
from gatelab.data.synthetic.draws import uniforms, whole
from gatelab.errors import ConfigError


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63), st.sampled_from(SPLITS), st.integers(0, 2**40), st.integers(1, 5))
def test_a_part_needs_none_of_the_rest(seed: int, split: str, first: int, count: int) -> None:
    rows = uniforms(seed, split, first, count, 7)
    assert rows.shape == (count, 7)
    assert (rows >= 0).all()
    assert (rows < 1).all()
    alone = [uniforms(seed, split, first + k, 1, 7)[0] for k in range(count)]
    assert np.array_equal(rows, alone)


def test_seeds_splits_and_places_draw_from_streams_of_their_own() -> None:
    keys = [(s, p, k) for s in (0, 1, 2**32, 2**63) for p in SPLITS for k in (0, 1, 2**32, 2**32 + 1, 2**63)]
    first = {float(uniforms(seed, split, k, 1, 1)[0, 0]) for seed, split, k in keys}
    assert len(first) == len(keys)


def test_the_numbers_are_those_of_every_machine() -> None:
    assert uniforms(7, "valid", 10, 1, 3).tolist() == [
        [0.6829069812780834, 0.3719339209039454, 0.38922471755688115]
    ]


def test_they_are_uniform() -> None:
    rows = uniforms(3, "train", 0, 500, 40).ravel()
    counts = np.bincount(whole(rows, 10), minlength=10)
    assert ((counts - 2000) ** 2 / 2000).sum() < 27.9  # chi square, 9 degrees of freedom, p = 0.001


@pytest.mark.parametrize("below", [1, 2, 3, 5, 7, 10, 10**8, 10**15])
def test_whole_numbers_stay_below(below: int) -> None:
    assert whole(np.array([1 - 2.0**-53]), below)[0] == below - 1


def test_refuses() -> None:
    with pytest.raises(ConfigError, match="no split is called 'vaild'; did you mean valid"):
        uniforms(0, "vaild", 0, 1, 1)
    for seed, first, count in [(-1, 0, 1), (0, -1, 1), (0, 0, -1), (2**64, 0, 1), (0, 2**64, 1)]:
        with pytest.raises(ConfigError, match="wanted seed, first and count from 0"):
            uniforms(seed, "train", first, count, 1)
