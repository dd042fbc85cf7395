"""Odd or even, at every step or at the end."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.synthetic import Parity


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**63), st.integers(1, 30), st.integers(0, 30), st.booleans())
def test_the_target_is_the_parity_so_far(seed: int, shortest: int, more: int, every: bool) -> None:
    for one in Parity(seed, shortest, shortest + more, every).examples("train", 1, 3):
        assert shortest <= len(one.inputs) <= shortest + more
        assert one.targets.tolist() == [sum(one.inputs[: t + 1]) % 2 for t in range(len(one.inputs))]
        assert one.mask.sum() == (len(one.inputs) if every else 1)
        assert one.mask[-1]


def test_both_answers_are_alike() -> None:
    last = [one.targets[-1] for one in Parity(seed=1).examples("train", 0, 4000)]
    assert abs(np.mean(last) - 0.5) < 0.03
