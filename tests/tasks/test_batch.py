"""Sequences side by side: a batch of one is the same rows as that sequence among others."""

import numpy as np
import torch

from gatelab.tasks.batch import Batch, Layout, Table

LENGTHS = (3, 1, 4)
TABLE = Table([np.arange(10 * k, 10 * k + n) for k, n in enumerate(LENGTHS)], before=np.array([-1]))


def test_a_batch_has_the_rows_of_its_sequences_step_after_step():
    layout = Layout.of(TABLE.lengths, [0, 2])
    assert TABLE.cut(layout).tolist() == [-1, -1, 20, 0, 21, 1, 22]
    assert TABLE.cut(layout, after=1).tolist() == [20, 0, 21, 1, 22, 2, 23]
    assert layout.batch_sizes.tolist() == [2, 2, 2, 1]


def test_a_batch_of_one_has_the_rows_of_that_sequence():
    for k, length in enumerate(LENGTHS):
        layout = Layout.of(TABLE.lengths, [k])
        assert TABLE.cut(layout).tolist() == TABLE.rows[TABLE.places(layout)].tolist()
        assert TABLE.cut(layout, after=1).tolist() == list(range(10 * k, 10 * k + length))
        assert layout.batch_sizes.tolist() == [1] * length
        assert layout.owner.tolist() == [k] * length


def test_terms_and_sequences_are_counted():
    batch = Batch(None, None, torch.tensor([4, 2, 4, 4]))
    assert (batch.terms, batch.sequences) == (4, 2)
