"""The baselines against the known figures, a slow twin and hand-made cases."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from gatelab.data import MUSIC, load_music, marginal_nll, markov_nll
from gatelab.data.notes import read_music
from gatelab.errors import DataError, ShapeError

KNOWN = {
    "jsb": (11.060, 10.491),
    "nottingham": (10.252, 5.153),
    "muse": (11.510, 8.559),
    "piano": (11.046, 8.265),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_figures(name: str, music_folder: Path) -> None:
    file = MUSIC[name].files[0]
    splits = read_music((music_folder / file).read_bytes(), file)
    train, test = splits["train"], splits["test"]
    assert (round(marginal_nll(train, test), 3), round(markov_nll(train, test), 3)) == KNOWN[name]


def test_chorales_have_the_figures_of_their_kind() -> None:
    music = load_music("chorales")
    assert round(marginal_nll(music.train, music.test), 3) == 11.234
    assert round(markov_nll(music.train, music.test), 3) == 10.677


def random_split(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [(rng.random((length, 5)) < 0.3).astype(np.uint8) for length in (1, 7, 2, 13)]


def naive_marginal(train: list[np.ndarray], test: list[np.ndarray]) -> float:
    costs = []
    for step in np.concatenate(test):
        cost = 0.0
        for key, bit in enumerate(step):
            column = [row[key] for sequence in train for row in sequence]
            cost -= math.log((column.count(bit) + 0.5) / (len(column) + 1))
        costs.append(cost)
    return sum(costs) / len(costs)


def naive_markov(train: list[np.ndarray], test: list[np.ndarray]) -> float:
    costs = []
    for sequence in test:
        for before, after in pairwise(sequence):
            cost = 0.0
            for key in range(len(before)):
                pairs = [(s[t - 1, key], s[t, key]) for s in train for t in range(1, len(s))]
                same = [b for a, b in pairs if a == before[key]]
                cost -= math.log((same.count(after[key]) + 0.5) / (len(same) + 1))
            costs.append(cost)
    return sum(costs) / len(costs)


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_the_slow_twin(seed: int) -> None:
    train, test = random_split(seed), random_split(seed + 100)
    assert marginal_nll(train, test) == pytest.approx(naive_marginal(train, test), rel=1e-12)
    assert markov_nll(train, test) == pytest.approx(naive_markov(train, test), rel=1e-12)


def test_a_key_never_heard_in_training_costs_a_finite_amount() -> None:
    silent, loud = [np.zeros((9, 1))], [np.ones((2, 1))]
    assert marginal_nll(silent, loud) == pytest.approx(math.log(20))
    assert math.isfinite(markov_nll(silent, loud))


def test_pairs_never_reach_across_sequences() -> None:
    apart = [np.array([[0], [0]]), np.array([[1], [1]])]
    assert markov_nll(apart, apart) == pytest.approx(-math.log(1.5 / 2))


@pytest.mark.parametrize("empty", [[], [np.zeros((0, 3))]])
def test_refuses_splits_without_steps(empty: list[np.ndarray]) -> None:
    full = [np.ones((2, 3))]
    for baseline in (marginal_nll, markov_nll):
        with pytest.raises(DataError, match="train split"):
            baseline(empty, full)
        with pytest.raises(DataError, match="test split"):
            baseline(full, empty)


def test_a_chain_needs_pairs() -> None:
    with pytest.raises(DataError, match="no sequence of the test split has two time steps"):
        markov_nll([np.ones((2, 3))], [np.ones((1, 3))])


@pytest.mark.parametrize("odd", [np.ones(3), np.ones((2, 4)), np.ones((2, 3, 1))])
def test_refuses_other_shapes(odd: np.ndarray) -> None:
    with pytest.raises(ShapeError, match="wanted sequences"):
        marginal_nll([np.ones((2, 3))], [odd])
