"""A fixed shuffle that keeps equals together."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.splits import split_by_content
from gatelab.errors import DataError


@settings(deadline=None)
@given(st.lists(st.text(max_size=2), min_size=10, max_size=200))
def test_parts_are_whole_and_share_nothing(keys: list[str]) -> None:
    try:
        parts = split_by_content(keys, "a")
    except DataError:
        return
    assert sorted(n for part in parts for n in part) == list(range(len(keys)))
    seen = [{keys[n] for n in part} for part in parts]
    assert sum(map(len, seen)) == len(set(keys))


def test_order_of_the_file_makes_no_difference() -> None:
    keys = [f"sentence {n}" for n in range(1000)]
    parts = split_by_content(keys, "a")
    assert list(map(len, parts)) == [800, 100, 100]
    turned = split_by_content(keys[::-1], "a")
    assert [[keys[n] for n in part] for part in parts] == [[keys[::-1][n] for n in part] for part in turned]


def test_too_few() -> None:
    with pytest.raises(DataError, match=r"a.csv: wanted examples for training, validation and test, came 3"):
        split_by_content(["x"] * 3, "a.csv")
