"""A small folder with TIMIT's shape: its split, its phones, and what must not pass."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from damage import damaged_copies
from gatelab.data.speech.mfcc import mfcc
from gatelab.data.speech.timit import PHONES, TEST_SPEAKERS, VALID_SPEAKERS, fold_phones, load_timit
from gatelab.data.speech.utterances import Segment, frame_labels
from gatelab.errors import DataError

WHOLE = np.rint(9000 * np.sin(np.arange(6400) / 7)).astype(np.int16)
PHN = "0 1200 h#\n1200 2000 sh\n2000 3333 iy\n3333 6400 h#\n"


def sphere() -> bytes:
    made = io.BytesIO()
    soundfile.write(made, WHOLE, 16_000, format="NIST", subtype="PCM_16")
    return made.getvalue()


def riff() -> bytes:
    made = io.BytesIO()
    soundfile.write(made, WHOLE, 16_000, format="WAV", subtype="PCM_16")
    return made.getvalue()


def put(folder: Path, name: str, sound: bytes, turn: Callable[[str], str] = str.upper) -> None:
    for ending, data in ((".wav", sound), (".phn", PHN.encode()), (".txt", b"0 6400 She had.\n")):
        path = folder / turn(name + ending)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


@pytest.fixture
def timit(tmp_path: Path) -> Path:
    for name in ("train/dr1/fcjf0/sx1", "train/dr1/fcjf0/sa1", "test/dr1/faks0/si5", "test/dr1/felc0/sx8"):
        put(tmp_path, f"timit/{name}", sphere())
    put(tmp_path, "timit/test/dr2/mabc0/sx9", sphere())
    return tmp_path


def test_lists_are_whole() -> None:
    assert (len(VALID_SPEAKERS), len(TEST_SPEAKERS), len(PHONES)) == (50, 24, 61)
    assert not VALID_SPEAKERS & TEST_SPEAKERS
    assert (len(set(fold_phones(PHONES))), len(fold_phones(PHONES))) == (39, 60)
    assert set(fold_phones(PHONES)) - {"sil"} < set(PHONES)
    assert [sum(s[0] == sex for s in TEST_SPEAKERS) for sex in "mf"] == [16, 8]


@pytest.mark.parametrize(("turn", "sound"), [(str.upper, sphere), (str.lower, riff)])
def test_split_phones_and_sound(
    turn: Callable[[str], str], sound: Callable[[], bytes], tmp_path: Path
) -> None:
    for name in ("train/dr1/fcjf0/sx1", "test/dr1/faks0/si5", "test/dr1/felc0/sx8"):
        put(tmp_path, name, sound(), turn)
    data = load_timit(tmp_path, whole=False)
    assert [[u.id for u in part] for part in (data.train, data.valid, data.test)] == [
        ["fcjf0_sx1"],
        ["faks0_si5"],
        ["felc0_sx8"],
    ]
    first = data.train[0]
    assert (first.speaker, first.text, data.speakers) == ("fcjf0", "She had.", ("faks0", "fcjf0", "felc0"))
    assert [data.symbols[label] for label in first.labels] == ["h#", "sh", "iy", "h#"]
    assert first.segments[1] == Segment(PHONES.index("sh"), 0.075, 0.125)
    assert np.array_equal(first.samples * 32768, WHOLE)
    assert len(frame_labels(first)) == len(mfcc(first.samples, first.rate)) == 38


def test_what_is_left_out_is_counted(timit: Path) -> None:
    put(timit, "timit/train/dr1/fcjf0/sx1.wav", sphere(), lambda name: name)  # a converted copy, beside it
    data = load_timit(timit, whole=False)
    assert dict(data.left_out) == {
        "SA sentences, which all speak": 1,
        "test speakers outside of the core test set and of validation": 1,
        "other recordings": 1,
    }
    with pytest.raises(DataError, match=r"wanted .* \(3696, 400, 192\) utterances, came \(1, 1, 1\)"):
        load_timit(timit)


BAD = {
    "SX1.PHN, line 2: wanted two samples that rise from 1200 to 8000": "0 1200 h#\n1100 2000 sh\n",
    "line 1: .* came '5 5 h#'": "5 5 h#\n",
    "line 1: .* came '0 9999 h#'": "0 9999 h#\n",
    "and one of 61 phones, came '0 900 zz'": "0 900 zz\n",
    "holds no phones": "",
    "byte 2: no ASCII": "0 é h#",
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str, timit: Path) -> None:
    (timit / "TIMIT/TRAIN/DR1/FCJF0/SX1.PHN").write_text(BAD[message], "utf-8")
    with pytest.raises(DataError, match=message):
        load_timit(timit, whole=False)


def test_refuses_what_is_missing_or_foreign(timit: Path) -> None:
    with pytest.raises(DataError, match="wanted TIMIT's folder, came none; it is to be had from the LDC"):
        load_timit(timit / "no")
    wav = timit / "TIMIT/TRAIN/DR1/FCJF0/SX1.WAV"
    wav.write_bytes(sphere().replace(b"16000", b"8000 "))
    with pytest.raises(DataError, match="wanted 16000 Hz, came 8000"):
        load_timit(timit, whole=False)
    wav.write_bytes(sphere()[:-2])
    with pytest.raises(DataError, match="truncated: the header says 6400 frames, there are 6399"):
        load_timit(timit, whole=False)
    wav.write_bytes(sphere())
    (timit / "TIMIT/TRAIN/DR1/FCJF0/SX1.PHN").unlink()
    with pytest.raises(DataError, match=r"sx1.phn: is not there"):
        load_timit(timit, whole=False)


def test_damaged_phones_are_phones_or_a_data_error(timit: Path) -> None:
    path = timit / "TIMIT/TRAIN/DR1/FCJF0/SX1.PHN"
    for data in damaged_copies([PHN.encode()], 250):
        path.write_bytes(data)
        try:
            segments = load_timit(timit, whole=False).train[0].segments
        except DataError:
            continue
        assert all(s.start < s.stop <= 0.5 for s in segments)
