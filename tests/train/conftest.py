import numpy as np
import pytest

from gatelab.data import MusicData
from gatelab.tasks import MusicTask


def music(train=7, seed=0):
    """Return a small set of sequences with some structure, [T, 88]."""
    random = np.random.default_rng(seed)

    def sequence(length):
        steps = np.zeros((length, 88), np.uint8)
        steps[np.arange(length), 40 + (np.arange(length) + random.integers(5)) % 5] = 1
        return steps

    splits = [tuple(sequence(n) for n in random.integers(1, 9, size)) for size in (train, 3, 3)]
    return MusicData("small", "Small", *splits, "made up", "0" * 64)


@pytest.fixture
def task():
    return MusicTask(music())
