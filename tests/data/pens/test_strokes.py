"""Whole sets: known ones, own folders, and IAM-OnDB written here in its form."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from gatelab.data.pens.strokes import StrokeData, load_strokes
from gatelab.data.tree import Tree
from gatelab.errors import ConfigError, DataError


def total(data: StrokeData) -> int:
    return sum(len(w.features) for split in (data.train, data.valid, data.test) for w in split)


# The words of George Washington


@pytest.fixture(scope="module")
def archive() -> Path:
    path = Path(os.environ.get("GATELAB_DATA", "nowhere"), "gw_online_handwriting", "gw-online-dataset.zip")
    if not path.is_file():
        pytest.skip("GATELAB_DATA holds no gw_online_handwriting: real words are not on this machine")
    return path


@pytest.fixture(scope="module")
def gw(archive: Path) -> StrokeData:
    return load_strokes("gw")


def test_all_words_and_points_are_there(gw: StrokeData) -> None:
    assert (len(gw.train), len(gw.valid), len(gw.test)) == (3926, 457, 477)
    assert total(gw) == 380_192
    assert "".join(gw.characters) == "0123456789abcdefghijklmnopqrstuvwxyz"
    assert gw.unknown == {}
    lengths = [len(w.features) for split in (gw.train, gw.valid, gw.test) for w in split]
    assert (min(lengths), np.median(lengths), max(lengths)) == (9, 70, 269)
    texts = {w.text for split in (gw.train, gw.valid, gw.test) for w in split}
    assert len(texts) == 1124


def test_the_two_words_without_line_1_are_said(gw: StrokeData) -> None:
    assert gw.remarks == (
        "2 files without line 1, word from the file name: 3000300/1427036394944_disagreement.txt, "
        "3000300/1427036584309_committee.txt",
    )
    texts = {w.id: w.text for w in gw.train}
    assert texts["3000300/1427036394944_disagreement"] == "disagreement"
    assert texts["3000300/1427036584309_committee"] == "committee"


def test_split_by_page_and_scaled_on_train(gw: StrokeData) -> None:
    assert {w.group for w in gw.valid} == {"3060306", "3070307"}
    assert {w.group for w in gw.test} == {"3080308", "3090309"}
    assert len({w.group for w in gw.train}) == 16
    moves = np.concatenate([w.features[1:, :2] for w in gw.train]).astype(np.float64)
    times = np.concatenate([w.features[:, 2] for w in gw.train]).astype(np.float64)
    assert np.sqrt(np.mean(moves**2)) == pytest.approx(1, abs=1e-4)
    assert np.sqrt(np.mean(times**2)) == pytest.approx(1, abs=1e-4)
    assert all(w.features[-1, 3] == 1 and w.features.dtype == np.float32 for w in gw.train)


def test_the_text_is_the_name_of_the_file(gw: StrokeData) -> None:
    for writing in (*gw.train, *gw.valid, *gw.test):
        assert writing.id.partition("_")[2] == writing.text


def test_the_digest_is_that_of_the_files(gw: StrokeData, archive: Path) -> None:
    tree = Tree(archive)
    assert gw.digest == tree.digest()


def test_an_unpacked_folder_reads_alike(gw: StrokeData, archive: Path, tmp_path: Path) -> None:
    with zipfile.ZipFile(archive) as file:
        file.extractall(tmp_path / "gw-online-dataset")
    same = load_strokes(tmp_path / "gw-online-dataset")
    assert (same.digest, same.scale, same.split) == (gw.digest, gw.scale, gw.split)
    assert np.array_equal(same.test[-1].features, gw.test[-1].features)


# Own trajectories


@pytest.fixture
def own(tmp_path: Path) -> Path:
    for k, page in enumerate(("anna", "bert", "cleo")):
        (tmp_path / "mine" / page).mkdir(parents=True)
        for n, word in enumerate(("it", "is", "übel"[k:])):
            text = f"{word}\n1 {k + 1} 0\n5 {n + 2} 1\n7 9 1\n"
            (tmp_path / "mine" / page / f"{n}_{word}.txt").write_text(text, encoding="utf-8")
    return tmp_path / "mine"


def test_own_trajectories(own: Path) -> None:
    data = load_strokes(own, valid=["bert"], test=["anna"])
    assert [w.text for w in data.train] == ["it", "is", "el"]
    assert data.name == "mine"
    assert data.characters == ("e", "i", "l", "s", "t")
    assert data.unknown == {"b": 2, "ü": 1}
    assert data.encode("übel").tolist() == [0, 2]
    assert data.split == "valid and test as asked for"
    assert len(load_strokes(own).test) == 3


def test_own_trajectories_may_be_halved(own: Path) -> None:
    (own / "cleo" / "9_lang.txt").write_text("lang\n" + "".join(f"{k} 5 0\n" for k in range(9)) + "9 9 1\n")
    data = load_strokes(own, ["bert"], ["anna"], every=2)
    assert len(data.train[-1].features) == 6
    with pytest.raises(ConfigError, match="wanted every of at least 1, came 0"):
        load_strokes(own, every=0)


def test_a_broken_file_is_named(own: Path) -> None:
    (own / "bert" / "1_is.txt").write_text("is\n1 2 0\n3 4 7\n")
    with pytest.raises(DataError, match=r"mine/bert/1_is.txt, line 3: .*came the pen '7'"):
        load_strokes(own)


def test_names_and_places(own: Path, no_data: Path) -> None:
    with pytest.raises(ConfigError, match="no handwriting is called 'iam-on'; did you mean iam-ondb"):
        load_strokes("iam-on")
    with pytest.raises(DataError, match=r"George Washington words: wanted gw-online-dataset.zip"):
        load_strokes("gw")
    with pytest.raises(DataError, match=r"IAM-OnDB: wanted .*fki.tic.heia-fr.ch"):
        load_strokes("iam-ondb")
    with pytest.raises(DataError, match="cannot be read"):
        load_strokes(no_data / "nowhere")
    (no_data / "empty").mkdir()
    with pytest.raises(DataError, match=r"wanted files PAGE/1_word.txt, or .* came none"):
        load_strokes(no_data / "empty")


def test_the_room_imports_no_xml() -> None:
    code = "import sys, gatelab.data.pens.strokes; sys.exit('defusedxml' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# IAM-OnDB

TEXTS = {
    "a01-000u": ["A MOVE to", "stop Mr."],
    "a01-000x": ["Gaitskell"],
    "b02-045z": ["from", "", "nominating"],
    "c03-003a": ["any more"],
}
LISTS = {"trainset": "a01-000u", "testset_v": "a01-000x", "testset_t": "b02-045z", "testset_f": "c03-003a"}


def strokes(seed: int) -> str:
    def point(k: int) -> str:
        return f'<Point x="{seed + 3 * k}" y="{seed + k * k}" time="{seed + k / 100:.2f}"/>'

    inner = "".join(f"<Stroke>{point(k)}{point(k + 1)}</Stroke>" for k in range(3))
    return f"<WhiteboardCaptureSession><StrokeSet>{inner}</StrokeSet></WhiteboardCaptureSession>"


@pytest.fixture
def iam(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "iam_ondb"
    for form, lines in TEXTS.items():
        below = Path(form[:3], form[:7])
        (root / "ascii-all" / "ascii" / below).mkdir(parents=True, exist_ok=True)
        (root / "lineStrokes-all" / "lineStrokes" / below).mkdir(parents=True, exist_ok=True)
        text = "OCR:\n\nnoise\n\nCSR:\n\n" + "\n".join(lines) + "\n"
        (root / "ascii-all" / "ascii" / below / f"{form}.txt").write_text(text)
        for n in range(1, len(lines) + 1):
            file = root / "lineStrokes-all" / "lineStrokes" / below / f"{form}-{n:02}.xml"
            file.write_text(strokes(n + len(form)))
    monkeypatch.setenv("GATELAB_DATA", str(tmp_path))
    return root


def write_lists(root: Path) -> None:
    for name, form in LISTS.items():
        (root / f"{name}.txt").write_text(f" {form}\n")


def test_iam_with_its_set_files(iam: Path) -> None:
    write_lists(iam)
    data = load_strokes("iam-ondb")
    assert [(w.id, w.text) for w in data.train] == [("a01-000u-01", "A MOVE to"), ("a01-000u-02", "stop Mr.")]
    assert [w.text for w in data.valid] == ["Gaitskell", "from", "nominating"]
    assert [(w.group, w.text) for w in data.test] == [("c03-003a", "any more")]
    assert data.split == "task 1 of IAM-OnDB"
    assert data.remarks == ("1 lines left out, no text for them: b02-045z-02",)
    assert " " in data.characters
    assert data.unknown["k"] == 1
    assert data.train[0].features.shape == (6, 4)
    assert data.train[0].features[1, 2] * data.scale.time == pytest.approx(0.01)
    assert np.sign(data.train[0].features[1, :2]).tolist() == [1, -1]


def test_iam_without_set_files_is_split_by_form(iam: Path) -> None:
    data = load_strokes(iam)
    groups = [{w.group for w in split} for split in (data.train, data.valid, data.test)]
    assert sorted(map(len, groups)) == [1, 1, 2]
    assert set.union(*groups) == set(TEXTS)
    assert data.split == "a tenth of the forms"
    chosen = load_strokes(iam, valid=["a01-000x"], test=["b02-045z"])
    assert {w.group for w in chosen.test} == {"b02-045z"}


def test_iam_says_what_is_left_out(iam: Path) -> None:
    write_lists(iam)
    (iam / "trainset.txt").write_text("a01-000u\nz01-000z\n")
    (iam / "testset_t.txt").unlink()
    shutil.rmtree(iam / "ascii-all" / "ascii" / "c03")
    with pytest.raises(DataError, match="the split test is empty"):
        load_strokes(iam)
    (iam / "testset_f.txt").write_text("b02-045z\n")
    assert load_strokes(iam).remarks == (
        "1 lines left out, no text for them: b02-045z-02",
        "1 lines left out, their form is in no set file: c03-003a-01",
        "1 forms of the set files without lines: z01-000z",
    )


def test_iam_refuses_half_a_split(iam: Path) -> None:
    write_lists(iam)
    (iam / "testset_f.txt").unlink()
    with pytest.raises(DataError, match=r"wanted testset_f.txt beside the other set files, came none"):
        load_strokes(iam)
    (iam / "testset_f.txt").write_text("a01-000u\n")
    with pytest.raises(DataError, match="the form a01-000u is in train already"):
        load_strokes(iam)


def test_iam_names_the_broken_file(iam: Path) -> None:
    next(iam.rglob("a01-000u-02.xml")).write_text("<WhiteboardCaptureSession><StrokeSet>")
    with pytest.raises(DataError, match=r"a01-000u-02.xml: no well-formed XML"):
        load_strokes(iam)
