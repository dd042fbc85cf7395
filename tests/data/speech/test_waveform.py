"""Sequences of samples: cut right, split by recording, normalised by what trains, read as needed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gatelab.data.speech.audio import Audio, Recording, open_folder, write_wav
from gatelab.data.speech.waveform import LONG, SHORT, Chunks, step_count, steps, waveform_data
from gatelab.errors import DataError, ShapeError

DRAW = np.random.default_rng(9)


def noise(frames: int, level: float = 0.1) -> np.ndarray:
    return np.clip(0.02 + level * DRAW.normal(size=frames), -1, 1).astype(np.float32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in range(12):
        write_wav(tmp_path / f"r{number:02}.wav", noise(2000 + 170 * number, 0.02 * (number + 1)), 8000)
    return tmp_path


def test_counts_steps_as_the_paper_needs_them() -> None:
    assert (step_count(SHORT), step_count(LONG), step_count(30), step_count(39), step_count(40)) == (
        48, 798, 1, 1, 2,
    )  # fmt: skip
    with pytest.raises(ShapeError, match="at least 30 samples, came 29"):
        step_count(29)


def test_steps_see_twenty_and_predict_the_next_ten() -> None:
    sequences = DRAW.normal(size=(3, 500))
    inputs, targets = steps(sequences)
    assert (inputs.shape, targets.shape) == ((3, 48, 20), (3, 48, 10))
    for t in range(48):
        assert np.array_equal(inputs[:, t], sequences[:, 10 * t : 10 * t + 20])
        assert np.array_equal(targets[:, t], sequences[:, 10 * t + 20 : 10 * t + 30])


def test_chunks_stay_in_their_recording_and_count_the_rest() -> None:
    recordings = tuple(Recording(f"{n}", noise(n), 8000) for n in (1250, 499, 500, 1001))
    chunks = Chunks(recordings, 500)
    assert len(chunks) == 2 + 0 + 1 + 2
    assert chunks.left_out == 250 + 499 + 0 + 1
    wanted = [(0, 0), (0, 500), (2, 0), (3, 0), (3, 500)]
    for chunk, (place, start) in zip(chunks, wanted, strict=True):
        assert np.array_equal(chunk, recordings[place].samples[start : start + 500])
    with pytest.raises(IndexError, match="wanted sequence 5, there are 5"):
        chunks[5]
    few = Chunks(recordings, 500, every=2)
    assert len(few) == 3
    assert all(np.array_equal(few[k], chunks[2 * k]) for k in range(3))
    with pytest.raises(IndexError):
        few[3]


def test_files_are_split_whole_and_normalised_by_what_trains(folder: Path) -> None:
    data = waveform_data(open_folder(folder), 500, (0.6, 0.2, 0.2), seed=3)
    files = [{a.path.name for a in part.recordings if isinstance(a, Audio)} for part in _parts(data)]
    assert sum(map(len, files)) == len(set.union(*files)) == 12
    assert (data.rate, data.length, len(data.digest)) == (8000, 500, 64)
    train = np.concatenate([r.read() for r in data.train.recordings])
    np.testing.assert_allclose(
        (data.scale.mean, data.scale.deviation), (train.mean(), train.std()), rtol=1e-4
    )
    first = data.valid.recordings[0].read(0, 500)
    np.testing.assert_allclose(data.valid[0], (first - train.mean()) / train.std(), atol=1e-4)
    inputs, targets = data.test.batch([1, 0])
    assert np.array_equal(inputs[1], steps(data.test[0])[0])
    assert (inputs.dtype, targets.shape) == (np.float32, (2, 48, 10))


def test_the_same_files_elsewhere_are_the_same_data(folder: Path, tmp_path: Path) -> None:
    recordings = open_folder(folder)
    here = waveform_data(recordings, 500)
    moved = tmp_path / "moved"
    moved.mkdir()
    for recording in recordings:
        recording.path.rename(moved / recording.path.name)
    there = waveform_data(open_folder(moved), 500)
    assert here.digest == there.digest
    assert [a.frames for a in here.test.recordings] == [a.frames for a in there.test.recordings]


def test_speakers_stay_together(folder: Path) -> None:
    speakers = [f"s{n % 4}" for n in range(12)]
    data = waveform_data(open_folder(folder), 500, (0.5, 0.25, 0.25), groups=speakers)
    said = [{int(Path(a.name).stem[1:]) % 4 for a in part.recordings} for part in _parts(data)]
    assert [len(s) for s in said] == [2, 1, 1]
    assert len(set.union(*said)) == 4


def test_refuses_two_rates_and_sequences_that_are_too_long(folder: Path) -> None:
    recordings = open_folder(folder)
    with pytest.raises(DataError, match=r"wanted recordings of one rate, came \[8000, 16000\] Hz"):
        waveform_data([*recordings, Recording("x", noise(900), 16_000)])
    with pytest.raises(DataError, match="holds no sequence of 8000 samples"):
        waveform_data(recordings, LONG)
    with pytest.raises(DataError, match="wanted recordings of one rate, came"):
        waveform_data([])


def _parts(data: object) -> list[Chunks]:
    return [getattr(data, name) for name in ("train", "valid", "test")]
