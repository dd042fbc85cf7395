"""Whole models as ONNX, run by onnxruntime and compared with their networks."""

import json

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch.nn.utils.rnn import (
    PackedSequence,
    pack_padded_sequence,
    pack_sequence,
    pad_packed_sequence,
)

import gatelab
from gatelab.cli.use import export
from gatelab.errors import ConfigError
from gatelab.models.folder import Model, card_of, save
from gatelab.models.kept import Kept
from gatelab.models.onnx import export_model
from gatelab.nn import AdaptiveSoftmax, SampledSoftmax
from gatelab.runs import Body, Training
from gatelab.runs.config import Measure
from gatelab.runs.config import Task as Record
from gatelab.tasks import open_task
from gatelab.tasks.blueprint import HEADS, Blueprint
from gatelab.tasks.classify import ClassifyTask
from gatelab.tasks.ragged import Part, Posed
from gatelab.tasks.synthetic import GENERATORS
from gatelab.tasks.task import About
from gatelab.tasks.transcribe import TranscribeTask
from gatelab.tasks.translate import translate

LIMIT = 1e-5


def _model(kind="frames", cell="lstm", body=None, kept=None, hidden=6, **made):
    """Return an untrained model of random weights."""
    torch.manual_seed(1)
    blueprint, body = Blueprint(**{"outputs": 4, "head": "categorical", **made}), body or Body()
    unit = gatelab.cells.get(cell)
    record = Record(
        kind=kind, dataset="made-up", load="made-up", title="Made up", source="here", digest="ab",
        sequences=(9, 5, 4), steps=(90, 50, 40), input_size=blueprint.width, output_size=blueprint.outputs,
        measures=(Measure(name="NLL"),), headline="NLL",
    )  # fmt: skip
    card = card_of(
        unit, task=record, blueprint=blueprint, hidden_size=hidden, body=body, kept=kept or {},
        training=Training(), learning_rate=0.1, seed=0, measures={"test": {"NLL": 1.5}},
    )  # fmt: skip
    network = blueprint.network(unit, hidden, body)
    for parameter in network.parameters():
        torch.nn.init.normal_(parameter, std=0.5)
    return Model(card, unit, network.eval(), Kept())


def _session(path):
    return onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])


def _made(model, lengths, seed=0):
    """Return sequences as the model reads them."""
    random = np.random.default_rng(seed)
    made = model.card.blueprint
    draw = [
        random.integers(0, made.symbols, n) if made.symbols else random.normal(size=(n, made.inputs))
        for n in lengths
    ]
    return [torch.from_numpy(x if made.symbols else x.astype(np.float32)) for x in draw]


def _padded(sequences, filler):
    whole = torch.full((max(map(len, sequences)), len(sequences), *sequences[0].shape[1:]), filler)
    for k, sequence in enumerate(sequences):
        whole[: len(sequence), k] = sequence
    return whole.to(sequences[0].dtype).numpy()


@torch.no_grad()
def _difference(model, path, lengths=(5, 9, 1, 9)):
    """Return the largest difference between the file's answers and the network's, sequence by sequence."""
    session, sequences = _session(path), _made(model, lengths)
    names = {i.name for i in session.get_inputs()}
    feed = {"input": _padded(sequences, 1 if model.card.blueprint.symbols else 7.5)}
    if "lengths" in names:
        feed["lengths"] = np.array(lengths)
    answers = session.run(["answers"], feed)[0]
    end, worst = model.network.reads == "end", 0.0
    for k, sequence in enumerate(sequences):
        wanted = _told(model.network.head, model.network(pack_sequence([sequence]))).numpy()
        came = answers[k : k + 1] if end else answers[: len(sequence), k]
        assert came.shape == wanted.shape
        worst = max(worst, float(np.abs(came - wanted).max()))
    return worst


def _told(head, answers):
    """Return what ONNX gives of heads that answer with hidden rows."""
    if isinstance(head, AdaptiveSoftmax):
        return head.log_probabilities(answers)
    return head.affine(answers) if isinstance(head, SampledSoftmax) else answers


BODIES = {
    "one layer": Body(),
    "two layers": Body(layers=2, dropout=0.3),
    "both directions": Body(layers=2, bidirectional=True),
}
INPUTS = {
    "vectors": {"inputs": 3},
    "symbols": {"symbols": 7},
    "embedded": {"symbols": 7, "embedding": 5},
}


@pytest.mark.parametrize("head", HEADS)
@pytest.mark.parametrize("reads", ["steps", "end"])
def test_every_head(head, reads, tmp_path):
    model = _model(head=head, outputs=3, inputs=3, reads=reads)
    (path,) = export_model(model, tmp_path / "a.onnx")
    assert _difference(model, path) < LIMIT


@pytest.mark.parametrize("inputs", INPUTS.values(), ids=INPUTS)
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("reads", ["steps", "end"])
@pytest.mark.parametrize("cell", ["lstm", "gru", "cifg"])
def test_every_body_and_input(inputs, body, reads, cell, tmp_path):
    model = _model(cell=cell, body=body, reads=reads, **inputs)
    (path,) = export_model(model, tmp_path / "a.onnx")
    assert _difference(model, path) < LIMIT
    assert _difference(model, path, lengths=(1,)) < LIMIT


def _posed(symbols=0):
    random = np.random.default_rng(0)

    def part(count):
        lengths = random.integers(6, 12, count)
        made = [random.integers(0, 5, n) if symbols else random.normal(size=(n, 3)) for n in lengths]
        return [Part(made, [k % 4 for k in range(count)]), Part(made, [random.integers(0, 4, 3)] * count)]

    parts = list(zip(("train", "valid", "test"), map(part, (9, 5, 4)), strict=True))
    classes, strings = ({split: found[k] for split, found in parts} for k in (0, 1))
    about = About("made-up", "Made up", "here", "ab")
    return [Posed(about, p, tuple("abcd"), {"inputs": "values"}, symbols) for p in (classes, strings)]


def _files(folder):
    """Write a text and a table; return their paths."""
    text, table = folder / "a.txt", folder / "b.csv"
    text.write_text("the cat sat on the mat and looked at the rain\n" * 40)
    rows = [f"{1990 + k // 12}-{k % 12 + 1:02},{k % 12 + 0.01 * k:.2f}" for k in range(240)]
    table.write_text("\n".join(["Month,Load", *rows]) + "\n")
    return str(text), str(table)


KINDS = {
    "classify": lambda folder: ClassifyTask(_posed()[0]),
    "classify symbols": lambda folder: ClassifyTask(_posed(5)[0]),
    "transcribe": lambda folder: TranscribeTask(_posed()[1], "letter"),
    "music": lambda folder: open_task("chorales", "music"),
    "language": lambda folder: open_task(_files(folder)[0], "language"),
    "forecast": lambda folder: open_task(_files(folder)[1], "forecast", {"horizon": 3, "context": 8}),
    "quantiles": lambda folder: open_task(_files(folder)[1], "forecast", {"head": "quantiles"}),
} | {
    name: lambda folder, name=name: open_task(name, "synthetic", {"epoch": 10, "held_out": 5})
    for name in GENERATORS
}


@torch.no_grad()
@pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
def test_every_kind_of_task_on_its_own_data(make, tmp_path):
    task = make(tmp_path)
    unit = gatelab.cells.get("gru")
    body = task.body.model_copy(update={"layers": 2})
    card = card_of(
        unit, task=task.record(), blueprint=task.blueprint, hidden_size=6, body=body, kept=task.kept(),
        training=task.training, learning_rate=0.1, seed=0, measures={},
    )  # fmt: skip
    model = Model(card, unit, task.network(unit, 6, body).eval(), Kept())
    (path,) = export_model(model, tmp_path / "a.onnx", lengths=True)
    inputs = next(iter(task.evaluation("valid"))).inputs
    wanted = model.network(inputs).numpy()
    ragged = isinstance(inputs, PackedSequence)
    padded, counts = pad_packed_sequence(inputs) if ragged else (inputs, torch.tensor([len(inputs)]))
    feed = {"input": padded.numpy(), "lengths": counts.expand(padded.shape[1]).contiguous().numpy()}
    came = torch.from_numpy(_session(path).run(["answers"], feed)[0])
    if task.blueprint.reads == "steps":
        came = pack_padded_sequence(came, counts).data if ragged else came.flatten(0, 1)
    assert np.abs(came.numpy() - wanted).max() < LIMIT


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_lengths_are_an_input_where_answers_depend_on_them(body, tmp_path):
    def inputs(reads, **options):
        (path,) = export_model(_model(inputs=3, body=body, reads=reads), tmp_path / "a.onnx", **options)
        return [i.name for i in _session(path).get_inputs()]

    assert inputs("end") == ["input", "lengths"]
    assert inputs("steps") == ["input", "lengths"][: 1 + body.bidirectional]
    assert inputs("steps", lengths=True) == ["input", "lengths"]


@pytest.mark.parametrize("cell", ["lstm", "gru", "cifg"])
@pytest.mark.parametrize("inputs", INPUTS.values(), ids=INPUTS)
def test_piece_by_piece(cell, inputs, tmp_path):
    model = _model(cell=cell, body=Body(layers=2), **inputs)
    (path,) = export_model(model, tmp_path / "a.onnx", states=True)
    session = _session(path)
    (sequence,) = _made(model, [11])
    states = [i for i in session.get_inputs() if i.name.startswith("initial_")]
    assert [s.name.removeprefix("initial_") for s in states] == [s.name for s in model.cell.states]
    held = {s.name: np.zeros((2, 1, 6), np.float32) for s in states}
    found = []
    for piece in sequence[:, None].split([1, 4, 6]):
        answers, *finals = session.run(None, {"input": piece.numpy(), **held})
        held = dict(zip(held, finals, strict=True))
        found.append(answers)
    wanted = model.network(sequence[:, None]).detach().numpy()
    assert np.abs(np.concatenate(found)[:, 0] - wanted).max() < LIMIT


@pytest.mark.parametrize("cell", ["lstm", "gru", "cifg"])
@pytest.mark.parametrize("reverse", [False, True])
def test_an_encoder_and_a_decoder(cell, reverse, tmp_path):
    """The two files translate as the model does: greedily, from the start symbol to the stop symbol."""
    model = _model(
        "translate", cell, Body(layers=2), {"reverse": reverse}, hidden=8, symbols=9, outputs=9, embedding=5,
        source_symbols=7,
    )  # fmt: skip
    encoder, decoder = export_model(model, tmp_path / "a.onnx")
    assert (encoder.name, decoder.name) == ("a-encoder.onnx", "a-decoder.onnx")
    random = np.random.default_rng(2)
    sentences = [random.integers(0, 7, n) for n in (4, 1, 6)]
    start, stop = 1, 2
    wanted = translate(model.network, sentences, reverse, start, stop)
    read = [torch.from_numpy(s[:: -1 if reverse else 1].copy()) for s in sentences]
    states = _session(encoder).run(None, {"input": _padded(read, 3), "lengths": np.array([4, 1, 6])})
    session = _session(decoder)
    begins = [i.name for i in session.get_inputs()][1:]
    words, found = np.full((1, 3), start), []
    for _ in range(80):
        answers, *states = session.run(None, {"input": words, **dict(zip(begins, states, strict=True))})
        words = answers.argmax(-1)
        found.append(words[0])
    for k, sentence in enumerate(np.stack(found, 1).tolist()):
        assert (sentence[: sentence.index(stop)] if stop in sentence else sentence) == wanted[k]


@torch.no_grad()
def test_a_decoder_s_answers(tmp_path):
    model = _model("translate", symbols=9, outputs=9, embedding=5, source_symbols=7)
    encoder, decoder = export_model(model, tmp_path / "a.onnx", lengths=True)
    torch.manual_seed(3)
    source, written = ([torch.randint(0, most, (n,)) for n in (6, 3, 2)] for most in (7, 9))
    packed = pack_sequence(written)
    answers = model.network((pack_sequence(source), packed))
    wanted, lengths = pad_packed_sequence(packed._replace(data=answers))
    counts = lengths.numpy()
    states = _session(encoder).run(None, {"input": _padded(source, 0), "lengths": counts})
    feed = {"input": _padded(written, 0), "lengths": counts}
    feed |= dict(zip(["initial_h", "initial_c"], states, strict=True))
    came = _session(decoder).run(["answers"], feed)[0]
    for k, n in enumerate(counts):
        assert np.abs(came[:n, k] - wanted[:n, k].numpy()).max() < LIMIT


@pytest.mark.parametrize("inputs", [INPUTS["symbols"], INPUTS["embedded"]], ids=["symbols", "embedded"])
@pytest.mark.parametrize("symbol", [7, -1, -7])
def test_a_symbol_that_there_is_not_is_refused(symbol, inputs, tmp_path):
    (path,) = export_model(_model(**inputs), tmp_path / "a.onnx")
    with pytest.raises(Exception, match=r"out of (data )?bounds"):
        _session(path).run(None, {"input": np.array([[3], [symbol]])})


def test_what_the_file_says(tmp_path):
    kept = {"inputs": "values", "names": ["a", "b", "c", "ä"], "scale": {"mean": [0.5], "deviation": [2.0]}}
    (path,) = export_model(_model(kept=kept, inputs=3), tmp_path / "a.onnx", states=True)
    model = onnx.load(path)
    said = {p.key.removeprefix("gatelab."): p.value for p in model.metadata_props}
    assert json.loads(said["kept"]) == kept
    assert json.loads(said["measures"]) == {"test": {"NLL": 1.5}}
    assert Blueprint(**json.loads(said["blueprint"])).head == "categorical"
    assert (said["task"], said["part"], said["name"]) == ("frames", "network", "lstm")
    assert said["answers"] == "logits of the classes"
    assert "kept.scale" in said["input"]
    assert [i.name for i in model.graph.input] == ["input", "initial_h", "initial_c"]
    assert [o.name for o in model.graph.output] == ["answers", "final_h", "final_c"]
    axes = [d.dim_param or d.dim_value for d in model.graph.output[0].type.tensor_type.shape.dim]
    assert axes == ["T", "B", 4]
    assert model.graph.output[0].type.tensor_type.elem_type == onnx.TensorProto.FLOAT


def test_levels_and_components_are_said(tmp_path):
    def answers(head):
        (path,) = export_model(_model(head=head, inputs=3), tmp_path / "a.onnx")
        return {p.key: p.value for p in onnx.load(path).metadata_props}["gatelab.answers"]

    assert answers("quantiles").endswith("levels 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9")
    assert answers("mixture").startswith("20 logits, means [20, 4]")


def test_the_verb(tmp_path, capsys):
    model = _model(inputs=3, reads="end")
    kept = {"names": list("abcd"), "inputs": "values"}
    task = model.card.task.model_copy(update={"kind": "classify"})
    card = model.card.model_copy(update={"kept": kept, "task": task})
    folder = save(tmp_path / "model", card, model.network)
    export(folder, tmp_path / "b.onnx", states=True)
    assert capsys.readouterr().out == f"wrote {tmp_path / 'b.onnx'}\n"
    names = [i.name for i in _session(tmp_path / "b.onnx").get_inputs()]
    assert names == ["input", "initial_h", "initial_c", "lengths"]


def test_what_cannot_be(tmp_path):
    with pytest.raises(ConfigError, match="cannot hear them piece by piece"):
        export_model(_model(inputs=3, body=Body(bidirectional=True)), tmp_path / "a.onnx", states=True)
    with pytest.raises(ConfigError, match="cannot write"):
        export_model(_model(inputs=3), tmp_path / "nowhere" / "a.onnx")
    assert not list(tmp_path.iterdir())
