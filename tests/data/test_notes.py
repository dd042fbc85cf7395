"""Both formats of music, and everything that must not pass the border."""

from __future__ import annotations

import gzip
import io
import json
import math
import pickle
from collections.abc import Callable
from importlib import resources
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from damage import assert_one_line, assert_refusal
from gatelab.data import MUSIC, notes
from gatelab.data.notes import read_music
from gatelab.data.splits import SPLITS
from gatelab.errors import DataError

GOOD = {"train": [[[60, 64], []], [[21]]], "valid": [[[60]]], "test": [[[108]]]}
ROLL = np.zeros((3, 88), np.uint8)


def as_json(content: Any) -> bytes:
    return json.dumps(content).encode()


def as_mat(compressed: bool = True, **variables: list[Any]) -> bytes:
    stream = io.BytesIO()
    content = {}
    for name, arrays in variables.items():
        content[name] = np.empty((1, len(arrays)), dtype=object)
        for index, array in enumerate(arrays):
            content[name][0, index] = array
    scipy.io.savemat(stream, content, do_compression=compressed)
    return stream.getvalue()


def mat_with(array: Any) -> bytes:
    return as_mat(traindata=[ROLL, array], validdata=[ROLL], testdata=[ROLL])


def with_value(value: float) -> bytes:
    roll = np.zeros((3, 88))
    roll[2, 5] = value
    return mat_with(roll)


def changed(**splits: Any) -> bytes:
    return as_json(GOOD | splits)


def same(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return all(
        len(first[split]) == len(second[split])
        and all(np.array_equal(a, b) for a, b in zip(first[split], second[split], strict=True))
        for split in SPLITS
    )


@pytest.mark.parametrize("name", ["jsb", "nottingham", "muse", "piano"])
def test_both_formats_are_equal(name: str, music_folder: Path) -> None:
    mat, zipped = (read_music((music_folder / f).read_bytes(), f) for f in MUSIC[name].files[:2])
    assert same(mat, zipped)


def test_reads_the_finer_grid_with_whole_floats(music_folder: Path) -> None:
    file = "jsb-chorales-16th.json"
    assert [len(split) for split in read_music((music_folder / file).read_bytes(), file).values()] == [
        229,
        76,
        77,
    ]


def test_plain_and_compressed_json_are_equal() -> None:
    plain, zipped = read_music(as_json(GOOD), "f"), read_music(gzip.compress(as_json(GOOD)), "f")
    assert same(plain, zipped)
    first = plain["train"][0]
    assert (first.shape, first.dtype) == ((2, 88), np.dtype(np.uint8))
    assert (first[0].nonzero()[0] + 21).tolist() == [60, 64]
    assert not first[1].any()
    assert plain["train"][1][0, 0] == 1
    assert plain["test"][0][0, 87] == 1


@pytest.mark.parametrize("dtype", ["u1", "i4", "f4", "f8"])
@pytest.mark.parametrize("compressed", [False, True])
def test_mat_of_any_real_type(dtype: str, compressed: bool) -> None:
    splits = read_music(as_json(GOOD), "f")
    arrays = {f"{split}data": [a.astype(dtype) for a in splits[split]] for split in SPLITS}
    assert same(splits, read_music(as_mat(compressed, **arrays), "f"))


def test_whole_floats_doubles_and_any_order_of_notes_pass() -> None:
    assert same(
        read_music(changed(valid=[[[64, 60.0, 64]]]), "f"), read_music(changed(valid=[[[60, 64]]]), "f")
    )


BAD: dict[str, bytes] = {
    # foreign
    "the file is empty": b"",
    "came a JPEG picture": b"\xff\xd8\xff\xe0" + bytes(300),
    "came an HDF5 file": b"\x89HDF\r\n\x1a\n" + bytes(300),
    "came version 7.3 \\(HDF5\\)": b"MATLAB 7.3 MAT-file".ljust(124) + b"\x00\x02IM" + bytes(400),
    "came a pickle": pickle.dumps(GOOD),
    "came a zip archive": b"PK\x03\x04" + bytes(30),
    "came one MIDI file": b"MThd" + bytes(30),
    "came a web page": b"<!DOCTYPE html>\n<html>",
    "came a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n",
    "begins with b'nonsense'": b"nonsense and more",
    # compressed
    "wanted one whole gzip member, came a truncated file": gzip.compress(as_json(GOOD))[:-9],
    "came more bytes after its end": gzip.compress(as_json(GOOD)) + b"more",
    "damaged gzip data": b"\x1f\x8b" + bytes(40),
    # JSON as such
    "not JSON": as_json(GOOD)[:-3],
    "not JSON \\('utf-8'": b'{"\xff": 1}',
    "not JSON \\(Exceeds": b'{"train": ' + b"9" * 5000 + b"}",
    "nested too deeply": b'{"train": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    # JSON of another shape
    "wanted an object with the keys train, valid, test, came \\[1, 2, 3, \\.\\.\\.\\]": b"[1, 2, 3, 4]",
    "came an object with the keys \\['train', 'test'\\]": as_json({"train": [], "test": []}),
    "train: wanted a list of sequences, came 'la la'": changed(train="la la"),
    "valid, sequence 0: wanted a list of time steps, came None": changed(valid=[None]),
    "test, sequence 1, step 2: wanted a list of MIDI notes, came 60": changed(test=[[[60]], [[], [], 60]]),
    "test: the split is empty": changed(test=[]),
    "valid, sequence 1: wanted at least 1 step, came 0": changed(valid=[[[60]], []]),
    # notes
    "train, sequence 0, step 1: wanted whole MIDI notes 21 to 108, came 20;": changed(
        train=[[[60], [60, 20]]]
    ),
    "came 109;": changed(train=[[[109]]]),
    "came 60.5;": changed(train=[[[60.5]]]),
    "came nan;": changed(train=[[[math.nan]]]),
    "came inf;": changed(train=[[[math.inf]]]),
    "came True;": changed(train=[[[True]]]),
    "came None;": changed(train=[[[None]]]),
    "came '60';": changed(train=[[["60"]]]),
    "came \\[60\\];": changed(train=[[[[60]]]]),
    "came 100000000000000000\\.\\.\\.": changed(train=[[[10**300]]]),
    # MATLAB
    "validdata is missing": as_mat(traindata=[ROLL], testdata=[ROLL]),
    "wanted a matrix T x 88, came 3 x 87": mat_with(ROLL[:, 1:]),
    "came 88 x 5 \\(transposed\\?\\)": mat_with(np.zeros((88, 5))),
    "came 2 x 3 x 88": mat_with(np.zeros((2, 3, 88))),
    "train, sequence 1: wanted at least 1 step, came 0": mat_with(ROLL[:0]),
    "train: the split is empty": as_mat(traindata=[], validdata=[ROLL], testdata=[ROLL]),
    "train, sequence 1, step 2: wanted 0 or 1, came 2.0 in column 5 \\(MIDI 26\\)": with_value(2),
    "came -1.0 in column 5": with_value(-1),
    "came 0.5 in column 5": with_value(0.5),
    "came nan in column 5": with_value(math.nan),
    "came inf in column 5": with_value(math.inf),
    "variable 'traindata', cell 1.*wanted a real matrix, came class 4": mat_with("la la"),
    "wanted a real matrix, came class 2": mat_with({"a": 1}),
    "wanted a real matrix, came class 1": mat_with(
        np.array([[ROLL, ROLL]], dtype=object)[0, :1].astype(object)
    ),
    "wanted a real matrix, came a complex one": mat_with(ROLL + 1j),
    "truncated": mat_with(ROLL)[:-20],
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_music(BAD[message], "bad.file")
    assert_refusal(caught.value, "bad.file: ")
    assert "try" in str(caught.value)


def test_bounds_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "TEXT_LIMIT", 2 * 2**20)
    for data in (gzip.compress(bytes(3 * 2**20)), b"[" + b" " * (3 * 2**20)):
        with pytest.raises(DataError, match="wanted at most 2 MiB of JSON"):
            read_music(data, "f")


def test_bounds_the_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(notes, "STEP_LIMIT", 4)
    for data in (changed(test=[[[]] * 5]), as_mat(traindata=[ROLL], validdata=[ROLL], testdata=[ROLL])):
        with pytest.raises(DataError, match="wanted at most 4 time steps"):
            read_music(data, "f")


# Fuzz: whatever happens to a real file, it is music or a DataError.


def seeds() -> list[bytes]:
    built_in = resources.files("gatelab.data").joinpath("builtin", "bach_chorales.json.gz").read_bytes()
    some = {split: list(sequences[:2]) for split, sequences in read_music(built_in, "f").items()}
    text = {
        split: [[(step.nonzero()[0] + 21).tolist() for step in s] for s in some[split]] for split in SPLITS
    }
    arrays = {f"{split}data": sequences for split, sequences in some.items()}
    return [
        built_in,
        as_json(text),
        gzip.compress(as_json(text)),
        as_mat(True, **arrays),
        as_mat(False, **arrays),
    ]


def flip(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + bytes([value]) + data[at + 1 :]


def cut(data: bytes, at: int, value: int) -> bytes:
    return data[:at]


def drop(data: bytes, at: int, value: int) -> bytes:
    return data[:at] + data[at + value :]


def repeat(data: bytes, at: int, value: int) -> bytes:
    return data[: at + value] + data[at:]


Change = tuple[Callable[[bytes, int, int], bytes], int, int]
CHANGES = st.lists(
    st.tuples(
        st.sampled_from([flip, flip, flip, cut, drop, repeat]),
        st.one_of(st.integers(0, 600), st.integers(0, 2**17)),
        st.integers(0, 255),
    ),
    min_size=1,
    max_size=3,
)


@given(seed=st.sampled_from(seeds()), changes=CHANGES)
@settings(max_examples=600, deadline=None, suppress_health_check=list(HealthCheck))
def test_a_damaged_file_is_music_or_a_data_error(seed: bytes, changes: list[Change]) -> None:
    data = seed
    for change, at, value in changes:
        data = change(data, at % max(1, len(data)), value)
    try:
        splits = read_music(data, "fuzz")
    except DataError as error:
        assert_one_line(error)
    else:
        for sequence in (sequence for split in SPLITS for sequence in splits[split]):
            assert sequence.dtype == np.uint8
            assert sequence.shape[0] > 0
            assert sequence.shape[1] == 88
            assert sequence.max() <= 1


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(content=st.fixed_dictionaries(dict.fromkeys(SPLITS, JUNK)))
@settings(max_examples=200, deadline=None)
def test_any_json_is_music_or_a_data_error(content: Any) -> None:
    try:
        read_music(as_json(content), "fuzz")
    except DataError as error:
        assert_one_line(error)
