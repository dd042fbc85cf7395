"""The catalogue against its papers: each cell restated in plain torch, straight from the equations.

W from the input, U from the state, V diagonal (peephole), b bias. Every function takes the weights by
name, the input of a step [B, I] and the states before it, and returns the states after it.
"""

import pytest
import torch
from torch import relu, sigmoid, tanh

from gatelab import cells


def affine(w, gate, x, h):
    return x @ w[f"W_{gate}"].T + h @ w[f"U_{gate}"].T + w[f"b_{gate}"]


# Elman 1990; Chung et al. 2014; Le et al. 2015


def plain(activation):
    return lambda w, x, h: (activation(affine(w, "h", x, h)),)


# Graves 2013 and Chung et al. 2014, section 3.1; Greff et al. 2015: a variant changes one thing


def lstm(
    w, x, h, c, *, peepholes=True, no=(), coupled=False, squash=tanh, read=tanh, output=sigmoid, fed=None
):
    def gate(k, seen, activation=sigmoid):
        if k in no:
            return torch.ones_like(c)
        before = affine(w, k, x, h)
        if peepholes:
            before = before + w[f"V_{k}"] * seen
        if fed is not None:
            before = before + sum(fed[s] @ w[f"U_{k}_{s}"].T for s in "ifo")
        return activation(before)

    i = gate("i", c)
    f = 1 - i if coupled else gate("f", c)
    new = f * c + i * squash(affine(w, "c", x, h))
    o = gate("o", new, output)
    return o * read(new), new, i, f, o


def variant(**changes):
    return lambda w, x, h, c: lstm(w, x, h, c, **changes)[:2]


def full_gate_recurrence(w, x, h, c, i, f, o):
    return lstm(w, x, h, c, fed={"i": i, "f": f, "o": o})


def identity(v):
    return v


# Hochreiter and Schmidhuber 1997: two cells share their gates


def blocks(w, x, h, c):
    i, f, o = (sigmoid(affine(w, k, x, h)).repeat_interleave(2, -1) for k in "ifo")
    new = f * c + i * tanh(affine(w, "c", x, h))
    return o * tanh(new), new


# Cho et al. 2014; Chung et al. 2014, section 3.2; torch.nn.GRU


def gru(w, x, h):
    z, r = sigmoid(affine(w, "z", x, h)), sigmoid(affine(w, "r", x, h))
    new = tanh(x @ w["W_h"].T + (r * h) @ w["U_h"].T + w["b_h"])
    return ((1 - z) * h + z * new,)


def gru_after(w, x, h):
    z, r = sigmoid(affine(w, "z", x, h)), sigmoid(affine(w, "r", x, h))
    new = tanh(x @ w["W_h"].T + w["b_h"] + r * (h @ w["U_n"].T + w["b_n"]))
    return ((1 - z) * new + z * h,)


# Jozefowicz et al. 2015, section 3; the input is first brought to the hidden size


def mut1(w, x, h):
    x = x @ w["W_e"].T
    z = sigmoid(x @ w["W_z"].T + w["b_z"])
    r = sigmoid(affine(w, "r", x, h))
    return (tanh((r * h) @ w["U_h"].T + tanh(x) + w["b_h"]) * z + h * (1 - z),)


def mut2(w, x, h):
    x = x @ w["W_e"].T
    z = sigmoid(affine(w, "z", x, h))
    r = sigmoid(x + h @ w["U_r"].T + w["b_r"])
    return (tanh((r * h) @ w["U_h"].T + x @ w["W_h"].T + w["b_h"]) * z + h * (1 - z),)


def mut3(w, x, h):
    x = x @ w["W_e"].T
    z = sigmoid(x @ w["W_z"].T + tanh(h) @ w["U_z"].T + w["b_z"])
    r = sigmoid(affine(w, "r", x, h))
    return (tanh((r * h) @ w["U_h"].T + x @ w["W_h"].T + w["b_h"]) * z + h * (1 - z),)


EQUATIONS = {
    "tanh": plain(tanh),
    "relu": plain(relu),
    "sigmoid": plain(sigmoid),
    "irnn": plain(relu),
    "lstm": variant(),
    "lstm-np": variant(peepholes=False),
    "lstm-np-i": variant(peepholes=False, no="i"),
    "lstm-np-f": variant(peepholes=False, no="f"),
    "lstm-np-o": variant(peepholes=False, no="o"),
    "lstm-np-b": variant(peepholes=False),
    "lstm-np-printed": variant(peepholes=False, output=tanh),
    "lstm-blocks": blocks,
    "nig": variant(no="i"),
    "nfg": variant(no="f"),
    "nog": variant(no="o"),
    "niaf": variant(squash=identity),
    "noaf": variant(read=identity),
    "np": variant(peepholes=False),
    "cifg": variant(coupled=True),
    "fgr": full_gate_recurrence,
    "gru": gru,
    "gru-after": gru_after,
    "mut1": mut1,
    "mut2": mut2,
    "mut3": mut3,
}
WEIGHTS = {  # matrices and vectors of each, so that nothing is left over that no equation reads
    "tanh": 3, "relu": 3, "sigmoid": 3, "irnn": 3,
    "lstm": 15, "lstm-np": 12, "lstm-np-i": 9, "lstm-np-f": 9, "lstm-np-o": 9, "lstm-np-b": 12,
    "lstm-np-printed": 12, "lstm-blocks": 12,
    "nig": 11, "nfg": 11, "nog": 11, "niaf": 15, "noaf": 15, "np": 12, "cifg": 11, "fgr": 24,
    "gru": 9, "gru-after": 10, "mut1": 8, "mut2": 9, "mut3": 10,
}  # fmt: skip


def test_every_cell_is_restated():
    assert set(EQUATIONS) == set(WEIGHTS) == set(cells.CATALOGUE)


@pytest.mark.parametrize("steps", [1, 6])
@pytest.mark.parametrize("name", EQUATIONS)
def test_the_catalogue_says_what_the_papers_say(problem, name, steps):
    p = problem(cells.get(name), 3, 4, (steps,) * 2, seed=steps)
    states, outputs = p.states, []
    for x in p.x.split(2):
        states = EQUATIONS[name](p.weights, x, *states)
        outputs.append(states[0])
    for ours, paper in zip(p.reference(), [torch.cat(outputs), *states], strict=True):
        torch.testing.assert_close(ours, paper, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("name", EQUATIONS)
def test_weights(name):
    assert len(cells.get(name).parameters) == WEIGHTS[name]


def test_block_of_one_is_the_lstm_without_peepholes(problem):
    blocks, plain = problem(cells.get("lstm-blocks+blocks=1")), problem(cells.get("lstm-np"))
    blocks.weights = {p.name: plain.weights[p.name] for p in blocks.cell.parameters}
    blocks.states = plain.states
    for a, b in zip(blocks.reference(), plain.reference(), strict=True):
        torch.testing.assert_close(a, b)


@pytest.mark.parametrize(
    ("name", "starts"),
    [("lstm-np-b", {"b_f": 1.0}), ("irnn", {"U_h": "identity", "b_h": 0.0}), ("lstm", {}), ("gru", {})],
)
def test_how_weights_start(name, starts):
    weights = [p.weight for p in cells.get(name).parameters]
    assert {w.name: w.start for w in weights if w.start is not None} == starts
