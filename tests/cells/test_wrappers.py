"""Layer normalisation, recurrent dropout, zoneout and block size, against what they mean."""

import pytest
import torch
from torch.nn.functional import layer_norm

from gatelab import cells
from gatelab.graph import Op
from gatelab.graph.fold import depends_on


def normal(w, name, value):
    return layer_norm(value, value.shape[-1:], w[f"G_{name}"])


def gate(w, name, x, h):
    product = normal(w, f"W_{name}", x @ w[f"W_{name}"].T) + normal(w, f"U_{name}", h @ w[f"U_{name}"].T)
    return product + w[f"b_{name}"]


def test_layer_norm_of_the_plain_unit(problem):
    p = problem(cells.get("tanh+layer-norm"), 3, 8, (1, 1))
    torch.testing.assert_close(p.reference()[0], torch.tanh(gate(p.weights, "h", p.x, *p.states)))


def test_layer_norm_of_the_lstm(problem):
    p = problem(cells.get("lstm-np+layer-norm"), 3, 8, (1, 1))
    w, (h, c) = p.weights, p.states
    i, f, o = (torch.sigmoid(gate(w, k, p.x, h)) for k in "ifo")
    new = f * c + i * torch.tanh(gate(w, "c", p.x, h))
    output = o * torch.tanh(normal(w, "c", new) + w["B_c"])
    for ours, wanted in zip(p.reference()[1:], [output, new], strict=True):
        torch.testing.assert_close(ours, wanted)


def test_layer_norm_over_blocks(problem):
    p = problem(cells.get("lstm-blocks+layer-norm"), 3, 8, (1, 1))
    i = torch.sigmoid(gate(p.weights, "i", p.x, p.states[0]))
    assert i.shape == (2, 4)
    torch.testing.assert_close(p.values([p.cell.names["i"]])[p.cell.names["i"]], i)


def test_layer_norm_starts_as_normalisation_alone():
    weights = {p.name: p.weight for p in cells.get("lstm+layer-norm").parameters}
    gains = {name: w for name, w in weights.items() if w.role == "gain"}
    assert {w.start for w in gains.values()} == {1.0}
    assert set(gains) == {"G_c", *(f"G_{m}_{k}" for m in "WU" for k in "ifoc")}
    assert weights["B_c"].start == 0.0


def test_recurrent_dropout_drops_the_past_where_it_enters_a_product(problem):
    p = problem(cells.get("gru+recurrent-dropout=0.5"), 3, 4, (1, 1, 1))
    (m,), w, (h,) = p.masks.values(), p.weights, p.states
    assert set(m.unique().tolist()) <= {0.0, 2.0}

    def gate(name, past):
        return p.x @ w[f"W_{name}"].T + (m * past) @ w[f"U_{name}"].T + w[f"b_{name}"]

    z, r = torch.sigmoid(gate("z", h)), torch.sigmoid(gate("r", h))
    torch.testing.assert_close(p.reference()[0], z * torch.tanh(gate("h", r * h)) + (1 - z) * h)


def test_zoneout_keeps_units_of_each_state(problem):
    p, plain = (
        problem(cells.get("lstm+zoneout=0.5"), 3, 4, (1, 1, 1)),
        problem(cells.get("lstm"), 3, 4, (1, 1, 1)),
    )
    for state, new, old in zip("hc", plain.reference()[1:], plain.states, strict=True):
        kept = p.masks[f"zoneout_{state}"].bool()
        assert 0 < kept.sum() < kept.numel()
        torch.testing.assert_close(
            dict(zip("hc", p.reference()[1:], strict=True))[state], torch.where(kept, old, new)
        )


@pytest.mark.parametrize(
    ("name", "masks"),
    [
        ("gru+zoneout=0.1", [("zoneout_h", "zoneout", 0.1, "step", "H", 0.1)]),
        ("gru+recurrent-dropout=0.3", [("recurrent_dropout", "dropout", 0.3, "sequence", "H", 1.0)]),
        ("lstm-blocks+recurrent-dropout=0.3", [("recurrent_dropout", "dropout", 0.3, "sequence", "H", 1.0)]),
        ("lstm-blocks+blocks=4", []),
    ],
)
def test_masks(name, masks):
    found = [m.mask for m in cells.get(name).masks]
    assert [(m.name, m.kind, m.rate, m.each, m.width, m.expectation) for m in found] == masks


@pytest.mark.parametrize("name", cells.CATALOGUE)
def test_what_comes_from_the_input_alone_is_never_dropped(name):
    for node in cells.get(f"{name}+recurrent-dropout").nodes:
        if node.op is Op.MATMUL:
            assert depends_on(node, Op.STATE) == depends_on(node, Op.MASK)


def test_blocks_share_their_gates(problem):
    p = problem(cells.get("lstm-blocks+blocks=3"), 3, 12, (2, 2))
    name = p.cell.names["i"]
    assert p.values([name])[name].shape == (4, 4)
    assert cells.get("lstm-blocks+blocks=3").block == 3
