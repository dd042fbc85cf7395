"""train, evaluate, predict, generate, translate, forecast, export from outside, on tiny models."""

import csv
import io
import json
import os
import subprocess
import sys
import wave

import numpy as np
import pytest

from gatelab.cli.main import run
from gatelab.data.midi.rolls import PLAIN, read_midi
from gatelab.data.midi.write import write_midi
from gatelab.models.folder import load


def _ok(done):
    assert done.returncode == 0, done.stderr.decode()
    assert b"Traceback" not in done.stderr
    return done.stdout.decode()


def _refused(done, said, folder=None, kept=()):
    error = done.stderr.decode()
    assert done.returncode == 2, error
    assert said in error
    assert len(error.strip().split("\n")) == 1
    assert done.stdout == b""
    if folder is not None:
        assert sorted(p.name for p in folder.iterdir()) == sorted(kept)


@pytest.fixture
def here(monkeypatch, capsys):
    """Return a function that runs the command line in this process: quicker than one of its own."""

    def call(*arguments, folder=None):
        if folder is not None:
            monkeypatch.chdir(folder)
        monkeypatch.setattr(sys, "argv", ["gatelab", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            run()
        printed = capsys.readouterr()
        return subprocess.CompletedProcess(
            arguments, ended.value.code, printed.out.encode(), printed.err.encode()
        )

    return call


def _rows(text):
    return list(csv.DictReader(io.StringIO(text)))


def test_train_says_what_it_does_and_where_the_model_is(made_up, command, tmp_path):
    done = command(
        "train", made_up / "classes.npz", "--cell", "gru+zoneout=0.1", "--hidden", 4, "--epochs", 2,
        "--layers", 2, "--bidirectional", "--learning-rate", 0.002, folder=tmp_path,
    )  # fmt: skip
    said = _ok(done)
    for part in (
        "found labelled arrays",
        "task classify; the file names no split",
        "28 / 6 / 6 sequences",
        "epoch 2: NLL",
        "accuracy",
        "learning rate 0.002",
    ):
        assert part in said
    folder = tmp_path / "models" / "classes-gru+zoneout=0.1-4"
    assert f"model: {folder.relative_to(tmp_path)}" in said
    assert load(folder).card.body.layers == 2


def test_evaluate_prints_what_the_card_says(folders, command, here, made_up):
    card = load(folders("classify")).card
    said = _ok(command("evaluate", folders("classify")))
    assert f"{card.measures['test']['NLL']:.4g}" in said
    assert "NLL [nats per sequence]" in said
    valid = _ok(here("evaluate", folders("classify"), "--split", "valid"))
    assert f"{card.measures['valid']['NLL']:.4g}" in valid
    assert "NLL" in _ok(here("evaluate", folders("classify"), made_up / "classes.npz"))


def test_predict_writes_csv_and_json(folders, command, here, made_up, tmp_path):
    arrays = made_up / "unlabelled.npz"
    rows = _rows(_ok(command("predict", folders("classify"), arrays)))
    assert list(rows[0]) == ["name", "answer", "probability"]
    assert len(rows) == 40
    assert {row["answer"] for row in rows} <= {"clap", "wave"}
    _ok(here("predict", folders("classify"), arrays, "--out", tmp_path / "x.json"))
    found = json.loads((tmp_path / "x.json").read_text())
    assert [(r["name"], r["answer"]) for r in found] == [(r["name"], r["answer"]) for r in rows]
    _ok(here("predict", folders("frames"), arrays, "--out", tmp_path / "x.csv"))
    stretches = _rows((tmp_path / "x.csv").read_text())
    assert list(stretches[0]) == ["name", "answer", "first", "last"]
    pens = sorted((made_up / "pens").glob("*/*.txt"))[:3]
    read = _rows(_ok(here("transcribe", folders("transcribe"), *pens, "--beam", 3)))
    assert [row["name"] for row in read] == [pen.name for pen in pens]
    quick = _ok(here("transcribe", folders("transcribe"), *pens, "--beam", 1))
    assert quick == _ok(here("predict", folders("transcribe"), *pens))


def test_what_was_predicted_before_a_broken_file_is_written(folders, here, made_up, tmp_path):
    (tmp_path / "broken.npz").write_bytes(b"PK\x03\x04 and no more")
    asked = ("predict", folders("classify"), made_up / "unlabelled.npz", tmp_path / "broken.npz")
    done = here(*asked)
    assert done.returncode == 2
    assert "broken.npz" in done.stderr.decode()
    assert len(_rows(done.stdout.decode())) == 40
    assert here(*asked, "--out", tmp_path / "x.csv").returncode == 2
    assert (tmp_path / "x.csv").read_bytes() == done.stdout


def test_predict_says_what_keys_music_expects(folders, here, tmp_path):
    song = tmp_path / "song.mid"
    song.write_bytes(write_midi([[62], [62, 66], [66, 69], [69], [74, 66]] * 4))
    rows = _rows(_ok(here("predict", folders("music"), song)))
    assert list(rows[0]) == ["name", "step", "played", "expected", "NLL"]
    assert [row["played"] for row in rows[:3]] == ["62 66", "66 69", "69"]  # the first step is no part of it
    assert len(rows) == 19
    assert all(float(row["NLL"]) > 0 for row in rows)
    _ok(here("predict", folders("tune"), song, song, "--out", tmp_path / "x.json"))
    assert len(json.loads((tmp_path / "x.json").read_text())) == 38
    _ok(here("predict", folders("music"), song, "--out", tmp_path / "next.mid"))
    assert (tmp_path / "next.mid").read_bytes()[:4] == b"MThd"
    _refused(here("predict", folders("music"), song, song, "--out", tmp_path / "y.mid"), "wanted one file")


def test_generate_text(folders, command, here, tmp_path):
    asked = ("generate", folders("language"), "--prompt", "def ", "--length", 30, "--temperature", 0.7)
    first = _ok(command(*asked, "--seed", 5))
    assert first.startswith("def ")
    assert len(first) == 35
    assert first == _ok(here(*asked, "--seed", 5))
    assert first != _ok(here(*asked, "--seed", 6))
    assert _ok(here(*asked, "--seed", 5, "--out", tmp_path / "x.txt")) == ""
    assert (tmp_path / "x.txt").read_text() == first


def test_generate_draws_among_the_likeliest(folders, here):
    asked = ("generate", folders("language"), "--length", 40, "--temperature", 5)
    sure = _ok(here(*asked, "--top", 1, "--seed", 1))
    assert sure == _ok(here(*asked, "--top", 1, "--seed", 2))
    assert sure != _ok(here(*asked, "--seed", 2))


def test_music_goes_on_with_a_file_in_its_key(folders, here, tmp_path):
    song = tmp_path / "song.mid"
    song.write_bytes(write_midi([[62], [62, 66], [66, 69], [69], [74, 66]] * 4))
    said = _ok(
        here("generate", folders("music"), "--prompt", song, "--length", 8, "--out", tmp_path / "a.mid")
    )
    assert "8 steps" in said
    assert "after 19 of" in said
    roll = read_midi((tmp_path / "a.mid").read_bytes(), "a.mid", PLAIN).roll
    assert len(roll) == 27
    assert (roll[0].nonzero()[0] + 21).tolist() == [62, 66]
    longer = _ok(
        here("generate", folders("music"), "--prompt", song, "--length", 9, "--out", tmp_path / "b.mid")
    )
    assert "9 steps" in longer
    assert np.array_equal(read_midi((tmp_path / "b.mid").read_bytes(), "b.mid", PLAIN).roll[:27], roll)


def test_generate_music_and_sound(folders, command, here, tmp_path):
    said = _ok(command("generate", folders("music"), "--length", 12, "--out", tmp_path / "a.v1"))
    assert "12 steps" in said
    assert (tmp_path / "a.v1.mid").exists()
    with wave.open(str(tmp_path / "a.v1.wav")) as sound:
        assert sound.getframerate() == 22_050
        assert sound.getnframes() / 22_050 > 12 * 30 / 110
    again = _ok(here("generate", folders("music"), "--length", 12, "--out", tmp_path / "b.mid"))
    assert "b.mid" in again
    assert (tmp_path / "a.v1.mid").read_bytes() == (tmp_path / "b.mid").read_bytes()
    tune = _ok(here("generate", folders("tune"), "--label", "6/8", "--temperature", 1.5, folder=tmp_path))
    assert "begun with the label 6/8" in tune
    assert len(read_midi((tmp_path / "generated.mid").read_bytes(), "generated.mid", PLAIN).roll) <= 64
    _ok(here("generate", folders("waveform"), "--length", 1, "--out", tmp_path / "c.wav"))
    with wave.open(str(tmp_path / "c.wav")) as sound:
        assert (sound.getframerate(), sound.getnframes()) == (8000, 8000)


def test_translate_files_and_what_is_typed(folders, command, here, tmp_path):
    lines = "3 Hunde laufen.\r\n\r\n4 Hunde\u2028laufen.\r\n".encode()
    file = tmp_path / "de.txt"
    file.write_bytes(lines)
    written = _ok(here("translate", folders("translate"), file))
    assert written.count("\n") == 3
    assert written.split("\n")[1] == ""
    assert written == _ok(command("translate", folders("translate"), "-", stdin=lines))
    _refused(command("translate", folders("translate"), "-", stdin=b"\xff\xfe"), "standard input, line 1")


def test_forecast_writes_rising_quantiles_and_draws(folders, command, here, made_up, tmp_path):
    table = made_up / "series.csv"
    asked = ("forecast", folders("quantiles"), table)
    rows = _rows(_ok(command(*asked, "--plot", tmp_path / "x.png", "--out", tmp_path / "x.csv"))) or _rows(
        (tmp_path / "x.csv").read_text()
    )
    assert [row["time"] for row in rows[::2]] == ["1960-01-01", "1960-02-01", "1960-03-01"]
    assert [row["target"] for row in rows] == ["Load", "Heat"] * 3
    for row in rows:
        values = [float(row[q]) for q in ("q0.1", "q0.5", "q0.9")]
        assert values == sorted(values)
        assert np.isfinite(values).all()
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    _ok(here(*asked, "--plot", tmp_path / "x.svg"))
    assert "Heat" in (tmp_path / "x.svg").read_text()


def test_export_gives_the_network_s_answers(folders, command, tmp_path):
    onnxruntime = pytest.importorskip("onnxruntime")
    said = _ok(command("export", folders("frames"), tmp_path / "x.onnx"))
    assert "x.onnx" in said
    model = load(folders("frames"))
    x = np.random.default_rng(0).normal(size=(7, 2, 3)).astype(np.float32)
    session = onnxruntime.InferenceSession(str(tmp_path / "x.onnx"))
    feed = {"input": x, "lengths": np.array([7, 7])}
    (found,) = session.run(["answers"], {i.name: feed[i.name] for i in session.get_inputs()})
    import torch

    with torch.no_grad():
        wanted = model.network(torch.from_numpy(x)).unflatten(0, (7, 2)).numpy()
    assert np.allclose(found, wanted, atol=1e-5)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["evaluate", "nowhere"], "nowhere is no folder; wanted a model's folder"),
        (["evaluate", "."], "model.json: cannot be read"),
        (["evaluate", "MODEL:classify", "--split", "tset"], "wanted train, valid or test"),
        (["evaluate", "MODEL:classify", "DATA:some.txt"], "some.txt"),
        (["predict", "MODEL:language", "DATA:some.txt"], "labels nothing"),
        (["predict", "MODEL:classify", "nowhere.npz", "--out", "x.csv"], "nowhere.npz"),
        (["predict", "MODEL:texts", os.devnull], "no plain file"),
        (["train", "DATA:sounds/0.wav"], "came one recording"),
        (["train", "DATA:pairs", "--task", "waveform"], "wanted files that end in .wav"),
        (["train", ""], "came an empty text"),
        (["predict", "MODEL:classify", "DATA:some.txt", "--out", "x.csv"], "ends in .npz or .ts"),
        (["predict", "MODEL:classify", "DATA:unlabelled.npz", "--out", "no/x.csv"], "cannot write no/x.csv"),
        (["predict", "MODEL:classify", "DATA:unlabelled.npz", "--out", "."], "is a directory"),
        (["predict", "MODEL:classify", "DATA:unlabelled.npz", "--beam", "2"], "No such option"),
        (["transcribe", "MODEL:classify", "DATA:unlabelled.npz"], "transcribes nothing"),
        (["predict", "MODEL:forecast", "DATA:series.csv"], "try gatelab forecast"),
        (["predict", "MODEL:music", "DATA:some.txt"], "some.txt"),
        (["generate", "MODEL:music", "--top", "3"], "--top: means nothing"),
        (["generate", "MODEL:music", "--prompt", "nowhere.mid"], "nowhere.mid"),
        (["generate", "MODEL:classify"], "of kind classify generates nothing; wanted one of kind language"),
        (["generate", "MODEL:language", "--length", "0"], "length: wanted 1 to"),
        (["generate", "MODEL:language", "--length", str(10**11)], "length: wanted 1 to 10,000,000 symbols"),
        (["generate", "MODEL:music", "--length", str(10**11)], "length: wanted 1 to 10,000 steps"),
        (["generate", "MODEL:language", "--temperature", "0"], "temperature"),
        (["generate", "MODEL:language", "--label", "3/4"], "--label: means nothing"),
        (["generate", "MODEL:waveform", "--prompt", "la"], "--prompt: means nothing"),
        (["generate", "MODEL:bytes", "--prompt", "\u65e5"], "is not in it"),
        (["generate", "MODEL:tune", "--label", "5/4"], "known are 4/4, 6/8"),
        (["generate", "MODEL:music", "--out", "no/x"], "cannot write no/x.mid"),
        (["generate", "MODEL:waveform", "--length", "1", "--out", "no/x"], "no/x.wav: cannot be written"),
        (["generate", "MODEL:waveform", "--length", "100000"], "at most 3,600"),
        (["translate", "MODEL:language", "DATA:some.txt"], "does not translate"),
        (["translate", "MODEL:translate", "nowhere.txt"], "nowhere.txt"),
        (["translate", "MODEL:translate", "DATA:sounds/0.wav"], "wanted UTF-8"),
        (["forecast", "MODEL:classify", "DATA:series.csv"], "does not forecast"),
        (["forecast", "MODEL:forecast", "DATA:some.txt"], "some.txt"),
        (["forecast", "MODEL:forecast", "DATA:series.csv", "--plot", "x.pdf"], "ends in .svg or .png"),
        (["export", "MODEL:frames", "no/x.onnx"], "cannot write no/x.onnx"),
        (["train", "DATA:classes.npz", "--cell", "lsmt"], "did you mean lstm"),
        (["train", "DATA:some.txt", "--bidirectional"], "says what comes next"),
        (["train", "DATA:classes.npz", "--learning-rate", "-1"], "learning rate"),
        (["train", "DATA:classes.npz", "--hidden", "1000000000000"], "hidden_size"),
        (["train", "nowhere.npz"], "nowhere.npz"),
    ],
)
def test_a_user_s_mistake_is_one_line_and_leaves_nothing(words, said, folders, made_up, here, tmp_path):
    told = []
    for word in words:
        kind, _, name = word.partition(":")
        known = {"MODEL": folders, "DATA": made_up.joinpath}
        told.append(str(known[kind](name)) if kind in known else word)
    _refused(here(*told, folder=tmp_path), said, tmp_path)


def test_a_text_without_a_sentence_is_said_to_be_empty(folders, here, tmp_path):
    (tmp_path / "a.txt").write_bytes(b"")
    done = here("predict", folders("texts"), tmp_path / "a.txt")
    _refused(done, "a.txt: wanted a sentence a line, came an empty file")


def test_a_training_that_has_not_ended_is_no_model(here, tmp_path):
    (tmp_path / "m" / "training").mkdir(parents=True)
    _refused(here("evaluate", tmp_path / "m"), "holds a training that has not ended, and no model")


def test_ctrl_c_is_told_in_one_line(folders, here, tmp_path, monkeypatch):
    def stopped(*arguments):
        raise KeyboardInterrupt

    monkeypatch.setattr("gatelab.models.load", stopped)
    done = here("evaluate", folders("classify"))
    assert (done.returncode, done.stdout, done.stderr) == (130, b"", b"gatelab: stopped\n")


def test_what_is_generated_goes_through_a_link(folders, here, tmp_path):
    (tmp_path / "link").symlink_to("text")
    _ok(here("generate", folders("language"), "--length", 5, "--out", tmp_path / "link"))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "text").stat().st_size > 5


def test_a_user_s_mistake_from_outside(folders, command, tmp_path):
    (tmp_path / "x.npz").write_bytes(b"PK\x03\x04 no archive")
    done = command("predict", folders("classify"), tmp_path / "x.npz", "--out", tmp_path / "y.csv")
    _refused(done, "x.npz", tmp_path, ["x.npz"])
