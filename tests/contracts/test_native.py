"""RNN, LSTM and GRU against torch.nn: numbers, gradients, state_dict both ways, seeds."""

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import gatelab

PAIRS = {
    "LSTM": (gatelab.nn.LSTM, torch.nn.LSTM, {}),
    "GRU": (gatelab.nn.GRU, torch.nn.GRU, {}),
    "RNN tanh": (gatelab.nn.RNN, torch.nn.RNN, {}),
    "RNN relu": (gatelab.nn.RNN, torch.nn.RNN, {"nonlinearity": "relu"}),
}
FORMS = [
    {},
    {"num_layers": 2},
    {"bidirectional": True},
    {"num_layers": 3, "bidirectional": True, "batch_first": True},
    {"bias": False},
]


@pytest.fixture(params=PAIRS)
def pair(request):
    return PAIRS[request.param]


def _both(pair, form, sizes=(5, 7)):
    ours, theirs, extra = pair
    ours, theirs = ours(*sizes, **extra, **form), theirs(*sizes, **extra, **form)
    assert str(ours.load_state_dict(theirs.state_dict())) == "<All keys matched successfully>"
    return ours, theirs


def _states(state):
    return state if isinstance(state, tuple) else (state,)


def _near(ours, theirs, limit=1e-6):
    scale = max(1.0, theirs.abs().max().item())
    assert ours.shape == theirs.shape
    assert (ours - theirs).abs().max().item() <= limit * scale


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_numbers_and_gradients_with_initial_states(pair, form):
    ours, theirs = _both(pair, form)
    x = torch.randn(9, 4, 5).transpose(0, 1) if form.get("batch_first") else torch.randn(9, 4, 5)
    _, like = theirs(x)
    start = tuple(torch.randn_like(s) for s in _states(like))
    start = start if isinstance(like, tuple) else start[0]
    results = []
    for module in (ours, theirs):
        seen = x.clone().requires_grad_()
        output, state = module(seen, start)
        (output.square().sum() + sum(s.sum() for s in _states(state))).backward()
        results.append([output, *_states(state), seen.grad, *(p.grad for p in module.parameters())])
    for a, b in zip(*results, strict=True):
        _near(a, b)


@pytest.mark.parametrize("form", FORMS[:4], ids=str)
def test_ragged_batches_packed_and_by_lengths(pair, form):
    ours, theirs = _both(pair, form)
    first = form.get("batch_first", False)
    lengths = torch.tensor([3, 9, 1, 6])
    x = torch.randn(4, 9, 5) if first else torch.randn(9, 4, 5)
    packed = pack_padded_sequence(x, lengths, batch_first=first, enforce_sorted=False)
    expected, expected_state = theirs(packed)
    expected, _ = pad_packed_sequence(expected, batch_first=first)
    by_length, state = ours(x, lengths=lengths)
    by_pack, packed_state = ours(packed)
    _near(by_length, expected)
    _near(pad_packed_sequence(by_pack, batch_first=first)[0], expected)
    for a, b, c in zip(_states(state), _states(packed_state), _states(expected_state), strict=True):
        _near(a, c)
        _near(b, c)


def test_state_dict_loads_into_torch(pair):
    ours, theirs, extra = pair
    ours = ours(5, 7, 2, bidirectional=True, **extra)
    theirs = theirs(5, 7, 2, bidirectional=True, **extra)
    theirs.load_state_dict(ours.state_dict())
    x = torch.randn(6, 2, 5)
    _near(ours(x)[0], theirs(x)[0])


def test_the_same_seed_draws_the_same_weights(pair):
    ours, theirs, extra = pair
    torch.manual_seed(3)
    a = ours(5, 7, 2, bidirectional=True, **extra)
    torch.manual_seed(3)
    b = theirs(5, 7, 2, bidirectional=True, **extra)
    assert list(a.state_dict()) == list(b.state_dict())
    assert all(torch.equal(p, q) for p, q in zip(a.parameters(), b.parameters(), strict=True))


def test_one_sequence_without_a_batch_axis(pair):
    ours, theirs = _both(pair, {"num_layers": 2, "bidirectional": True})
    x = torch.randn(9, 5)
    output, state = ours(x)
    expected, expected_state = theirs(x)
    _near(output, expected)
    for a, b in zip(_states(state), _states(expected_state), strict=True):
        _near(a, b)


def test_what_torch_has_and_we_do_not_is_refused():
    with pytest.raises(gatelab.GatelabError, match="proj_size"):
        gatelab.nn.LSTM(5, 7, proj_size=3)
    with pytest.raises(gatelab.GatelabError, match="nonlinearity"):
        gatelab.nn.RNN(5, 7, nonlinearity="sin")
