"""Measures of a model on other data: read as in training, or refused."""

import json

import numpy as np
import pytest
import torch

from gatelab.data.speech.audio import read_audio, write_wav
from gatelab.errors import DataError, RunError
from gatelab.models.folder import load
from gatelab.models.measured import measured
from gatelab.tasks import open_task
from gatelab.train.evaluate import score


@pytest.mark.parametrize("name", ["classify", "frames"])
def test_other_arrays_are_put_on_the_scale_of_the_model(name, folders, made_up, tmp_path):
    model = load(folders(name))
    arrays = dict(np.load(made_up / ("classes.npz" if name == "classify" else "frames.npz")))
    if name == "classify":
        arrays["split"] = np.array(["train"] * 4 + ["valid"] * 4 + ["test"] * 32)
    else:
        arrays["split"] = np.array(["train"] * 20 + ["valid"] * 10 + ["test"] * 10)
    other = tmp_path / "other.npz"
    np.savez(other, **arrays)
    task = open_task(str(other), name)
    own, mine = (np.array(k["scale"]["mean"]) for k in (task.kept(), model.card.kept))
    assert np.abs(own - mine).max() > 0.01  # its training part says another scale
    found = measured(model, str(other))
    inputs, total = [], 0.0
    scale = model.kept.scale
    for k in np.flatnonzero(arrays["split"] == "test"):
        x = (arrays[f"x_{k}"] - np.array(scale.mean)) / np.array(scale.deviation)
        inputs.append(torch.tensor(x, dtype=torch.float32))
    with torch.no_grad():
        answers = [model.network(torch.nn.utils.rnn.pack_sequence([x])).log_softmax(-1) for x in inputs]
    names, count = list(model.kept.names), 0
    for answer, k in zip(answers, np.flatnonzero(arrays["split"] == "test"), strict=True):
        y = np.atleast_1d(arrays["y"][k] if name == "classify" else arrays[f"y_{k}"])
        total -= float(sum(answer[t, names.index(str(c))] for t, c in enumerate(y)))
        count += len(y)
    assert found["NLL"] == pytest.approx(total / count, rel=1e-4)


@pytest.mark.parametrize("name", ["language", "words", "bytes"])
def test_another_text_is_read_by_the_symbols_of_the_model(name, folders, posed, made_up, tmp_path):
    model = load(folders(name))
    assert measured(model, str(made_up / "some.txt")) == model.card.measures["test"]
    part = tmp_path / "part.txt"
    part.write_bytes((made_up / "some.txt").read_bytes()[2000:5000])
    task = open_task(str(part), "language", {"level": posed(name).corpus.vocabulary.kind})
    assert task.kept() != model.card.kept
    text = task.corpus.vocabulary.decode(task.corpus.train)
    ids = torch.from_numpy(model.kept.symbols.encode(text).astype(np.int64))
    lanes = 32
    ids = ids[: len(ids) // lanes * lanes].reshape(lanes, -1).T
    with torch.no_grad():
        logits = model.network(ids[:-1]).log_softmax(-1)
    alone = -float(logits[torch.arange(len(logits)), ids[1:].flatten()].mean())
    assert measured(model, str(part), "train")["NLL"] == pytest.approx(alone, rel=0.02)


def test_other_sounds_are_put_on_the_scale_of_the_model(folders, made_up, tmp_path):
    model = load(folders("waveform"))
    (tmp_path / "quiet").mkdir()
    for path in sorted((made_up / "sounds").iterdir()):
        sound = read_audio(path)
        write_wav(tmp_path / "quiet" / path.name, sound.samples / 2, sound.rate)
    same = open_task(str(made_up / "sounds"), "waveform", {"length": 60})
    halved = measured(model, str(tmp_path / "quiet"))["NLL"]
    assert measured(model, str(made_up / "sounds")) == model.card.measures["test"]
    assert halved != pytest.approx(score(model.network, same, "test").values()["NLL"], rel=1e-3)


def test_another_series_is_cut_as_in_training(folders, made_up, tmp_path):
    model = load(folders("forecast"))
    lines = (made_up / "series.csv").read_text().splitlines()
    other = tmp_path / "other.csv"
    other.write_text("\n".join([lines[0], *lines[13:], ""]))
    assert set(measured(model, str(other))) == {"NLL", "MASE", "scaled CRPS"}
    other.write_text("\n".join([line.replace("Heat", "Wind") for line in lines]) + "\n")
    with pytest.raises(DataError, match="has other inputs than the model"):
        measured(model, str(other))


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("classify", "texts.csv", "has other|does not fit"),
        ("language", "latin.txt", "is no text in utf-8|UTF-8"),
        ("bytes", "foreign.txt", "is not in it"),
        ("texts", "fewer.csv", "has other vocabulary"),
        ("transcribe", "words", "has other names"),
        ("tune", "nowhere", "nowhere"),
    ],
)
def test_data_that_does_not_fit_is_refused(name, data, said, folders, made_up, tmp_path):
    (tmp_path / "latin.txt").write_bytes("ähnlich schön\n".encode("latin-1") * 200)
    (tmp_path / "foreign.txt").write_bytes("żółw, jaź, świt\n".encode() * 200)
    rows = (made_up / "texts.csv").read_text().replace("film", "play")
    (tmp_path / "fewer.csv").write_text(rows)
    for page in range(4):
        (tmp_path / "words" / f"p{page}").mkdir(parents=True)
        (tmp_path / "words" / f"p{page}" / "1_on.txt").write_text("on\n1 1 0\n4 5 0\n5 9 1\n")
    path = tmp_path / data if (tmp_path / data).exists() else made_up / data
    with pytest.raises(DataError, match=said):
        measured(load(folders(name)), str(path))


def test_data_that_changed_since_is_refused(folders, made_up, tmp_path):
    folder = tmp_path / "model"
    folder.mkdir()
    for file in ("model.json", "weights.safetensors"):
        (folder / file).write_bytes((folders("classify") / file).read_bytes())
    card = json.loads((folder / "model.json").read_text())
    card["task"]["load"] = str(made_up / "unlabelled.npz")
    (folder / "model.json").write_text(json.dumps(card))
    with pytest.raises((DataError, RunError)):
        measured(load(folder))
    card = json.loads((folders("classify") / "model.json").read_text())
    card["kept"]["scale"]["mean"][0] += 1
    (folder / "model.json").write_text(json.dumps(card))
    with pytest.raises(DataError, match="has other scale than the model"):
        measured(load(folder))
