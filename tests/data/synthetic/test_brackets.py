"""Every word is balanced, what is legal is told, and what is broken is broken."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.synthetic import Brackets
from gatelab.data.synthetic.brackets import CLOSE, OPEN


def unclosed(text: str) -> str | None:
    """Return the brackets that are open after a text, or None where one closes what is not open."""
    stack = ""
    for symbol in text:
        if symbol in OPEN:
            stack += symbol
        elif stack[-1:] != OPEN[CLOSE.index(symbol)]:
            return None
        else:
            stack = stack[:-1]
    return stack


SIZES = st.integers(0, 2**63), st.integers(1, 4), st.integers(1, 20), st.integers(0, 20)


@settings(max_examples=100, deadline=None)
@given(*SIZES)
def test_words_are_balanced_and_what_is_legal_is_told(
    seed: int, kinds: int, shortest: int, more: int
) -> None:
    task = Brackets(seed, kinds, shortest, shortest + more)
    for one in task.examples("train", 2, 3):
        text = task.decode(one.inputs)
        assert text[0] == "$"
        assert unclosed(text[1:]) == ""
        assert 2 * shortest <= len(text) - 1 <= 2 * (shortest + more)
        for step, row in enumerate(one.targets):
            stack = unclosed(text[1 : step + 1])
            assert stack is not None
            legal = set(OPEN[:kinds]) | ({CLOSE[OPEN.index(stack[-1])]} if stack else {"$"})
            assert {c for c, told in zip(task.classes, row, strict=True) if told} == legal


@settings(max_examples=100, deadline=None)
@given(*SIZES)
def test_the_next_symbol_is_the_next(seed: int, kinds: int, shortest: int, more: int) -> None:
    task = Brackets(seed, kinds, shortest, shortest + more, asks="next")
    legal = Brackets(seed, kinds, shortest, shortest + more)
    for one, other in zip(task.examples("train", 2, 3), legal.examples("train", 2, 3), strict=True):
        assert np.array_equal(one.inputs, other.inputs)
        assert task.decode(one.targets) == task.decode(one.inputs)[1:] + "$"
        assert other.targets[np.arange(len(one.targets)), one.targets].all()


@settings(max_examples=150, deadline=None)
@given(*SIZES)
def test_membership_is_true(seed: int, kinds: int, shortest: int, more: int) -> None:
    task = Brackets(seed, kinds, shortest, shortest + more, asks="membership")
    for one in task.examples("train", 2, 6):
        belongs = unclosed(task.decode(one.inputs)) == ""
        assert task.classes[one.targets[-1]] == ("yes" if belongs else "no")
        assert one.mask.tolist() == [False] * (len(one.inputs) - 1) + [True]


def test_half_belong_and_half_of_the_others_have_the_right_counts() -> None:
    task = Brackets(seed=2, kinds=1, shortest=5, longest=9, asks="membership")
    found = [(task.decode(one.inputs), one.targets[-1]) for one in task.examples("train", 0, 2000)]
    others = [text for text, belongs in found if not belongs]
    assert 0.45 < len(others) / 2000 < 0.55
    assert 0.45 < np.mean([text.count("(") == text.count(")") for text in others]) < 0.55


def test_all_words_of_a_length_are_alike() -> None:
    task = Brackets(seed=1, kinds=1, shortest=4, longest=4, asks="next")
    counts = Counter(task.decode(one.inputs[1:]) for one in task.examples("train", 0, 1400))
    assert len(counts) == 14  # the fourth Catalan number
    assert sum((n - 100) ** 2 / 100 for n in counts.values()) < 34.5  # chi square, 13 degrees, p = 0.001


@pytest.mark.parametrize("asks", ["set", "next"])
def test_no_baseline_is_claimed_where_none_is_known(asks: str) -> None:
    assert Brackets(asks=asks).baselines() == {}  # type: ignore[arg-type]
