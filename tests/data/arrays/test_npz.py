"""Sequences from .npz files, and everything that must not pass the border."""

from __future__ import annotations

import io
import random
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from damage import assert_one_line, damaged
from gatelab.data.arrays import npz as arrays
from gatelab.data.arrays.npz import load_arrays
from gatelab.errors import DataError

LENGTHS = [3, 5, 1, 4, 2, 6]
DRAW = np.random.default_rng(0)
X = [DRAW.normal(size=(n, 2)) for n in LENGTHS]
RAGGED = {f"x_{k}": x for k, x in enumerate(X)}
ROWS = {"x": np.concatenate(X), "lengths": np.array(LENGTHS)}
STACKED = {"x": DRAW.normal(size=(6, 4, 2))}
Y = np.array(["b", "a", "b", "a", "b", "a"])
SPLIT = np.array(["train", "train", "valid", "valid", "test", "test"])
GOOD = {**RAGGED, "y": Y, "split": SPLIT}


def write(folder: Path, compressed: bool = False, **content: Any) -> Path:
    path = folder / "f.npz"
    (np.savez_compressed if compressed else np.savez)(path, **content)
    return path


@pytest.mark.parametrize("compressed", [False, True])
def test_three_forms_of_x_and_labels_per_sequence(tmp_path: Path, compressed: bool) -> None:
    for x in (RAGGED, ROWS):
        data = load_arrays(write(tmp_path, compressed, **x, y=Y, split=SPLIT))
        assert data.classes == ("a", "b")
        for part, rows in ((data.train, [0, 1]), (data.valid, [2, 3]), (data.test, [4, 5])):
            assert part.y.tolist() == [1, 0]
            assert all(np.array_equal(a, X[k]) for a, k in zip(part.x, rows, strict=True))
    data = load_arrays(write(tmp_path, compressed, **STACKED, y=np.array([7, -1] * 3), split=SPLIT))
    assert data.classes == ("-1", "7")
    assert np.array_equal(data.test.x[1], STACKED["x"][5])
    assert (data.inputs, data.name) == (2, "f")


def test_more_than_ten_sequences_keep_their_order_and_float32(tmp_path: Path) -> None:
    x = {f"x_{k}": np.full(k + 1, k, np.float32) for k in range(23)}
    data = load_arrays(write(tmp_path, **x, y=np.arange(23.0)))
    for part in (data.train, data.valid, data.test):
        assert [float(s[0, 0]) for s in part.x] == part.y.tolist()
        assert {s.dtype for s in part.x} == {np.dtype(np.float32)}
    assert [len(p) for p in (data.train, data.valid, data.test)] == [16, 4, 3]
    assert data.notes == ("the file names no split: 16 train, 4 valid, 3 test, seed 0",)


def test_three_forms_of_labels_per_frame(tmp_path: Path) -> None:
    y = [np.arange(n) % 2 + 4 for n in LENGTHS]
    numbered = {f"y_{k}": labels for k, labels in enumerate(y)}
    for content in ({**RAGGED, **numbered}, {**ROWS, "y": np.concatenate(y)}):
        data = load_arrays(write(tmp_path, **content, split=SPLIT))
        assert data.classes == ("4", "5")
        assert [labels.tolist() for labels in data.test.y] == [(y[k] - 4).tolist() for k in (4, 5)]
    data = load_arrays(write(tmp_path, **STACKED, y=np.tile([1, 0, 1, 0], (6, 1))))
    assert all(labels.tolist() == [1, 0, 1, 0] for labels in data.train.y)


BAD: dict[str, dict[str, Any]] = {
    "o.npy: is no array known here": {**GOOD, "o": np.arange(3)},
    "lenghts.npy: .*did you mean lengths": {**ROWS, "lenghts": np.arange(3)},
    "y.npy: wanted numbers or texts, came Python objects": {**GOOD, "y": np.array([{"a": 1}] * 6, object)},
    "wanted numbers or texts, came complex128": {**GOOD, "x_0": X[0] + 1j},
    "came datetime64": {**GOOD, "y": np.array(["2001-01-01"] * 6, "datetime64[D]")},
    "came \\[\\('a', '<f8'\\)\\]": {**GOOD, "y": np.zeros(6, [("a", "f8")])},
    "wanted either x or x_0, x_1 …, came .*x, x_0": {**GOOD, "x": STACKED["x"]},
    "wanted either y or y_0, y_1 …, came x_0": RAGGED,
    "x_1 is missing, of 6 arrays": {**{k: v for k, v in GOOD.items() if k != "x_1"}, "x_9": X[1]},
    "x, sequence 2: wanted T x 2 numbers, T from 1, came 3 x 3": {**GOOD, "x_2": np.ones((3, 3))},
    "x, sequence 2: wanted T x 2 numbers, T from 1, came 0 x 2": {**GOOD, "x_2": np.ones((0, 2))},
    "x, sequence 0: wanted T x I numbers, T from 1, came 1 x 1 x 1": {**GOOD, "x_0": np.ones((1, 1, 1))},
    "x, sequence 1: wanted numbers, came <U1": {**GOOD, "x_1": np.array([["a", "b"]])},
    "x, sequence 1, frame 2: wanted finite numbers, came nan at 1": {
        **GOOD,
        "x_1": np.array([[1, 1], [1, 1], [1, np.nan]]),
    },
    "wanted lengths as \\[N\\] whole numbers .* came x 21 x 2 without it": {"x": ROWS["x"], "y": Y},
    "lengths: wanted numbers from 1 .*came 22 for 21 rows of x": {
        **ROWS,
        "lengths": [3, 5, 1, 4, 3, 6],
        "y": Y,
    },
    "lengths: .* the least -1": {**ROWS, "lengths": [3, 5, 3, 5, 6, -1], "y": Y},
    "x: wanted N sequences of one length, came lengths as well": {**STACKED, "lengths": [4] * 6, "y": Y},
    "y: wanted 6 labels, or one for each frame .* sequence 0 of shape \\(2,\\)": {
        **GOOD,
        **{f"y_{k}": np.array([1, 2]) for k in range(6)},
        "y": None,
    },
    "y: wanted whole numbers or texts": {
        **RAGGED,
        **{f"y_{k}": np.full(n, 0.5) for k, n in enumerate(LENGTHS)},
    },
    "y, sequence 3: wanted a finite target, came inf": {**GOOD, "y": np.array([1, 2, 3, np.inf, 1, 2])},
    "split: wanted 6 of train, valid and test, came 6 of learn, test": {
        **GOOD,
        "split": np.array(["learn"] * 3 + ["test"] * 3),
    },
    "no sequence is left to valid": {**GOOD, "split": np.array(["train"] * 3 + ["test"] * 3)},
    "the class 'c' of validation is in no": {**GOOD, "y": np.array(["a", "b", "a", "c", "a", "b"])},
    "wanted either x or x_0, x_1 …, came none": {},
    "y: wanted 6 labels, one a sequence, came 4; try": {**GOOD, "y": Y[:4]},
    "the class 'c' of the test is in no sequence": {**GOOD, "y": np.array(["a", "b", "a", "b", "a", "c"])},
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(tmp_path: Path, message: str) -> None:
    content = {name: value for name, value in BAD[message].items() if value is not None}
    with pytest.raises(DataError, match=message) as caught:
        load_arrays(write(tmp_path, **content))
    assert_one_line(caught.value)
    assert "try" in str(caught.value)


def test_bounds_what_is_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "BYTES", 2**20)
    with pytest.raises(DataError, match="wanted at most 1 MiB of arrays, came 7"):
        load_arrays(write(tmp_path, True, x=np.ones((10, 100_000)), y=Y))
    with pytest.raises(DataError, match="came no file"):
        load_arrays(tmp_path)


WORDS = tuple(b"'|O' '<f4' '<U9' (0,) (9999999,) True , ) x_0.npy y.npy \xff \0\0\0\0 nan".split(b" "))


def fuzz(path: Path, count: int, seed: int) -> int:
    draw = random.Random(seed)
    frames = {f"y_{k}": np.arange(n) % 2 for k, n in enumerate(LENGTHS)}
    some = [GOOD, {**ROWS, "y": Y}, {**STACKED, "y": Y == "a"}, {**RAGGED, **frames}]
    seeds = []
    for content in some:
        stream = io.BytesIO()
        np.savez(stream, **content)
        seeds.append({n: zipfile.ZipFile(stream).read(n) for n in zipfile.ZipFile(stream).namelist()})
    good = 0
    for _ in range(count):
        members = dict(draw.choice(seeds))
        hit = draw.choice(list(members))
        data = members[hit]  # changed inside the checksums of the archive
        at = draw.randrange(len(data))
        flipped = data[:at] + bytes([draw.randrange(256)]) + data[at + 1 :]
        members[hit] = flipped if draw.random() < 0.4 else damaged(data, draw, WORDS)
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in members.items():
                archive.writestr(name, content)
        if draw.random() < 0.2:
            path.write_bytes(damaged(path.read_bytes(), draw, WORDS))
        try:
            found = load_arrays(path)
        except DataError as error:
            assert_one_line(error)
        else:
            good += 1
            assert all(np.isfinite(x).all() for x in found.train.x)
    return good


def test_a_damaged_file_is_read_or_a_data_error(tmp_path: Path) -> None:
    assert 20 < fuzz(tmp_path / "f.npz", 400, 1) < 350


@pytest.mark.exhaustive
def test_many_damaged_files(tmp_path: Path) -> None:
    fuzz(tmp_path / "f.npz", 15_000, 2)
