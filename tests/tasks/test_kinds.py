"""What every kind of task promises, on made-up data and on the real sets."""

import zipfile
from contextlib import nullcontext

import numpy as np
import pytest
import torch

import gatelab
from gatelab.data.text.parallel import load_parallel
from gatelab.errors import ConfigError, DataError
from gatelab.runs import Body
from gatelab.tasks import KINDS, open_task
from gatelab.tasks.classify import ClassifyTask
from gatelab.tasks.frames import FrameTask
from gatelab.tasks.guess import guess, named
from gatelab.tasks.ragged import Part, Posed
from gatelab.tasks.synthetic import GENERATORS
from gatelab.tasks.task import About
from gatelab.tasks.transcribe import TranscribeTask
from gatelab.tasks.translate import TranslateTask, spelt
from gatelab.train.evaluate import score

ABOUT = About("made-up", "Made up", "here", "ab")
SMALL = {"epoch": 40, "held_out": 12}
REAL = [
    ("jsb", {}), ("ptb", {"unroll": 20}), ("fsdd", {}), ("japanese-vowels", {}), ("sst2", {}),
    ("rt_polarity", {}), ("festvox_ru", {}), ("yesno", {}), ("gw", {"every": 2}), ("nottingham-tunes", {}),
    ("multi30k", {}), ("airline", {}), ("temperatures", {"head": "gaussian"}),
    ("etth1", {"head": "quantiles"}),
]  # fmt: skip


def _parts(target, seed=0, sizes=(9, 5, 4)):
    random = np.random.default_rng(seed)

    def part(count):
        lengths = random.integers(6, 12, count)
        inputs = [random.normal(size=(n, 3)).astype(np.float32) for n in lengths]
        return Part(inputs, [target(random, n) for n in lengths])

    return {s: part(n) for s, n in zip(("train", "valid", "test"), sizes, strict=True)}


def _posed(parts, names):
    return Posed(ABOUT, parts, tuple(names), {"inputs": "values"})


def _frames():
    return FrameTask(_posed(_parts(lambda r, n: r.integers(0, 4, n)), "abcd"))


def _classes(count):
    names = [f"c{k}" for k in range(count)]
    return ClassifyTask(_posed(_parts(lambda r, n: int(r.integers(count))), names))


def _strings():
    parts = _parts(lambda r, n: r.integers(0, 3, r.integers(1, 4)))
    return TranscribeTask(_posed(parts, "xyz"), "letter")


MADE = {
    "frames": _frames,
    "two classes": lambda: _classes(2),
    "five classes": lambda: _classes(5),
    "strings": _strings,
}
MADE |= {name: lambda name=name: open_task(name, "synthetic", SMALL) for name in GENERATORS}


def _keeps_its_promises(task):
    body = task.body.model_copy(update={"layers": 1})
    network = task.network(gatelab.cells.get("gru"), 4, body)
    batch = next(iter(task.batches("train", 3, seed=0, epoch=1)))
    loss = task.loss(network.head, network(batch.inputs), batch)
    loss.backward()
    assert torch.isfinite(loss)
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
    again = next(iter(task.batches("train", 3, seed=0, epoch=1)))
    assert torch.equal(again.owner, batch.owner)
    record = task.record()
    assert record.sequences == tuple(len(task.lengths(s)) for s in ("train", "valid", "test"))
    assert record.measure.name == task.headline
    known = {m.name for m in task.measures}
    for values in task.baselines().values():
        assert set(values) <= known
        assert all(np.isfinite(v) for v in values.values())
    return network


@pytest.mark.parametrize("make", MADE.values(), ids=MADE)
def test_made_up_data(make):
    task = make()
    network = _keeps_its_promises(task)
    found = score(network, task, "valid")
    assert set(found.numbers) == {m.name for m in task.measures}
    assert all(len(v) == len(task.lengths("valid")) for v in found.numbers.values())
    assert found.objective == pytest.approx(score(network, task, "valid", all_measures=False).objective)
    places = torch.cat([b.owner for b in task.evaluation("valid")])
    assert set(places.tolist()) == set(range(len(task.lengths("valid"))))


@pytest.mark.parametrize(("load", "options"), REAL, ids=[load for load, _ in REAL])
def test_real_data(load, options, real_data):
    task = open_task(load, options=options)
    _keeps_its_promises(task)
    assert len(task.about.digest) == 64


def test_a_batch_does_not_change_what_a_sequence_costs():
    for task in (_frames(), _classes(3), _strings()):
        network = task.network(gatelab.cells.get("lstm"), 4, Body(bidirectional=True)).eval()
        together = score(network, task, "valid").numbers[task.measures[0].name]
        for k in range(5):
            batch = task.batch("valid", [k])
            alone = task.objective(network.head, network(batch.inputs), batch).sum(0)
            assert together[k] == pytest.approx(alone.tolist(), rel=1e-5)


def test_sequences_without_a_path_are_left_out():
    def target(random, steps):
        return random.integers(0, 3, 3 * steps)  # longer than the input: no path spells it

    parts, long = _parts(lambda r, n: r.integers(0, 3, 2)), _parts(target)["valid"]
    last = parts["valid"]  # one that can be spelt
    valid = Part([*long.inputs, last.inputs[0]], [*long.targets, last.targets[0]])
    task = TranscribeTask(_posed(parts | {"valid": valid}, "xyz"), "letter")
    assert task.about.notes == (
        "5 sequences of validation have fewer steps than letters and count for no loss",
    )
    network = task.network(gatelab.cells.get("gru"), 4)
    counted = score(network, task, "valid").numbers["CTC loss"]
    assert not counted[:5].any()
    assert counted[5, 1] == 2
    batch = task.batch("valid", [0, 1])
    assert float(task.loss(network.head, network(batch.inputs), batch).detach()) == 0


def test_f1_is_of_the_second_of_two_classes():
    task = _classes(2)
    network = task.network(gatelab.cells.get("gru"), 4)
    batch = task.batch("test", range(4))
    answers = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, 1.0], [1.0, 0.0]])
    said, true = answers.argmax(-1), batch.targets
    hits, false, missed = (
        task.counts(task.network(gatelab.cells.get("gru"), 4).head, answers, batch)["F1"].sum(0).tolist()
    )
    assert hits == int(((said == 1) & (true == 1)).sum())
    assert (false, missed) == (int(((said == 1) & (true == 0)).sum()), int(((said == 0) & (true == 1)).sum()))
    assert "F1" in score(network, task, "test").values()
    assert "F1" not in {m.name for m in _classes(3).measures}


def test_new_synthetic_sequences_in_every_epoch_the_same_for_all_units():
    task = open_task("copy", "synthetic", SMALL)
    first, again, later = (
        torch.cat([b.targets[0] for b in task.batches("train", 10, seed=5, epoch=e)]) for e in (1, 1, 2)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, later)


def test_unknown_kinds_names_and_options_are_refused():
    with pytest.raises(ConfigError, match="no task is called 'langage'; did you mean language"):
        open_task("warpeace", "langage")
    with pytest.raises(ConfigError, match="no set and no file is called 'warpease'; did you mean warpeace"):
        open_task("warpease")
    with pytest.raises(ConfigError, match="task synthetic has no option 'blnks'; did you mean blanks"):
        open_task("copy", None, {"blnks": 3})
    with pytest.raises(
        ConfigError, match=r"option blanks of task synthetic: wanted a whole number .* 'many'"
    ):
        open_task("copy", None, {"blanks": "many"})


def test_every_known_name_has_a_kind():
    assert set(named().values()) <= set(KINDS)
    assert guess("Piano-midi.de").kind == "music"


@pytest.mark.parametrize(
    ("files", "kind"),
    [
        ({"a/b.mid": b"MThd"}, "music"),
        ({"x.wav": b"", "notes.txt": b""}, "waveform"),
        ({"one.txt": b"some text\nover lines\nand more of it\n"}, "language"),
        ({"good/1.txt": b"fine\n", "bad/1.txt": b"poor\n"}, "classify"),
        ({"p/1_word.txt": b"word\n1 2 0\n3 4 1\n5 6 1\n"}, "transcribe"),
        ({"a.xml": b"<a/>"}, "transcribe"),
        ({"wav.scp": b"a a.wav\n"}, "transcribe"),
    ],
)
def test_what_a_folder_is(tmp_path, files, kind):
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    assert guess(str(tmp_path)).kind == kind


@pytest.mark.parametrize(
    ("name", "content", "kind"),
    [
        ("a.csv", b"Month,Value\n1,2\n", "forecast"),
        ("a.csv", b"text,label\nhello,x\n", "classify"),
        ("a.csv", b"\xef\xbb\xbftext,label\nhello,x\n", "classify"),
        ("a.ts", b"@data", "classify"),
        ("a.txt", b"text", "language"),
        ("a.mat", b"", "music"),
        ("a.rs", b"fn main() {}", "language"),
    ],
)
def test_what_a_file_is(tmp_path, name, content, kind):
    (tmp_path / name).write_bytes(content)
    assert guess(str(tmp_path / name)).kind == kind


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.mid", b"MThd", "came one MIDI file, .* try a folder"),
        ("a.WAV", b"RIFF", "came one recording, .* try a folder"),
        ("a.flac", b"fLaC", "came one recording"),
        ("a.xml", b"<a/>", "came one XML file; .* --task language"),
        ("a.npy", b"\x93NUMPY", "came one array without labels"),
        ("a.bin", b"text\0", "came the byte 0 at 4, .* level=bytes"),
        ("a.txt", b"\x01\x02", "came the byte 1 at 0"),
        ("noending", b"\x80\x04\x95\x03\0\0", "came the byte 4 at 1"),
    ],
)
def test_a_file_that_is_no_set_is_refused(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=said):
        guess(str(tmp_path / name))


def test_texts_in_other_encodings_are_texts(tmp_path):
    for number, encoding in enumerate(("latin-1", "utf-16", "cp1252", "utf-8-sig")):
        path = tmp_path / f"{number}"
        path.write_bytes("größer\tals\r\n\x1b[1mnichts\f".encode(encoding))
        assert guess(str(path)).kind == "language"


def test_a_text_in_an_archive_is_a_text(tmp_path):
    with zipfile.ZipFile(tmp_path / "bomb.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.txt", bytes(1 << 24))
    with pytest.raises(DataError, match=r"bomb.zip/a.txt: wanted a data set or a text, came the byte 0 at 0"):
        guess(str(tmp_path / "bomb.zip"))


def test_what_is_left_out_and_how_it_was_split_is_said(made_up, tmp_path):
    rows = "".join(f"{1950 + k // 12}-{k % 12 + 1:02},{k * k % 17},north\n" for k in range(200))
    (tmp_path / "a.csv").write_text("Month,Heat,Site\n" + rows)
    notes = open_task(str(tmp_path / "a.csv"), None, {"horizon": 2, "context": 4}).about.notes
    assert "a.csv: columns without numbers are left out: Site" in notes
    notes = open_task(str(made_up / "sounds"), None, {"length": 60, "split": "4/3/3"}).about.notes
    assert "4 / 3 / 3 recordings" in notes[0]


def test_folders_and_archives_without_data_are_refused(tmp_path):
    (tmp_path / ".a.txt").write_text("hidden")
    with pytest.raises(DataError, match=r"came none \(hidden ones do not count\); try --task"):
        guess(str(tmp_path))
    (tmp_path / "a.de").write_text("Hunde")
    (tmp_path / "README").write_text("Hunde")
    with pytest.raises(DataError, match=r"came 1 without an ending, 1 \.de; try --task"):
        guess(str(tmp_path))
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        archive.writestr("a.wav", b"RIFF")
    with pytest.raises(DataError, match="1 sound files in an archive; try to unpack it"):
        guess(str(tmp_path / "s.zip"))
    with pytest.raises(ConfigError, match="wanted the name of a set, or a path, came an empty text"):
        guess("")


@pytest.mark.parametrize("kind", ["waveform", "frames"])
def test_a_path_of_another_kind_is_not_taken_for_a_name(tmp_path, kind):
    (tmp_path / "a.csv").write_text("Month,Value\n1,2\n")
    with pytest.raises(DataError, match=r"a\.csv: wanted a (folder of sound files|TIMIT or Kaldi folder)"):
        open_task(str(tmp_path / "a.csv"), kind)
    if kind == "frames":
        with pytest.raises(DataError, match="wanted a TIMIT or Kaldi folder"):
            open_task(str(tmp_path), kind)


def test_shares_of_a_split(tmp_path):
    text = tmp_path / "mine.txt"
    text.write_text("abcde fghij\n" * 400)
    task = open_task(str(text), None, {"split": "60/20/20"})
    assert task.record().options == {"split": "0.6,0.2,0.2"}
    assert [round(task.steps(s) / 4800, 2) for s in ("train", "valid", "test")] == [0.6, 0.2, 0.2]
    again = open_task(str(text), "language", task.record().options)
    assert again.record() == task.record()
    for wrong in ("60/40", "a/b/c", "1/0/1"):
        with pytest.raises(ConfigError, match="option split of task language: wanted three shares"):
            open_task(str(text), None, {"split": wrong})
    with pytest.raises(ConfigError, match="task music has no option 'split'"):
        open_task("chorales", None, {"split": "60/20/20"})


@pytest.mark.parametrize("split", ["1/1/1", "1/1/5", "7/7/7", "2/3/4"])
def test_shares_without_end_are_shares_of_one_whole(made_up, split):
    for load, options in (
        ("sounds", {"length": 60}),
        ("some.txt", {}),
        ("series.csv", {"horizon": 2, "context": 4}),
    ):
        task = open_task(str(made_up / load), None, {"split": split, **options})
        again = open_task(str(made_up / load), None, task.record().options)
        assert again.record() == task.record()


@pytest.mark.parametrize(
    ("load", "options", "said"),
    [
        ("parts", {"split": "1/1/1"}, "has parts of its own"),
        ("parts.zip", {"split": "1/1/1"}, "has parts of its own"),
        ("some.txt", {"level": "bytes", "encoding": "latin-1"}, "level bytes: is in no encoding"),
        ("mails", {"target": "kind"}, "has no option 'target'"),
        ("mails", {"text": "kind"}, "has no option 'text'"),
        ("mails.zip", {"target": "kind"}, "has no option 'target'"),
        ("classes.npz", {"fill": True}, "has no option 'fill'"),
        ("tunes", {"split": "1/1/1"}, "has no option 'split'"),
        ("pens", {"target": "x"}, "has no option 'target'"),
    ],
)
def test_no_option_is_ignored(made_up, tmp_path, load, options, said):
    files = [f"{part}.txt" for part in ("train", "valid", "test")]
    files = files if load.startswith("parts") else [f"{k}/{n}.txt" for k in "ab" for n in range(9)]
    if not (made_up / load).exists():
        for number, name in enumerate(files):
            (tmp_path / "parts" / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / "parts" / name).write_text(f"some text of number {number}\n" * 9)
        with zipfile.ZipFile(tmp_path / load, "w") if load.endswith(".zip") else nullcontext() as archive:
            for name in files if archive else []:
                archive.write(tmp_path / "parts" / name, name)
        made_up = tmp_path
        load = load if load.endswith(".zip") else "parts"
    with pytest.raises(ConfigError, match=said):
        open_task(str(made_up / load), None, options)
    left = {k: v for k, v in options.items() if k == "level"}
    open_task(str(made_up / load), None, left)


@pytest.mark.parametrize(("text", "level"), [("abcdefghij", "characters"), ("word " * 9, "words")])
def test_a_text_too_short_to_predict_is_refused(tmp_path, text, level):
    (tmp_path / "a.txt").write_text(text)
    with pytest.raises(DataError, match=r"a.txt: valid: wanted at least 2 symbols, .* came 1; try a longer"):
        open_task(str(tmp_path / "a.txt"), None, {"level": level})


def test_values_that_are_missing_are_filled_where_that_is_asked_for(tmp_path):
    head = "@univariate true\n@missing true\n@classLabel true a b\n@data\n"
    for part in ("TRAIN", "TEST"):
        (tmp_path / f"X_{part}.ts").write_text(head + "1,2,3:a\n3,?,4:b\n" * 4)
    with pytest.raises(DataError, match="missing, the first at value 1; try fill"):
        open_task(str(tmp_path / "X_TRAIN.ts"))
    filled = open_task(str(tmp_path / "X_TRAIN.ts"), None, {"fill": "yes"})
    assert any("8 missing values were filled" in note for note in filled.about.notes)


def _strings_of(lengths, labels):
    """Return a posed set of sequences with as many labels each, all alike where a length is given twice."""
    random = np.random.default_rng(0)
    inputs = [random.normal(size=(n, 3)).astype(np.float32) for n in lengths]
    part = Part(inputs, [np.array(y) for y in labels])
    return Posed(ABOUT, dict.fromkeys(("train", "valid", "test"), part), tuple("xyz"), {"inputs": "values"})


def test_sequences_too_short_for_their_labels_are_counted_or_refused():
    task = TranscribeTask(_strings_of((4, 2, 3), ([0, 1, 2], [0, 0], [1, 0, 2])), "letter")
    notes = [note for note in task.about.notes if "1 sequences of" in note]
    assert [note.split()[3] for note in notes] == ["training", "validation", "test"]
    assert not TranscribeTask(_strings_of((4, 3), ([0, 1, 2], [0, 0])), "letter").about.notes
    with pytest.raises(DataError, match="train: wanted sequences of at least a step a letter, came 2 that"):
        TranscribeTask(_strings_of((2, 2), ([0, 1, 2], [0, 0])), "letter")


def test_a_series_that_repeats_itself_is_named(tmp_path):
    rows = "".join(f"{1950 + k // 12}-{k % 12 + 1:02},{k * k % 17},5\n" for k in range(200))
    (tmp_path / "a.csv").write_text("Month,Heat,Flat\n" + rows)
    with pytest.raises(
        DataError, match=r"a.csv: .*column 'Flat', 140 training rows: MASE: .* another target"
    ):
        open_task(str(tmp_path / "a.csv"))
    with pytest.raises(DataError, match=r"column 'Heat', .*more than 150 steps"):
        open_task(
            str(tmp_path / "a.csv"), None, {"target": "Heat", "season": 150, "horizon": 2, "context": 2}
        )


def test_numbers_too_large_to_scale_are_said_with_their_file(tmp_path):
    x = {f"x_{k}": np.full((5, 2), (-1.0) ** k * 1e300) for k in range(20)}
    np.savez(tmp_path / "huge.npz", **x, y=np.array(["a", "b"] * 10))
    with pytest.raises(DataError, match=r"huge.npz: scale: wanted finite numbers"):
        open_task(str(tmp_path / "huge.npz"))


def test_whether_translations_are_in_lower_case_is_said_by_what_was_loaded(made_up):
    for lower in (False, True):
        assert TranslateTask(load_parallel(made_up / "pairs", lower=lower)).kept()["lower"] is lower
        task = open_task(str(made_up / "pairs"), "translate", {"lower": "yes" if lower else "no"})
        assert task.kept()["lower"] is lower


def test_frames_of_speech_are_stacked_by_what_a_label_is(real_data):
    words, more = open_task("yesno"), open_task("yesno", options={"stack": 11})
    assert words.blueprint.inputs == 8 * 39
    assert words.kept()["stack"] == 8
    assert more.blueprint.inputs == 11 * 39
    assert [-(-n // 11) for n in open_task("yesno", options={"stack": 1}).lengths("test")] == more.lengths(
        "test"
    )
    with pytest.raises(ConfigError, match="option stack of task transcribe: wanted at most"):
        open_task("yesno", options={"stack": 10**12})


def test_what_is_heard_is_trained_with_noise_and_what_is_drawn_without(real_data):
    assert open_task("yesno").training.input_noise > 0
    assert open_task("gw").training.input_noise == 0


@pytest.mark.parametrize("load", ["chorales", "stdlib", "copy"])
def test_what_comes_next_is_not_read_backwards(load):
    with pytest.raises(ConfigError, match="would have read it; try one direction"):
        open_task(load).network(gatelab.cells.get("gru"), 4, Body(bidirectional=True))
    assert not FrameTask.onward


def test_translations_are_compared_with_sentences_left_as_they_are(made_up):
    from sacrebleu.metrics.bleu import BLEU

    task = open_task(str(made_up / "pairs"), "translate")
    part = task.part("test")
    left = [spelt(ids.tolist(), task.data.source_vocabulary) for ids in part.source]
    wanted = BLEU(force=True).corpus_score(left, [list(part.references)]).score
    found = task.baselines()
    assert found["copy"]["BLEU"] == pytest.approx(wanted)
    assert found["1-gram"]["perplexity"] == pytest.approx(np.exp(found["1-gram"]["NLL"]))


def test_windows_of_a_series_say_how_far_they_overlap(made_up):
    task = open_task(str(made_up / "series.csv"), "forecast", {"horizon": 3, "context": 4})
    assert task.record().overlap == 3
    assert open_task("arithmetic").record().overlap == 1
