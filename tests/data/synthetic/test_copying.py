"""What is to be repeated, and when."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.synthetic import Copying, Memorisation


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**63), st.integers(1, 26), st.integers(1, 12), st.integers(1, 60))
def test_copying(seed: int, kinds: int, length: int, blanks: int) -> None:
    task = Copying(seed, kinds, length, blanks)
    one = task.examples("train", 3, 1)[0]
    read, wanted = task.decode(one.inputs), task.decode(one.targets)
    kept = read[:length]
    assert set(kept) <= set(task.symbols[:kinds])
    assert read == kept + "_" * (blanks - 1) + ":" + "_" * length
    assert wanted == "_" * (length + blanks) + kept
    assert one.mask.all()


def test_its_baseline_is_that_of_the_paper() -> None:
    assert Copying(blanks=500).baselines() == {"blanks, then chance": pytest.approx(10 * math.log(8) / 520)}


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**63), st.integers(1, 26), st.integers(1, 12))
def test_memorisation(seed: int, kinds: int, length: int) -> None:
    task = Memorisation(seed, kinds, length)
    one = task.examples("test", 3, 1)[0]
    assert np.array_equal(one.inputs[:length], one.targets[one.mask])
    assert task.decode(one.inputs[length:]) == "_" * length == task.decode(one.targets[:length])


def test_all_letters_come_up() -> None:
    task = Memorisation()
    seen = {letter for one in task.examples("train", 0, 300) for letter in one.inputs[:5].tolist()}
    assert seen == set(range(26))
    assert task.baselines()["chance accuracy"] == 1 / 26
