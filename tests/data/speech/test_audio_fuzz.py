"""Whatever happens to a real sound file, it is sound or a DataError, and never more than it holds."""

from __future__ import annotations

import io
import os
from pathlib import Path

import numpy as np
import pytest
import soundfile

from damage import damaged_copies
from gatelab.data.speech.audio import open_audio, read_audio
from gatelab.data.tree import Tree
from gatelab.errors import DataError

KINDS = [
    ("WAV", "PCM_16"), ("WAV", "FLOAT"), ("WAV", "DOUBLE"), ("WAV", "PCM_24"), ("WAVEX", "PCM_16"),
    ("WAV", "ULAW"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"), ("NIST", "PCM_16"),
]  # fmt: skip


@pytest.fixture(scope="module")
def seeds() -> list[bytes]:
    """Return a spoken digit in every kind that is read; a made one where the machine has no real one."""
    archive = Path(os.environ.get("GATELAB_DATA", ""), "fsdd", "recordings.zip")
    if archive.is_file():
        spoken = read_audio(Tree(archive).read("recordings/0_george_0.wav")).samples
    else:
        spoken = np.random.default_rng(1).uniform(-0.7, 0.7, 2384).astype(np.float32)
    files = []
    for form, subtype in KINDS:
        made = io.BytesIO()
        soundfile.write(made, spoken, 8000, format=form, subtype=subtype)
        files.append(made.getvalue())
    return files


def assert_says_where(error: DataError) -> None:
    assert "\n" not in str(error)
    assert "fuzz.wav" in str(error)


def check(data: bytes, path: Path | None) -> None:
    try:
        recording = read_audio(data, "fuzz.wav")
        assert recording.samples.dtype == np.float32
        assert 1 <= recording.frames <= 100 * len(data)
        assert np.abs(recording.samples).max() <= 1
        if path is not None:
            path.write_bytes(data)
            opened = open_audio(path)
            opened.read(opened.frames // 2)
            assert np.array_equal(np.concatenate(list(opened.blocks(700))), recording.samples)
    except DataError as error:
        assert_says_where(error)


def test_a_damaged_file_is_sound_or_a_data_error(seeds: list[bytes], tmp_path: Path) -> None:
    for number, data in enumerate(damaged_copies(seeds, 2000)):
        check(data, tmp_path / "fuzz.wav" if number % 5 == 0 else None)


@pytest.mark.exhaustive
def test_many_damaged_files(seeds: list[bytes], tmp_path: Path) -> None:
    for number, data in enumerate(damaged_copies(seeds, 60_000, seed=2)):
        check(data, tmp_path / "fuzz.wav" if number % 5 == 0 else None)
