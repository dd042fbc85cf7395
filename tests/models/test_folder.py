"""A model's folder: everything comes back bit for bit, and nothing is believed that was changed by hand."""

import copy
import json
import random
import resource
import shutil
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file

import gatelab
from gatelab.errors import GatelabError, RunError
from gatelab.models.ahead import forecast
from gatelab.models.compose import compose, speak
from gatelab.models.folder import load
from gatelab.models.labels import label
from gatelab.models.make import make, order
from gatelab.models.measured import measured
from gatelab.models.write import translate_lines, write_text
from gatelab.tasks import KINDS as ALL
from gatelab.train.checkpoint import read_tensors
from made_up import KINDS


def test_every_kind_of_task_is_here(posed):
    assert {posed(name).kind for name in KINDS} == set(ALL)


@pytest.mark.parametrize("name", KINDS)
def test_a_folder_comes_back_bit_for_bit(name, folders, posed):
    model, task = load(folders(name)), posed(name)
    weights, _ = read_tensors(folders(name) / "training" / "weights.safetensors")
    found = model.network.state_dict()
    assert found.keys() == weights.keys()
    assert all(torch.equal(found[k], weights[k]) for k in weights)
    assert model.cell == gatelab.cells.get("gru")
    assert model.card.kept == task.kept()
    assert model.card.blueprint == task.blueprint
    assert not model.network.training
    for split in ("valid", "test"):
        assert measured(model, split=split) == model.card.measures[split]


def test_loading_draws_no_random_numbers(folders):
    torch.manual_seed(3)
    load(folders("language"))
    after = torch.rand(2)
    torch.manual_seed(3)
    assert torch.equal(after, torch.rand(2))


OWN = """
import gatelab
from gatelab import linear, sigmoid, tanh

@gatelab.cell(name="minimal", source="made up here")
def minimal(x, h):
    f = sigmoid(linear(x, h, name="f"))
    c = tanh(linear(x, f * h, name="c"))
    h = f * h + (1 - f) * c
    return h
"""


def test_an_invented_cell_loads_where_its_source_is_unknown(posed, tmp_path):
    space = {}
    source = tmp_path / "own.py"
    source.write_text(OWN)
    sys.path.insert(0, str(tmp_path))
    try:
        import own

        space["cell"] = own.minimal
    finally:
        sys.path.remove(str(tmp_path))
        sys.modules.pop("own", None)
    make(tmp_path / "model", order(posed("classify"), space["cell"], 4, training={"max_epochs": 1}))
    source.unlink()
    code = (
        "import gatelab, math, sys\n"
        "from gatelab.models.measured import measured\n"
        "model = gatelab.load(sys.argv[1])\n"
        "assert model.cell.name == 'minimal' and model.cell.source == 'made up here'\n"
        "now, then = measured(model), model.card.measures['test']\n"
        "assert now.keys() == then.keys()\n"
        "for name in now:\n"  # the number of threads is another here: last digits may differ
        "    assert math.isclose(now[name], then[name], rel_tol=1e-5), (name, now, then)\n"
        "print(sorted(model.network.state_dict()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "model")],
        capture_output=True, text=True, check=False, cwd="/",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "recurrent.U_f_l0" in done.stdout


@pytest.fixture
def copied(folders, tmp_path):
    def make_copy(name):
        target = tmp_path / name
        target.mkdir(exist_ok=True)
        for file in ("model.json", "weights.safetensors"):
            shutil.copy(folders(name) / file, target / file)
        return target

    return make_copy


def _edit(folder, *path_and_value):
    *path, last, value = path_and_value
    card = json.loads((folder / "model.json").read_text())
    place = card
    for key in path:
        place = place[key]
    place[last] = value
    (folder / "model.json").write_text(json.dumps(card))


HUGE = 10**12


@pytest.mark.parametrize(
    ("name", "edit", "said"),
    [
        ("language", ("hidden_size", HUGE), "hidden_size: wanted at most"),
        ("language", ("blueprint", "outputs", HUGE), "outputs: wanted"),
        ("language", ("blueprint", "embedding", HUGE), "blueprint.embedding"),
        ("language", ("body", "layers", HUGE), "body.layers"),
        ("language", ("body", "layers", 1000), "weights of 1,000 layer"),
        ("language", ("body", "layers", 2), "weights of 2 layer"),
        ("language", ("body", "bidirectional", True), "weights of 1 layer"),
        ("language", ("hidden_size", 6), ", 6] float32, came ["),
        ("language", ("hidden_size", "many"), "hidden_size"),
        ("language", ("task", "kind", "langage"), "task.kind: wanted one of"),
        ("language", ("task", "kind", "music"), "kept.vocabulary: extra inputs"),
        ("language", ("kept", {}), "kept.vocabulary: field required"),
        ("language", ("kept", "vocabulary", "symbols", ["a", "b"]), "symbols: wanted 2, came"),
        ("language", ("kept", "vocabulary", "kind", "bytes"), "wanted a whole number"),
        ("language", ("blueprint", "head", "bernoulli"), "head: wanted one of categorical, adaptive"),
        ("language", ("blueprint", "reads", "end"), "reads: wanted steps"),
        ("language", ("blueprint", "source_symbols", 9), "source_symbols"),
        ("language", ("format", 2), "format 2"),
        ("language", ("cell", "format", 2), "format 1"),
        ("language", ("cell", "states", []), "wants one new value"),
        ("classify", ("kept", "names", ["clap"]), "outputs: wanted 1, came 2"),
        ("classify", ("kept", "scale", "mean", [0.0, 1.0]), "wanted 2 means and deviations, came 2 and 3"),
        ("classify", ("kept", "scale", "deviation", [1.0, 0.0, 1.0]), "greater than or equal to"),
        ("classify", ("kept", "inputs", "video"), "kept.inputs"),
        ("classify", ("kept", "inputs", "pen"), "scale: came one that does not belong to pen"),
        ("tune", ("kept", "labels", ["4/4"]), "inputs: wanted 89, came 90"),
        ("waveform", ("kept", "rate", 0), "rate: wanted 1000 to"),
        ("waveform", ("kept", "scale", "deviation", 0.0), "greater than or equal to"),
        ("translate", ("kept", "target", "symbols", 1, "<START>"), "wanted the symbol <s>"),
        ("translate", ("kept", "source", {"kind": "bytes", "symbols": [7]}), "vocabularies of words"),
        ("forecast", ("kept", "horizon", HUGE), "at most 1,000,000 steps"),
        ("forecast", ("kept", "series", []), "at least one of each"),
        ("forecast", ("kept", "series", 0, "std", [1.0]), "wanted 2 means and deviations"),
        ("forecast", ("kept", "known", []), "inputs: wanted 3, came 5"),
        ("forecast", ("blueprint", "head", "bernoulli"), "head: wanted one of student"),
    ],
)  # fmt: skip
def test_an_edited_card_is_refused(name, edit, said, copied):
    folder = copied(name)
    _edit(folder, *edit)
    with pytest.raises(RunError) as refused:
        load(folder)
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)


def test_nan_is_no_json(copied):
    folder = copied("classify")
    text = (folder / "model.json").read_text()
    (folder / "model.json").write_text(text.replace('"learning_rate": ', '"learning_rate": NaN, "x": '))
    with pytest.raises(RunError, match="wanted a finite number, came NaN"):
        load(folder)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            lambda w: {k: v[:-1] if k.startswith("head") else v for k, v in w.items()},
            "does not fit model.json",
        ),
        (lambda w: {k: v.double() for k, v in w.items()}, "wanted .* float32, came .* float64"),
        (lambda w: {k: v.to(torch.int32) for k, v in w.items()}, "wanted floating point"),
        (lambda w: {k: v * float("nan") for k, v in w.items()}, "not finite"),
        (lambda w: dict(list(w.items())[1:]), "came none"),
        (lambda w: w | {"more": torch.ones(3)}, "wanted none, came"),
        (lambda w: {}, "weights of 1 layer"),
    ],
)
def test_other_weights_are_refused(change, said, copied):
    folder = copied("classify")
    weights = load_file(folder / "weights.safetensors")
    save_file({k: v.contiguous() for k, v in change(weights).items()}, folder / "weights.safetensors")
    with pytest.raises(RunError, match=said):
        load(folder)


def test_what_is_no_model_is_told(tmp_path, copied):
    with pytest.raises(RunError, match="is no folder; wanted a model's folder"):
        load(tmp_path / "nowhere")
    with pytest.raises(RunError, match=r"model.json: cannot be read"):
        load(tmp_path)
    folder = copied("classify")
    (folder / "weights.safetensors").unlink()
    with pytest.raises(RunError, match=r"weights.safetensors: cannot be read"):
        load(folder)
    (folder / "model.json").write_bytes(b"\x80\x04K\x01.")  # a pickle
    with pytest.raises(RunError, match="is no JSON"):
        load(folder)


ODD = [
    None,
    True,
    -1,
    0,
    1,
    3,
    2.5,
    10**12,
    2**31,
    10**30,
    1e308,
    "",
    "gru",
    "a b",
    [],
    {},
    [1],
    [[]],
    {"x": 1},
]


def _mutated(card, draw):
    """Return the card after one to three random changes anywhere in it."""
    card = copy.deepcopy(card)
    for _ in range(draw.randint(1, 3)):
        places = list(_places(card))
        inside, key = draw.choice(places)
        kind = draw.randrange(6)
        if kind == 0:
            del inside[key]
        elif kind == 1 and isinstance(inside, list):
            inside.insert(key, copy.deepcopy(draw.choice(ODD)))
        elif kind == 2 and isinstance(inside[key], int | float):
            inside[key] = inside[key] * draw.choice([-1, 2, 10**9]) + draw.choice([-1, 1])
        elif kind == 3:
            other, name = draw.choice(places)
            inside[key] = copy.deepcopy(other[name])
        else:
            inside[key] = copy.deepcopy(draw.choice(ODD))
    return card


def _places(part):
    """Yield each (container, key) below a part, long lists by a few of their places."""
    keys = list(part) if isinstance(part, dict) else range(len(part))[:40]
    for key in keys:
        yield part, key
        if isinstance(part[key], dict | list):
            yield from _places(part[key])


def _attacked(folders, made_up, tmp_path, count, seed):
    draw = random.Random(seed)
    cards = {name: json.loads((folders(name) / "model.json").read_text()) for name in KINDS}
    sound = 0
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for _ in range(count):
        name = draw.choice(list(cards))
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        weights = (folders(name) / "weights.safetensors").read_bytes()
        if draw.random() < 0.8:
            text = json.dumps(_mutated(cards[name], draw))
        else:
            text = json.dumps(cards[name])
            weights = _damaged(weights, draw)
        (folder / "model.json").write_text(text)
        (folder / "weights.safetensors").write_bytes(weights)
        try:
            _used(load(folder), made_up)
            sound += 1
        except GatelabError as error:
            said = str(error)
            if "\n" in said or len(said) > 2000:
                pytest.fail(f"not a line: {said}")
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert after - before < 300_000  # KiB
    return sound


def _damaged(weights, draw):
    size = int.from_bytes(weights[:8], "little")
    kind = draw.randrange(4)
    if kind == 0:
        return weights[: draw.randrange(len(weights))]
    if kind == 1:
        at = draw.randrange(8 + size)
        return weights[:at] + bytes([draw.randrange(256)]) + weights[at + 1 :]
    header = weights[8 : 8 + size]
    words = [
        b"F32",
        b"F64",
        b"I8",
        b"BF16",
        b"F8_E4M3",
        b"BOOL",
        b"U16",
        b"999999999999",
        b"-1",
        b"[]",
        b"null",
    ]
    if kind == 2:
        header = header.replace(b"F32", draw.choice(words), draw.randint(1, 3))
    else:
        at = draw.randrange(size)
        header = header[:at] + draw.choice(words) + header[at + draw.randint(0, 3) :]
    return len(header).to_bytes(8, "little") + header + weights[8 + size :]


def _used(model, made_up):
    """Do a little with what loads: kept data that is believed has to be sound."""
    if model.kind == "language":
        write_text(model, 2)
    elif model.kind in ("music", "tune"):
        compose(model, 2)
    elif model.kind == "waveform":
        speak(model, 0.01)
    elif model.kind == "translate":
        list(translate_lines(model, ["3 Hunde"], beam=1))
    elif model.kind == "forecast":
        forecast(model, made_up / "series.csv").rows()
    elif model.kind != "synthetic":
        files = {
            "words": "texts.csv",
            "values": "unlabelled.npz",
            "pen": "pens/p0/0_it.txt",
            "mfcc": "sounds/0.wav",
        }
        next(label(model, [made_up / files[model.kept.inputs]])).rows()


def test_mutants_are_refused_or_sound(folders, made_up, tmp_path):
    sound = _attacked(folders, made_up, tmp_path, 900, seed=1)
    assert sound > 20  # some changes mean nothing


@pytest.mark.exhaustive
def test_many_mutants_are_refused_or_sound(folders, made_up, tmp_path):
    _attacked(folders, made_up, tmp_path, 20_000, seed=2)
