"""Batches as rows, for any lengths, against a plain loop over sequences."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.engine import Rows

LENGTHS = st.lists(st.integers(1, 9), min_size=1, max_size=8)
quickly = settings(max_examples=60, deadline=None, database=None, derandomize=True)


def padded_and_sequences(lengths, steps):
    padded = torch.full((steps, len(lengths), 2), float("nan"))
    sequences = [torch.randn(n, 2) for n in lengths]
    for b, sequence in enumerate(sequences):
        padded[: len(sequence), b] = sequence
    return padded, sequences


def rows_of(sequences):
    """Return the rows step by step, the longest sequences first."""
    ordered = sorted(sequences, key=len, reverse=True)
    return torch.stack([s[t] for t in range(len(ordered[0])) for s in ordered if t < len(s)])


@given(LENGTHS, st.integers(0, 3))
@quickly
def test_pack_and_unpack(lengths, more):
    steps = max(lengths) + more
    padded, sequences = padded_and_sequences(lengths, steps)
    rows = Rows.ragged(torch.tensor(lengths))
    packed = rows.pack(padded)
    torch.testing.assert_close(packed, rows_of(sequences), rtol=0, atol=0)
    torch.testing.assert_close(rows.unpack(packed, steps), padded.nan_to_num(0.0), rtol=0, atol=0)


@given(LENGTHS)
@quickly
def test_reverse_reads_each_sequence_from_its_own_end(lengths):
    padded, sequences = padded_and_sequences(lengths, max(lengths))
    rows = Rows.ragged(torch.tensor(lengths))
    backwards = rows.reverse(rows.pack(padded))
    torch.testing.assert_close(backwards, rows_of([s.flip(0) for s in sequences]), rtol=0, atol=0)
    torch.testing.assert_close(rows.reverse(backwards), rows.pack(padded), rtol=0, atol=0)


@given(LENGTHS)
@quickly
def test_sort_and_unsort(lengths):
    rows = Rows.ragged(torch.tensor(lengths))
    states = torch.randn(2, len(lengths), 3)
    order = sorted(range(len(lengths)), key=lambda b: -lengths[b])
    assert torch.equal(rows.sort(states), states[:, order])
    assert torch.equal(rows.unsort(rows.sort(states)), states)


@given(LENGTHS)
@quickly
def test_what_rows_know(lengths):
    rows = Rows.ragged(torch.tensor(lengths))
    assert (rows.steps, rows.batch, sum(rows.sizes)) == (max(lengths), len(lengths), sum(lengths))
    assert rows.is_full == (len(set(lengths)) == 1)
    assert rows.lengths.tolist() == sorted(lengths, reverse=True)
    assert list(zip(rows.time.tolist(), rows.place.tolist(), strict=True)) == [
        (t, b) for t, size in enumerate(rows.sizes) for b in range(size)
    ]


def test_full_batches_are_not_copied():
    padded = torch.randn(3, 2, 4)
    rows = Rows.full(3, 2)
    assert rows.pack(padded).data_ptr() == rows.unpack(rows.pack(padded), 3).data_ptr() == padded.data_ptr()


def test_gradients_pass_through():
    padded = torch.randn(4, 3, 2, requires_grad=True)
    rows = Rows.ragged(torch.tensor([2, 4, 1]))
    rows.unpack(rows.reverse(rows.pack(padded)), 5).sum().backward()
    live = torch.arange(4)[:, None] < torch.tensor([2, 4, 1])
    assert torch.equal(padded.grad, live[..., None].expand(4, 3, 2).float())


@pytest.mark.parametrize("sizes", [(), (1, 2), (2, 0)], ids=str)
def test_impossible_layouts(sizes):
    with pytest.raises(AssertionError):
        Rows(sizes)


def test_layouts_of_equal_lengths_are_made_once():
    assert Rows.of([1, 1, 1], None) is Rows.full(3, 1)
    assert Rows.of([2, 1], None).sizes == (2, 1)
    order = torch.tensor([1, 0])
    assert Rows.of([2, 2], order).order is order
