"""No group in two parts."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gatelab.data.splits import SPLITS, split_by_group
from gatelab.errors import ConfigError, DataError

SPEAKERS = [f"speaker{number}" for number in range(60)]
FRACTIONS = st.tuples(st.integers(0, 10), st.integers(0, 10), st.integers(0, 10)).filter(any)


def parts_of(split: object) -> dict[str, set[int]]:
    return {name: set(getattr(split, name).tolist()) for name in SPLITS}


@given(st.lists(st.sampled_from(SPEAKERS), min_size=3, max_size=80), FRACTIONS, st.integers(0, 5))
def test_every_item_in_one_part_and_every_group_too(
    groups: list[str], tenths: tuple[int, int, int], seed: int
) -> None:
    fractions = tuple(t / sum(tenths) for t in tenths)
    if len(set(groups)) < sum(t > 0 for t in tenths):
        with pytest.raises(DataError, match="wanted at least"):
            split_by_group(groups, fractions, seed)  # type: ignore[arg-type]
        return
    parts = parts_of(split_by_group(groups, fractions, seed))  # type: ignore[arg-type]
    assert sorted(i for part in parts.values() for i in part) == list(range(len(groups)))
    names = [{groups[i] for i in part} for part in parts.values()]
    assert sum(map(len, names)) == len(set(groups))
    assert [bool(n) for n in names] == [t > 0 for t in tenths]


def test_the_order_of_items_makes_no_difference() -> None:
    groups = SPEAKERS * 3
    mixed = np.random.default_rng(1).permutation(len(groups))
    first = split_by_group(groups)
    second = split_by_group([groups[i] for i in mixed])
    for name in SPLITS:
        assert {groups[i] for i in getattr(first, name)} == {groups[mixed[i]] for i in getattr(second, name)}


def test_is_the_same_everywhere_and_another_for_another_seed() -> None:
    split = split_by_group(SPEAKERS, seed=7)
    assert split.valid.tolist() == [4, 6, 12, 14, 49, 55]
    assert (len(split.train), len(split.test)) == (48, 6)
    assert split.test.tolist() != split_by_group(SPEAKERS, seed=8).test.tolist()


@pytest.mark.parametrize("fractions", [(0.5, 0.5, 0.5), (1.2, -0.1, -0.1), (float("nan"), 0.5, 0.5), (1, 0)])
def test_refuses_fractions_of_no_whole(fractions: tuple[float, float, float]) -> None:
    with pytest.raises(ConfigError, match="wanted three fractions of one whole"):
        split_by_group(SPEAKERS, fractions)
