from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gatelab.tasks.order import batches, in_order

LENGTHS = st.lists(st.integers(1, 50), min_size=1, max_size=60)


@given(LENGTHS, st.integers(1, 9), st.integers(0, 5))
def test_every_sequence_is_met_once_an_epoch(lengths, batch_size, epoch):
    for found in (batches(lengths, batch_size, 1, epoch), in_order(lengths, batch_size)):
        assert sorted(k for batch in found for k in batch) == list(range(len(lengths)))
        assert all(1 <= len(batch) <= batch_size for batch in found)
        assert len(found) <= len(lengths) // batch_size + 2


@given(LENGTHS, st.integers(1, 9))
def test_batches_hold_sequences_of_similar_length(lengths, batch_size):
    spans = sorted(
        (min(lengths[k] for k in b), max(lengths[k] for k in b)) for b in batches(lengths, batch_size, 0, 1)
    )
    assert all(a[1] <= b[0] for a, b in pairwise(spans))


def test_epochs_and_seeds_differ():
    lengths = [5] * 40
    seen = [tuple(map(tuple, batches(lengths, 4, seed, epoch))) for seed in (0, 1) for epoch in (1, 2)]
    assert len(set(seen)) == 4
    assert seen[0] == tuple(map(tuple, batches(lengths, 4, 0, 1)))


@given(LENGTHS, st.integers(1, 9), st.integers(1, 200))
def test_batches_in_order_are_bounded_in_steps(lengths, batch_size, most):
    found = in_order(lengths, batch_size, most)
    assert [k for batch in found for k in batch] == [k for batch in in_order(lengths, 99) for k in batch]
    for batch, following in pairwise([*found, []]):
        steps = sum(lengths[k] for k in batch)
        assert steps <= most or len(batch) == 1
        if following:  # no batch is smaller than it has to be
            assert len(batch) == batch_size or steps + lengths[following[0]] > most
