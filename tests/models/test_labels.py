"""Labels of files: read as in training, so that a model says what its task computes."""

import io
import struct
import wave
import zipfile
from itertools import pairwise

import numpy as np
import pytest
import torch

import gatelab
from gatelab.data.speech.audio import write_wav
from gatelab.data.splits import SPLITS
from gatelab.errors import ConfigError, DataError
from gatelab.models.folder import load
from gatelab.models.inputs import read_inputs
from gatelab.models.labels import label
from gatelab.models.make import make, order
from gatelab.nn import CTC
from gatelab.tasks import open_task


def _inputs(model, *files):
    """Return all sequences of files by their names."""
    width = model.card.blueprint.inputs
    return {name: x for file in files for name, x in read_inputs(model.kept, file, width)}


def _own(task, split, place):
    """Return the inputs of one sequence as the task has them."""
    return task.batch(split, [place]).inputs.data


def _trained(task, folder, **body):
    make(folder, order(task, gatelab.cells.get("gru"), 6, body, {"max_epochs": 1, "batch_size": 64}))
    return load(folder)


def test_arrays_are_scaled_as_in_training(folders, posed, made_up):
    model, task = load(folders("classify")), posed("classify")
    said = list(label(model, [made_up / "unlabelled.npz"]))
    found = _inputs(model, made_up / "unlabelled.npz")
    assert [s.name for s in said] == list(found) == [f"unlabelled.npz[{k}]" for k in range(40)]
    by_bytes = {x.numpy().tobytes(): s for x, s in zip(found.values(), said, strict=True)}
    for split in ("train", "test"):
        for place in range(len(task.lengths(split))):
            own = _own(task, split, place)
            batch = task.batch(split, [place])
            with torch.no_grad():
                chances = model.network(batch.inputs).softmax(-1)[0]
            one = by_bytes[own.numpy().tobytes()]
            assert one.labels == (task.names[int(chances.argmax())],)
            assert one.probability == pytest.approx(float(chances.max()))


def test_sentences_are_parted_as_in_training(folders, posed, made_up, tmp_path):
    model, task = load(folders("texts")), posed("texts")
    lines = [line.rpartition(",")[0] for line in (made_up / "texts.csv").read_text().splitlines()[1:]]
    file = tmp_path / "asked.txt"
    file.write_text("\n".join([lines[0], "", lines[1], "words of none", ""]))
    said = list(label(model, [file]))
    assert [s.name for s in said] == [f"asked.txt:{k}" for k in (1, 2, 3, 4)]
    assert [len(s.labels) for s in said] == [1, 0, 1, 1]
    assert said[1].rows() == [{"name": "asked.txt:2", "answer": ""}]
    known = {_own(task, s, k).numpy().tobytes() for s in ("train", "valid", "test") for k in range(3)}
    file.write_text("\n".join(lines))
    assert known <= {x.numpy().tobytes() for x in _inputs(model, file).values()}


def test_known_sets_come_in_words_already(real_data, tmp_path):
    task = open_task("sst2", options={"embedding": 4})
    model = _trained(task, tmp_path / "model")
    raw = (real_data / "sentiment_sst2" / "stsa.binary.test").read_text().splitlines()[:200]
    file = tmp_path / "asked.txt"
    file.write_text("".join(line.partition(" ")[2] + "\n" for line in raw))
    assert any("'s" in line for line in raw)
    for place, found in enumerate(_inputs(model, file).values()):
        assert torch.equal(found, _own(task, "test", place))


def test_a_recording_is_what_the_task_computes(real_data, tmp_path):
    task = open_task("fsdd")
    model = _trained(task, tmp_path / "model")
    archive = zipfile.ZipFile(real_data / "fsdd" / "recordings.zip")
    names = [n for n in archive.namelist() if n.endswith(".wav")][:60]
    files = []
    for name in names:
        files.append(tmp_path / name.rpartition("/")[2])
        files[-1].write_bytes(archive.read(name))
    owned = {}
    for split in ("train", "valid", "test"):
        for place in range(len(task.lengths(split))):
            owned[_own(task, split, place).numpy().tobytes()] = (split, place)
    for said, inputs in zip(label(model, files), _inputs(model, *files).values(), strict=True):
        split, place = owned[inputs.numpy().tobytes()]
        batch = task.batch(split, [place])
        with torch.no_grad():
            chances = model.network(batch.inputs).softmax(-1)[0]
        assert said.labels == (task.names[int(chances.argmax())],)
        assert said.probability == pytest.approx(float(chances.max()), rel=1e-5)

    _resampled(model, tmp_path)


def _resampled(model, tmp_path):
    """Demand that a sound of twice the rate gives as many frames."""
    assert model.kept.rate == 8000
    tone = (20_000 * np.sin(np.arange(16_000) * 0.1)).astype("<i2")
    for rate in (8000, 16_000):
        with wave.open(str(tmp_path / f"{rate}.wav"), "wb") as file:
            file.setparams((1, 2, rate, 0, "NONE", None))
            file.writeframes(tone[: rate // 2].tobytes())
    found = _inputs(model, tmp_path / "8000.wav", tmp_path / "16000.wav")
    assert len(found["8000.wav"]) == len(found["16000.wav"]) == 48


def test_handwriting_is_what_the_task_reads(real_data, tmp_path):
    task = open_task("gw", options={"every": 3})
    model = _trained(task, tmp_path / "model", bidirectional=True)
    _strings_agree(model, task, real_data / "gw_online_handwriting" / "gw-online-dataset.zip", tmp_path)


def _strings_agree(model, task, archive, tmp_path):
    opened = zipfile.ZipFile(archive)
    files = []
    for name in [n for n in opened.namelist() if "3080308" in n and n.endswith(".txt")][:20]:
        files.append(tmp_path / name.rpartition("/")[2])
        files[-1].write_bytes(opened.read(name))
    owned = {_own(task, "test", k).numpy().tobytes(): k for k in range(len(task.lengths("test")))}
    for said, inputs in zip(label(model, files), _inputs(model, *files).values(), strict=True):
        batch = task.batch("test", [owned[inputs.numpy().tobytes()]])
        with torch.no_grad():
            (path,) = CTC.best_path(CTC.packed(model.network(batch.inputs), batch.inputs))
        assert said.labels == tuple(task.names[int(k) - 1] for k in path)
        assert said.rows()[0]["answer"] == "".join(said.labels)


def test_a_beam_reads_too_and_characters_are_written_together(folders, made_up):
    model = load(folders("transcribe"))
    files = sorted((made_up / "pens").glob("*/*.txt"))[:3]
    for said in label(model, files, beam=4):
        assert set(said.labels) <= set("aeit")
        assert said.rows() == [{"name": said.name, "answer": "".join(said.labels)}]


def test_frames_are_told_by_stretches(folders, posed, made_up):
    model, task = load(folders("frames")), posed("frames")
    inputs = _inputs(model, made_up / "unlabelled.npz")
    said = next(label(model, [made_up / "unlabelled.npz"]))
    with torch.no_grad():
        classes = model.network(torch.nn.utils.rnn.pack_sequence([inputs[said.name]])).argmax(-1)
    spelt = [
        name for name, (a, b) in zip(said.labels, said.frames, strict=True) for _ in range(a, b + 1)
    ]  # fmt: skip
    assert spelt == [task.names[int(k)] for k in classes]
    assert said.frames[0][0] == 0
    assert said.frames[-1][1] == len(classes) - 1
    assert all(a != b for a, b in pairwise(said.labels))
    assert list(said.rows()[0]) == ["name", "answer", "first", "last"]


def test_frames_of_sound_have_seconds(real_data, tmp_path):
    model = _trained(open_task("festvox_ru"), tmp_path / "model", bidirectional=False)
    archive = zipfile.ZipFile(real_data / "festvox_ru" / "festvox_ru_160.zip")
    name = next(n for n in archive.namelist() if n.endswith(".wav"))
    (tmp_path / "one.wav").write_bytes(archive.read(name))
    with wave.open(io.BytesIO(archive.read(name))) as file:
        seconds = file.getnframes() / file.getframerate()
    rows = next(label(model, [tmp_path / "one.wav"])).rows()
    assert rows[0]["start"] == 0
    assert seconds - 0.02 < rows[-1]["end"] <= seconds + 0.001
    assert all(a["last"] + 1 == b["first"] for a, b in pairwise(rows))


def _kaldi(folder, featured):
    """Write a Kaldi folder of five speakers, with features of 5 numbers or with sound alone."""
    random, body, lines = np.random.default_rng(0), b"", ""
    features = random.normal(2, 3, (5, 30, 5)).astype("<f4")
    names = [f"utt{k}" for k in range(5)]
    (folder / "sounds").mkdir(parents=True)
    for k, name in enumerate(names):
        tone = (0.3 * np.sin(np.arange(4000) * (0.1 + 0.05 * k))).astype(np.float32)
        write_wav(folder / "sounds" / f"{name}.wav", tone, 8000)
        body += name.encode() + b" "
        lines += f"{name} feats.ark:{len(body)}\n"
        body += b"\0BFM \4" + struct.pack("<i", 30) + b"\4" + struct.pack("<i", 5) + features[k].tobytes()
    (folder / "wav.scp").write_text("".join(f"{n} sounds/{n}.wav\n" for n in names))
    (folder / "text").write_text("".join(f"{n} {'tea' if k % 2 else 'eat'}\n" for k, n in enumerate(names)))
    (folder / "utt2spk").write_text("".join(f"{n} {n}\n" for n in names))
    if featured:
        (folder / "feats.ark").write_bytes(body)
        (folder / "feats.scp").write_text(lines)
    return features


@pytest.mark.parametrize("featured", [True, False])
def test_a_kaldi_folder_is_read_as_what_it_holds(featured, tmp_path):
    features = _kaldi(tmp_path / "data", featured)
    task = open_task(str(tmp_path / "data"))
    model = _trained(task, tmp_path / "model")
    np.savez(tmp_path / "x.npz", **{f"x_{k}": x for k, x in enumerate(features)}, y=np.zeros(5))
    files = [tmp_path / "x.npz"] if featured else sorted((tmp_path / "data" / "sounds").iterdir())
    found = {x.numpy().tobytes() for x in _inputs(model, *files).values()}
    own = {_own(task, s, k).numpy().tobytes() for s in SPLITS for k in range(len(task.lengths(s)))}
    assert found == own
    assert model.kept.inputs == ("values" if featured else "mfcc")


@pytest.mark.parametrize(
    ("name", "file", "said"),
    [
        ("classify", "some.txt", "wanted a file that ends in .npz or .ts"),
        ("classify", "wide.npz", "wanted 3 numbers a step, as in training, came 1"),
        ("classify", "large.npz", "far larger ones"),
        ("classify", "nowhere.npz", "nowhere.npz"),
        ("texts", "sounds/0.wav", "wanted UTF-8"),
        ("transcribe", "some.txt", "wanted x, y and pen"),
        ("transcribe", "pens", "no plain file"),
    ],
)
def test_files_that_do_not_fit_are_refused(name, file, said, folders, made_up, tmp_path):
    np.savez(tmp_path / "wide.npz", x_0=np.ones((5, 1)), y=np.zeros(1))
    np.savez(tmp_path / "large.npz", x_0=np.full((5, 3), 1e200), y=np.zeros(1))
    path = tmp_path / file if (tmp_path / file).exists() else made_up / file
    with pytest.raises(DataError) as refused:
        list(label(load(folders(name)), [path]))
    assert said in str(refused.value)


def test_other_models_label_nothing(folders, made_up):
    with pytest.raises(ConfigError, match="of kind music labels nothing"):
        list(label(load(folders("music")), [made_up / "some.txt"]))
    with pytest.raises(ConfigError, match="beam: wanted 1"):
        list(label(load(folders("classify")), [made_up / "unlabelled.npz"], beam=3))
