"""Small data folders as Kaldi's recipes make them, and everything that must not pass or run."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from damage import damaged_copies
from gatelab.data.speech.audio import write_wav
from gatelab.data.speech.kaldi import read_alignment, read_kaldi
from gatelab.errors import DataError

TONE = (0.5 * np.sin(np.arange(16_000) / 5)).astype(np.float32)
FEATURES = np.random.default_rng(2).normal(size=(98, 13)).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of two recordings and three utterances, with features of each."""
    for name in ("one", "two"):
        (tmp_path / "sounds").mkdir(exist_ok=True)
        write_wav(tmp_path / "sounds" / f"{name}.wav", TONE, 16_000)
    (tmp_path / "wav.scp").write_text(f"rec1 sounds/one.wav\nrec2\t{tmp_path}/sounds/two.wav\n")
    (tmp_path / "segments").write_text("utt-b rec1 0.5 0.75\nutt-a rec1 0 0.5\nutt-c rec2 0.25 -1\n")
    (tmp_path / "text").write_text("utt-a ДА нет\nutt-b\nutt-c yes\n", "utf-8")
    (tmp_path / "utt2spk").write_text("utt-a ann\nutt-b ann\nutt-c bob\n")
    body, lines = b"", ""
    for key, shift in (("utt-a", 0), ("utt-b", 1), ("utt-c", 2)):
        body += key.encode() + b" "
        lines += f"{key} feats.ark:{len(body)}\n"
        body += (
            b"\0BFM \4" + struct.pack("<i", 98) + b"\4" + struct.pack("<i", 13) + (FEATURES + shift).tobytes()
        )
    (tmp_path / "feats.ark").write_bytes(body)
    (tmp_path / "feats.scp").write_text(lines)
    return tmp_path


def test_a_whole_folder(folder: Path) -> None:
    data = read_kaldi(folder)
    assert [(u.id, u.speaker, u.text) for u in data.utterances] == [
        ("utt-a", "ann", "ДА нет"),
        ("utt-b", "ann", ""),
        ("utt-c", "bob", "yes"),
    ]
    assert (data.speakers, data.source, len(data.digest)) == (("ann", "bob"), str(folder), 64)
    whole = np.rint(TONE * 32768) / 32768
    for utterance, (start, stop) in zip(
        data.utterances, [(0, 8000), (8000, 12000), (4000, 16000)], strict=True
    ):
        assert np.array_equal(utterance.read_sound().samples, whole[start:stop].astype(np.float32))
    for shift, utterance in enumerate(data.utterances):
        assert np.array_equal(utterance.read_features(), FEATURES + shift)


def test_recordings_alone_and_features_alone(folder: Path) -> None:
    everything = read_kaldi(folder)
    for name in ("segments", "text", "utt2spk"):
        (folder / name).rename(folder / f"{name}.away")
    (folder / "feats.scp").rename(folder / "feats.away")
    recordings = read_kaldi(folder)
    assert [(u.id, u.read_sound().frames) for u in recordings.utterances] == [
        ("rec1", 16_000),
        ("rec2", 16_000),
    ]
    assert recordings.digest != everything.digest
    with pytest.raises(DataError, match=r"its folder has no feats.scp"):
        recordings.utterances[0].read_features()
    (folder / "feats.away").rename(folder / "feats.scp")
    (folder / "wav.scp").unlink()
    features = read_kaldi(folder)
    assert [u.id for u in features.utterances] == ["utt-a", "utt-b", "utt-c"]
    with pytest.raises(DataError, match=r"its folder has no wav.scp"):
        features.utterances[0].read_sound()


def test_paths_begin_at_the_root(folder: Path) -> None:
    (folder / "data").mkdir()
    for name in ("wav.scp", "segments"):
        (folder / name).rename(folder / "data" / name)
    assert read_kaldi(folder / "data", root=folder).utterances[0].read_sound().frames == 8000


@pytest.mark.parametrize("command", ["touch {mark} |", "| touch {mark}", "cat x.wav | touch {mark} |"])
def test_a_command_is_never_run(command: str, folder: Path) -> None:
    mark = folder / "ran"
    (folder / "wav.scp").write_text("rec1 " + command.format(mark=mark) + "\nrec2 sounds/two.wav\n")
    with pytest.raises(DataError, match=r"wav.scp, rec1: is a command .* never run here"):
        read_kaldi(folder)
    (folder / "wav.scp").write_text("rec1 sounds/one.wav\nrec2 sounds/two.wav\n")
    (folder / "feats.scp").write_text("utt-a " + command.format(mark=mark) + "\n")
    with pytest.raises(DataError, match=r"feats.scp, utt-a: wanted ARCHIVE:OFFSET"):
        read_kaldi(folder)
    assert not mark.exists()


BAD = {
    "wav.scp, rec1: wanted the path of a sound file, came '-'": ("wav.scp", "rec1 -\n"),
    "came 'x.ark:12'": ("wav.scp", "rec1 x.ark:12\n"),
    "line 2: wanted a new name, came 'rec1' a second time": ("wav.scp", "rec1 a\nrec1 b\n"),
    "line 2: wanted a new name, came an empty line": ("wav.scp", "rec1 a\n\nrec2 b\n"),
    "wav.scp: holds no line": ("wav.scp", ""),
    "segments, utt-a: wanted a recording .* came 'rec9 0 1'": ("segments", "utt-a rec9 0 1\n"),
    "came 'rec1 1 0.5'": ("segments", "utt-a rec1 1 0.5\n"),
    "came 'rec1 0 nan'": ("segments", "utt-a rec1 0 nan\n"),
    "came 'rec1 -1 2'": ("segments", "utt-a rec1 -1 2\n"),
    "came 'rec1 0 1 2'": ("segments", "utt-a rec1 0 1 2\n"),
    "came 'rec1'": ("segments", "utt-a rec1\n"),
    "text: 1 utterances are in one table only: 'utt-c' is not there": ("text", "utt-a x\nutt-b y\n"),
    "utt2spk: 1 .* 'utt-z' is only there": ("utt2spk", "utt-a x\nutt-b y\nutt-c y\nutt-z y\n"),
    "feats.scp, utt-a: wanted ARCHIVE:OFFSET, without ranges": ("feats.scp", "utt-a feats.ark:6[0:3]\n"),
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str, folder: Path) -> None:
    file, text = BAD[message]
    (folder / file).write_text(text)
    with pytest.raises(DataError, match=message) as caught:
        read_kaldi(folder)
    assert "try" in str(caught.value)


def test_refuses_what_the_files_do_not_hold(folder: Path, tmp_path: Path) -> None:
    (folder / "text").write_bytes(b"utt-a \xff\n")
    with pytest.raises(DataError, match="text, byte 6: no UTF-8"):
        read_kaldi(folder)
    (folder / "text").unlink()
    (folder / "segments").write_text("utt-a rec1 0 1.4\nutt-b rec1 0 1.6\nutt-c rec2 1 1.2\n")
    (folder / "feats.scp").write_text("utt-a feats.ark:7\nutt-b feats.ark:99999\nutt-c ali.ark:2\n")
    (folder / "ali.ark").write_text("a 1 2 3\n")
    overshot, late, behind = read_kaldi(folder).utterances
    assert overshot.read_sound().frames == 16_000
    for utterance in (late, behind):
        with pytest.raises(DataError, match=r"one.wav: ends at 1.0 s|two.wav: ends at 1.0 s"):
            utterance.read_sound()
    for utterance, reason in zip(
        (overshot, late, behind), ("wanted", "a value at byte", "came int32 of shape"), strict=True
    ):
        with pytest.raises(DataError, match=reason):
            utterance.read_features()
    with pytest.raises(DataError, match=r"wanted wav.scp or feats.scp, came neither"):
        read_kaldi(folder / "sounds")


def test_alignments(tmp_path: Path) -> None:
    text, binary = tmp_path / "ali.txt", tmp_path / "ali.ark"
    text.write_text("utt-a 4 4 4 17\nutt-b 2\n")
    body = b"".join(b"\4" + struct.pack("<i", number) for number in (4, 4, 4, 4, 17))
    binary.write_bytes(b"utt-a \0B" + body + b"utt-b \0B\4\1\0\0\0\4\2\0\0\0")
    for path in (text, binary):
        found = read_alignment(path)
        assert {key: values.tolist() for key, values in found.items()} == {
            "utt-a": [4, 4, 4, 17],
            "utt-b": [2],
        }
    text.write_text("utt-a 1\nutt-a 2\n")
    with pytest.raises(DataError, match="wanted whole numbers for utt-a, once, came twice"):
        read_alignment(text)
    text.write_text("utt-a [ 1 2 ]\n")
    with pytest.raises(DataError, match=r"came float32 of shape \(2,\)"):
        read_alignment(text)


def test_a_damaged_folder_is_utterances_or_a_data_error(folder: Path) -> None:
    for name in ("wav.scp", "segments", "text", "utt2spk", "feats.scp", "feats.ark"):
        whole = (folder / name).read_bytes()
        for data in damaged_copies([whole], 80):
            (folder / name).write_bytes(data)
            try:
                for utterance in read_kaldi(folder).utterances:
                    assert 0 < utterance.read_sound().frames <= 16_000
                    assert utterance.read_features().ndim == 2
            except DataError:
                continue
        (folder / name).write_bytes(whole)
