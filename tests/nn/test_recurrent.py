"""Layers of any cell: layouts, ragged batches, states, dropout, initialisation, errors."""

import contextlib
import copy
import pickle

import pytest
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

import gatelab
from gatelab.cells.wrappers import recurrent_dropout
from gatelab.errors import ConfigError, EngineError, EngineWarning, ShapeError

CELLS = ["tanh", "lstm", "gru", "fgr", "lstm-blocks", "mut2", "lstm+layer-norm"]
LENGTHS = [4, 9, 1, 6]


def _layer(cell="gru", hidden=6, **options):
    torch.manual_seed(0)
    return gatelab.Recurrent(cell, 5, hidden, **options).double()


def _x(*shape):
    return torch.randn(*shape, dtype=torch.float64)


def _states(state):
    return state if isinstance(state, tuple) else (state,)


@pytest.mark.parametrize("cell", CELLS)
def test_a_ragged_batch_equals_its_sequences_one_by_one(cell):
    layer = _layer(cell, num_layers=2, bidirectional=True)
    x = _x(9, 4, 5)
    output, state = layer(x, lengths=LENGTHS)
    for k, length in enumerate(LENGTHS):
        alone, alone_state = layer(x[:length, k])
        torch.testing.assert_close(output[:length, k], alone)
        assert not output[length:, k].any()
        for a, b in zip(_states(state), _states(alone_state), strict=True):
            torch.testing.assert_close(a[:, k], b)


def test_what_stands_in_the_padding_does_not_matter():
    layer = _layer("lstm", bidirectional=True)
    x = _x(9, 4, 5)
    dirty = x.clone()
    for k, length in enumerate(LENGTHS):
        dirty[length:, k] = float("nan")
    dirty.requires_grad_()
    output, _ = layer(dirty, lengths=LENGTHS)
    output.sum().backward()
    assert torch.equal(output, layer(x, lengths=LENGTHS)[0])
    assert all(p.grad.isfinite().all() for p in layer.parameters())
    assert dirty.grad.isfinite().all()


def test_padding_beyond_the_longest_sequence_stays_in_the_output():
    output, _ = _layer()(_x(9, 4, 5), lengths=[3, 2, 3, 3])
    assert output.shape == (9, 4, 6)
    assert not output[3:].any()


def test_packed_and_padded_are_the_same():
    layer = _layer("lstm", bidirectional=True)
    x = _x(9, 4, 5)
    packed = pack_padded_sequence(x, torch.tensor(LENGTHS), enforce_sorted=False)
    output, state = layer(packed)
    expected, expected_state = layer(x, lengths=torch.tensor(LENGTHS))
    torch.testing.assert_close(pad_packed_sequence(output)[0], expected)
    for a, b in zip(state, expected_state, strict=True):
        torch.testing.assert_close(a, b)


def test_batch_first_and_non_contiguous():
    first, second = _layer(batch_first=True), _layer()
    x = _x(5, 9, 4).permute(2, 1, 0)  # [B, T, I], not contiguous
    torch.testing.assert_close(first(x)[0].transpose(0, 1), second(x.transpose(0, 1))[0])


@pytest.mark.parametrize("cell", CELLS)
def test_states_carried_between_calls_equal_one_call(cell):
    layer = _layer(cell, num_layers=2)
    x = _x(9, 4, 5)
    whole, last = layer(x)
    first, state = layer(x[:4])
    second, carried = layer(x[4:], state)
    torch.testing.assert_close(torch.cat([first, second]), whole)
    for a, b in zip(_states(carried), _states(last), strict=True):
        torch.testing.assert_close(a, b)


def test_truncated_gradients_through_detached_states():
    layer = _layer("lstm")
    _, state = layer(_x(4, 2, 5))
    output, _ = layer(_x(4, 2, 5), tuple(s.detach() for s in state))
    output.sum().backward()
    assert all(p.grad is not None for p in layer.parameters())


@pytest.mark.parametrize("lengths", [None, [5, 2]], ids=str)
def test_states_are_detached_in_place(lengths):
    _, states = gatelab.Recurrent("lstm", 3, 4)(torch.randn(5, 2, 3), lengths=lengths)
    for state in states:
        assert state.detach_().grad_fn is None


def test_dropout_is_between_layers_only():
    x = _x(9, 4, 5)
    one = _layer(dropout=0.9)
    assert torch.equal(one(x)[0], one(x)[0])
    two = _layer(num_layers=2, dropout=0.5)
    assert not torch.equal(two(x)[0], two(x)[0])
    two.eval()
    assert torch.equal(two(x)[0], two(x)[0])


@pytest.mark.parametrize("wrapper", ["recurrent-dropout=0.5", "zoneout=0.5"])
def test_random_cells_are_random_in_training_only(wrapper):
    layer = _layer(f"lstm+{wrapper}")
    x = _x(9, 4, 5)
    assert not torch.equal(layer(x)[0], layer(x)[0])
    layer.eval()
    still = layer(x)[0]
    assert torch.equal(still, layer(x)[0])
    layer.train()
    average = torch.stack([layer(x)[0] for _ in range(200)]).mean(0)
    assert (average - still).abs().mean() < 0.05


def test_recurrent_dropout_keeps_one_mask_a_sequence():
    @gatelab.cell
    def sums(x, h):
        return gatelab.linear(x, name="x", bias=False) + gatelab.linear(h, name="h", bias=False)

    layer = gatelab.Recurrent(recurrent_dropout(sums, 0.5), 1, 1, init={"W_x": 1.0, "U_h": 1.0}).double()
    output, _ = layer(torch.ones(4, 1000, 1, dtype=torch.float64))
    assert {round(v, 6) for v in output[-1].flatten().tolist()} == {1.0, 1 + 2 + 4 + 8}


def test_no_grad_keeps_nothing_and_gives_the_same():
    layer = _layer("lstm")
    x = _x(9, 4, 5)
    expected = layer(x)[0]
    with torch.no_grad():
        output = layer(x)[0]
    assert not output.requires_grad
    assert torch.equal(output, expected)


def test_frozen_weights_get_no_gradient():
    layer = _layer("gru")
    layer.U_z_l0.requires_grad_(False)
    layer(_x(3, 2, 5))[0].sum().backward()
    assert layer.U_z_l0.grad is None
    assert layer.W_z_l0.grad is not None


@pytest.mark.parametrize("engine", ["tile", "reference"])
@pytest.mark.parametrize("cell", ["tanh", "lstm", "gru", "lstm+layer-norm"])
def test_differentiated_twice(cell, engine):
    layer = _layer(cell, hidden=2, engine=engine)
    x = _x(3, 2, 5).requires_grad_()
    said = pytest.warns(
        EngineWarning, match="the reference engine takes over: a derivative of the derivative"
    )
    with said if engine == "tile" else contextlib.nullcontext():
        assert torch.autograd.gradgradcheck(lambda v: layer(v, lengths=[3, 2])[0], (x,))
        (slope,) = torch.autograd.grad(layer(x)[0].sum(), x, create_graph=True)
    slope.square().sum().backward()
    assert all(p.grad is not None for p in layer.parameters())


def test_modules_are_copied_and_pickled():
    layer = _layer("lstm+zoneout=0.1", num_layers=2)
    layer.eval()
    x = _x(3, 2, 5)
    for twin in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        assert torch.equal(twin(x)[0], layer(x)[0])
    assert copy.deepcopy(layer).cell.nodes == layer.cell.nodes


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_type_of_floats_is_kept(dtype):
    layer = gatelab.Recurrent("lstm+layer-norm", 5, 6, dtype=dtype)
    output, state = layer(torch.randn(3, 2, 5, dtype=dtype))
    assert output.dtype == state[0].dtype == dtype
    output.sum().backward()


def test_init_by_role_and_name():
    layer = gatelab.Recurrent(
        "lstm",
        5,
        6,
        init={"recurrent": "orthogonal", "bias": 0, "b_f": 2.5, "input": "normal=0.01", "peephole": 0},
    )
    u = layer.U_i_l0.detach()
    torch.testing.assert_close(u @ u.T, torch.eye(6))
    assert (layer.b_f_l0 == 2.5).all()
    assert not layer.b_i_l0.any()
    assert layer.W_i_l0.abs().max() < 0.1
    irnn = gatelab.Recurrent("irnn", 5, 6)
    assert torch.equal(irnn.U_h_l0, torch.eye(6))
    assert (gatelab.Recurrent("lstm-np-b", 5, 6).b_f_l0 == 1).all()
    bounded = gatelab.Recurrent("gru", 5, 16, init={"input": "uniform=0.08"})
    assert bounded.W_z_l0.abs().max() <= 0.08
    assert bounded.U_z_l0.abs().max() <= 0.25


def test_parameter_count_is_the_catalogue_s():
    layer = gatelab.Recurrent("fgr", 5, 6, 2, bidirectional=True)
    assert sum(p.numel() for p in layer.parameters()) == gatelab.parameter_count("fgr", 5, 6, 2, True)


def test_the_engine_is_told_with_its_reason():
    assert str(_layer().engine).startswith("tile: the fastest on this machine (")
    assert str(_layer(engine="tile").engine).startswith("tile: asked for (")
    assert str(_layer(engine="reference").engine) == "reference: asked for"
    assert str(_layer().to(torch.bfloat16).engine) == (
        "reference: the tile machine computes in float32 and float64, and the weights are torch.bfloat16"
    )
    with pytest.raises(EngineError, match="did you mean reference"):
        _layer(engine="referenec")


def test_a_cell_whose_output_is_not_a_value_a_unit_is_refused():
    @gatelab.cell(widths={"m": "1"})
    def average(x, m, h):
        h = gatelab.tanh(gatelab.linear(x, h, name="h"))
        return gatelab.mean(h), h

    with pytest.raises(ConfigError, match="got width 1; return another state first"):
        gatelab.Recurrent(average, 5, 6)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: _layer()(_x(9, 4, 7)), r"I = 5 \(inputs\), got 7"),
        (lambda: _layer()(_x(9)), "1 axes"),
        (lambda: _layer()([1.0]), "got list"),
        (
            lambda: _layer()(torch.randn(9, 4, 5)),
            r"wanted torch.float64, .* got torch.float32; try .to\(torch",
        ),
        (lambda: _layer()(torch.ones(9, 4, 5, dtype=torch.long)), "got torch.int64"),
        (lambda: _layer("lstm")(_x(9, 4, 5), (None, None)), "state h: wanted a tensor"),
        (lambda: _layer()(_x(9, 4, 5), 3), "state h: wanted a tensor"),
        (lambda: _layer()(_x(0, 4, 5)), "T \\(time steps\\), got 0"),
        (lambda: _layer()(_x(4, 0, 5)), "B \\(sequences in a batch\\), got 0"),
        (lambda: _layer()(_x(9, 4, 5), lengths=[1, 2, 3]), "4 whole numbers"),
        (lambda: _layer()(_x(9, 4, 5), lengths=[1, 2, 3, 0]), r"lengths\[3\]: wanted 1 to T = 9"),
        (lambda: _layer()(_x(9, 4, 5), lengths=[1, 2, 3, 10]), "got 10"),
        (lambda: _layer()(_x(9, 4, 5), lengths=[1.0, 2, 3, 4]), "whole numbers"),
        (lambda: _layer()(_x(9, 4, 5), lengths="abcd"), "whole numbers"),
        (lambda: _layer()(_x(9, 4, 5), _x(1, 3, 6)), r"\(1, 4, 6\), got \(1, 3, 6\)"),
        (lambda: _layer("lstm")(_x(9, 4, 5), _x(1, 4, 6)), r"2 state\(s\) \(h, c\), got 1"),
        (lambda: _layer("lstm-blocks", hidden=7), "multiple of 2, got 7"),
        (lambda: _layer(hidden=0), "hidden_size"),
        (lambda: _layer(num_layers=0), "num_layers"),
        (lambda: _layer(dropout=1.0), "dropout"),
        (lambda: _layer(init={"recurent": "orthogonal"}), "did you mean recurrent"),
        (lambda: _layer(init={"recurrent": "ortogonal"}), "did you mean orthogonal"),
        (lambda: _layer(init={"bias": "orthogonal"}), "is a vector"),
        (lambda: _layer(init={"bias": "uniform=x"}), "wants a number"),
        (lambda: _layer("grru"), "did you mean gru"),
    ],
)
def test_errors_say_what_was_wanted(call, said):
    with pytest.raises((ShapeError, ConfigError), match=said) as caught:
        call()
    assert "\n" not in str(caught.value)


def test_what_does_not_fit_into_memory_is_said():
    with pytest.raises(ConfigError, match="hidden_size: wanted a whole number of at least 1 and below 2,147"):
        gatelab.Recurrent("tanh", 1, 2**31)
    with pytest.raises(ConfigError, match=r"weight W_h_l0: wanted .* numbers, and there is no memory"):
        gatelab.Recurrent("tanh", 2**31 - 1, 2**30)


def test_a_packed_sequence_of_another_type_is_refused():
    packed = pack_padded_sequence(torch.randn(3, 2, 5).double(), torch.tensor([3, 2]))
    with pytest.raises(ShapeError, match=r"input: wanted torch.float32"):
        gatelab.Recurrent("tanh", 5, 6)(packed)


def test_a_cell_without_weights():
    @gatelab.cell
    def decay(x, h):
        return 0.5 * h + 0.1

    layer = gatelab.Recurrent(decay, 5, 6)
    assert layer.engine.name == "tile"
    assert layer(torch.randn(3, 2, 5))[0].shape == (3, 2, 6)
