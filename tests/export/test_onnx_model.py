"""Networks as ONNX models, run by onnxruntime and compared with the layers themselves."""

import json
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

import gatelab
from edge_cells import EDGES
from gatelab import cells
from gatelab.errors import ConfigError, ShapeError
from gatelab.export import export_onnx, onnx_model
from gatelab.graph.data import from_data
from gatelab.nn import GRU, LSTM, RNN, Bernoulli

WRAPPED = [
    "lstm-blocks+blocks=3",
    "gru+recurrent-dropout=0.3",
    "lstm+zoneout=0.2",
    "fgr+recurrent-dropout=0.5+zoneout=0.1",
]
NORMALISED = ["lstm+layer-norm", "lstm-blocks+layer-norm", "gru-after+layer-norm", "fgr+layer-norm"]


class Runner:
    """A model in onnxruntime, beside the module from which it was made."""

    def __init__(self, module, **options):
        self.module, self.options = module.eval(), options
        self.model = onnx_model(module, **options)
        content = self.model.SerializeToString()
        self.session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])

    @property
    def operators(self):
        return [n.op_type for n in self.model.graph.node if n.op_type in ("LSTM", "GRU", "RNN", "Scan")]

    def problem(self, steps, batch):
        """Return what is fed to the model, and the same as the module takes it."""
        module, kind = self.module, next(iter([*self.module.parameters(), torch.empty(0)])).dtype
        rows = module.num_layers * module.num_directions
        shape = (batch, steps) if module.batch_first else (steps, batch)
        x = torch.randn(*shape, module.input_size, dtype=kind)
        feed, states, lengths = {"input": x.numpy()}, None, None
        if self.options.get("states"):
            sizes = [module.sizes(0)[s.width] for s in module.cell.states]
            states = [torch.randn(rows, batch, size, dtype=kind) for size in sizes]
            feed |= {f"initial_{s.name}": v.numpy() for s, v in zip(module.cell.states, states, strict=True)}
            states = states[0] if len(states) == 1 else tuple(states)
        if self.options.get("lengths"):
            lengths = 1 + torch.arange(batch) % steps
            feed["lengths"] = lengths.numpy()
        return feed, (x, states, lengths)

    def error(self, steps, batch):
        """Return the largest difference between the model's results and the module's."""
        feed, given = self.problem(steps, batch)
        with torch.no_grad():
            output, state = self.module(*given)
        wanted = [output, *(state if isinstance(state, tuple) else (state,))]
        if head := self.options.get("head"):
            wanted.append(head(output).detach())
        came = self.session.run(None, feed)
        assert [c.shape for c in came] == [tuple(w.shape) for w in wanted]
        return max(float(np.abs(c - w.numpy()).max()) for c, w in zip(came, wanted, strict=True))


def layer_of(name, inputs=5, hidden=6, layers=2, **options):
    torch.manual_seed(0)
    return gatelab.Recurrent(name, inputs, hidden, layers, **options)


@pytest.mark.parametrize("options", [{}, {"states": True, "lengths": True}], ids=["plain", "states, lengths"])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", [*cells.CATALOGUE, *WRAPPED])
def test_every_cell(name, bidirectional, options):
    """One model for all numbers of steps and sequences."""
    runner = Runner(layer_of(name, 7, 18, bidirectional=bidirectional), **options)
    for steps, batch in [(1, 1), (9, 4), (17, 3)]:
        assert runner.error(steps, batch) < 1e-5


@pytest.mark.parametrize("name", [*cells.CATALOGUE, *WRAPPED, *NORMALISED])
def test_every_cell_as_scan_in_float64(name):
    runner = Runner(
        layer_of(name, dtype=torch.float64, bidirectional=True, batch_first=True), states=True, lengths=True
    )
    assert runner.operators == ["Scan"] * 4
    assert runner.error(9, 4) < 1e-12


@pytest.mark.parametrize("name", NORMALISED)
def test_layer_normalisation(name):
    """Small variances make rounding errors large: the layer's own, too."""
    runner = Runner(layer_of(name, 7, 18, bidirectional=True), states=True)
    feed, (x, states, _) = runner.problem(9, 4)
    double = runner.module.double()
    given = tuple(s.double() for s in states) if isinstance(states, tuple) else states.double()
    wanted = double(x.double(), given)[0].detach().numpy()
    assert np.abs(runner.session.run(["output"], feed)[0] - wanted).max() < 1e-4


NATIVE = {
    "tanh": "RNN", "relu": "RNN", "sigmoid": "RNN", "irnn": "RNN",
    "lstm": "LSTM", "lstm-np": "LSTM", "lstm-np-b": "LSTM", "np": "LSTM",
    "gru": "GRU", "gru-after": "GRU",
}  # fmt: skip


@pytest.mark.parametrize("name", cells.CATALOGUE)
def test_which_cells_are_onnx_s_own(name):
    layer = layer_of(name, bidirectional=True)
    assert Runner(layer).operators == ([NATIVE[name]] * 2 if name in NATIVE else ["Scan"] * 4)
    asked = Runner(layer, native=False, states=True, lengths=True)
    assert asked.operators == ["Scan"] * 4
    assert asked.error(9, 4) < 1e-5


@pytest.mark.parametrize(
    "module",
    [
        LSTM(5, 6, 2, bidirectional=True, batch_first=True),
        GRU(5, 6, bias=False),
        RNN(5, 6, 3, nonlinearity="relu"),
    ],
)
@pytest.mark.parametrize("options", [{}, {"states": True, "lengths": True}], ids=["plain", "states, lengths"])
def test_torch_s_layers(module, options):
    runner = Runner(module, **options)
    assert runner.operators[0] == type(module).__name__
    assert runner.error(9, 4) < 1e-5


@pytest.mark.parametrize(
    "head", [torch.nn.Linear(12, 4), torch.nn.Linear(12, 1, bias=False), Bernoulli(12, 3)]
)
@pytest.mark.parametrize("name", ["gru", "mut1"])
@pytest.mark.parametrize("batch_first", [False, True])
def test_a_head(head, name, batch_first):
    module = layer_of(name, bidirectional=True, batch_first=batch_first)
    assert Runner(module, head=head, lengths=True).error(9, 4) < 1e-5


@pytest.mark.parametrize("edge", EDGES, ids=lambda c: c.name)
@pytest.mark.parametrize("options", [{}, {"states": True, "lengths": True}], ids=["plain", "states, lengths"])
def test_edges(edge, options):
    for native in (False, True):
        runner = Runner(layer_of(edge, bidirectional=True), native=native, **options)
        assert runner.error(4, 3) < 1e-5


def test_padding_says_nothing():
    """What stands beyond a sequence's end has no influence, and the output there is 0."""
    for name in ("lstm", "cifg"):
        runner = Runner(layer_of(name, bidirectional=True), lengths=True)
        feed, _ = runner.problem(5, 3)
        before = runner.session.run(None, feed)
        feed["input"] = feed["input"].copy()
        feed["input"][1:, 0] = np.nan  # its length is 1
        for a, b in zip(before, runner.session.run(None, feed), strict=True):
            np.testing.assert_array_equal(a, b)
        assert not before[0][1:, 0].any()


def test_what_the_file_says(tmp_path):
    path = export_onnx(layer_of("cifg"), tmp_path / "cifg.onnx", states=True)
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    said = {p.key: p.value for p in model.metadata_props}
    assert said["gatelab.name"] == "cifg"
    assert said["gatelab.version"] == gatelab.__version__ == model.producer_version
    assert "1503.04069" in said["gatelab.source"]
    assert from_data(json.loads(said["gatelab.cell"])) == cells.get("cifg")
    assert [o.version for o in model.opset_import] == [17]
    assert [p.name for p in tmp_path.iterdir()] == ["cifg.onnx"]
    axes = [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert axes == ["T", "B", 5]


def test_a_file_that_cannot_be_written(tmp_path):
    (tmp_path / "there").write_text("as it was")
    with pytest.raises(ConfigError, match="cannot write"):
        export_onnx(layer_of("tanh"), tmp_path / "nowhere" / "a.onnx")
    with pytest.raises(ConfigError, match="cannot write"):
        export_onnx(layer_of("tanh"), tmp_path / "there" / "a.onnx")
    assert [p.name for p in tmp_path.iterdir()] == ["there"]


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: onnx_model(torch.nn.LSTM(3, 4)), "wanted a layer of gatelab"),
        (lambda: onnx_model(layer_of("gru", dtype=torch.bfloat16)), "float32 or float64"),
        (lambda: onnx_model(layer_of("gru"), head=torch.nn.Tanh()), "head: wanted torch.nn.Linear"),
        (lambda: onnx_model(layer_of("gru"), head=torch.nn.Linear(7, 2)), "head: wanted 6 inputs"),
        (
            lambda: onnx_model(layer_of("gru"), head=torch.nn.Linear(6, 2).double()),
            "head: wanted torch.float32",
        ),
    ],
)
def test_what_is_no_model(make, said):
    with pytest.raises((ConfigError, ShapeError), match=said):
        make()


def test_without_the_library_onnx(monkeypatch):
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ConfigError, match=r"pip install gatelab\[onnx\]"):
        onnx_model(layer_of("gru"))
