"""The same answer to everything."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.pens.baselines import ConstantAnswer, constant_answers
from gatelab.errors import DataError


@cache
def edits(a: str, b: str) -> int:
    """Return Levenshtein's distance by its definition."""
    if not a or not b:
        return len(a) + len(b)
    return min(edits(a[1:], b) + 1, edits(a, b[1:]) + 1, edits(a[1:], b[1:]) + (a[0] != b[0]))


WORDS = st.text("abcé", max_size=6)


@settings(max_examples=200, deadline=None)
@given(WORDS, st.lists(WORDS, min_size=1, max_size=5))
def test_costs_are_edits_by_their_definition(answer: str, test: list[str]) -> None:
    characters = sum(map(len, test))
    if not characters:
        return
    found = constant_answers([answer], test)
    assert found["empty"] == ConstantAnswer("", 1.0, sum(t != "" for t in test) / len(test))
    assert found["most frequent"].character_error == sum(edits(answer, t) for t in test) / characters
    assert found["most frequent"].text_error == sum(t != answer for t in test) / len(test)


def test_of_equals_the_first_is_taken() -> None:
    assert constant_answers(["of", "the", "and", "the", "of"], ["x"])["most frequent"].text == "of"


@pytest.mark.parametrize(("train", "test"), [([], ["a"]), (["a"], []), (["a"], ["", ""])])
def test_refuses_nothing(train: list[str], test: list[str]) -> None:
    with pytest.raises(DataError, match="wanted texts in train and characters in test"):
        constant_answers(train, test)
