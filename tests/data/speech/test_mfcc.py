"""The coefficients against a plain reading of Kaldi's recipe, and the differences against numpy's fit."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from gatelab.data.speech.mfcc import INPUTS, differences, frame_count, mfcc, stacked
from gatelab.errors import DataError

DRAW = np.random.default_rng(3)
VOICE = np.cumsum(DRAW.normal(size=20_000))
VOICE = (0.8 * (VOICE - VOICE.mean()) / np.abs(VOICE - VOICE.mean()).max()).astype(np.float32)


def mel(hertz: NDArray[np.float64]) -> NDArray[np.float64]:
    return 1127 * np.log(1 + hertz / 700)


def plain_mfcc(samples: NDArray[np.float32], rate: int) -> NDArray[np.float64]:
    """Compute 13 columns as compute-mfcc-feats does with dither 0, in float64 and step by step."""
    width, hop = rate * 25 // 1000, rate // 100
    size = 1 << (width - 1).bit_length()
    rows = np.lib.stride_tricks.sliding_window_view(samples * 32768.0, width)[::hop]
    rows = rows - rows.mean(axis=1, keepdims=True)
    energy = np.log(np.maximum(np.square(rows).sum(axis=1), np.finfo(np.float32).eps))
    rows = np.concatenate([rows[:, :1] * (1 - 0.97), rows[:, 1:] - 0.97 * rows[:, :-1]], axis=1)
    rows = rows * (0.5 - 0.5 * np.cos(2 * np.pi * np.arange(width) / (width - 1))) ** 0.85
    power = np.abs(np.fft.rfft(rows, size)[:, : size // 2]) ** 2
    edges = np.linspace(mel(np.array(20.0)), mel(np.array(rate / 2)), 25)
    lines = mel(np.arange(size // 2) * rate / size)[:, None]
    up, down = (lines - edges[:-2]) / (edges[1] - edges[0]), (edges[2:] - lines) / (edges[1] - edges[0])
    bins = np.log(np.maximum(power @ np.maximum(0, np.minimum(up, down)), np.finfo(np.float32).eps))
    order = np.arange(1, 13)
    cosine = np.sqrt(2 / 23) * np.cos(np.pi / 23 * (np.arange(23)[:, None] + 0.5) * order)
    return np.concatenate([energy[:, None], bins @ cosine * (1 + 11 * np.sin(np.pi * order / 22))], axis=1)


@pytest.mark.parametrize("rate", [8_000, 16_000, 22_050])
def test_the_first_columns_are_kaldis(rate: int) -> None:
    made = mfcc(VOICE, rate)
    assert made.shape == (frame_count(len(VOICE), rate), INPUTS)
    assert made.dtype == np.float32
    if rate % 1000 == 0:  # elsewhere Kaldi's window is no whole number of samples
        np.testing.assert_allclose(made[:, :13], plain_mfcc(VOICE, rate), atol=5e-3)


def test_the_other_columns_are_their_differences() -> None:
    made = mfcc(VOICE, 16_000)
    assert np.array_equal(made[:, 13:], differences(made[:, :13]))
    slopes = [np.polyfit(np.arange(-2, 3), made[t - 2 : t + 3, :13], 1)[0] for t in range(2, len(made) - 2)]
    np.testing.assert_allclose(made[2:-2, 13:26], slopes, atol=1e-4)
    again = [np.polyfit(np.arange(-2, 3), made[t - 2 : t + 3, 13:26], 1)[0] for t in range(4, len(made) - 4)]
    np.testing.assert_allclose(made[4:-4, 26:], again, atol=1e-4)


def test_differences_are_those_of_the_library() -> None:
    fbank = pytest.importorskip("kaldi_native_fbank")
    if not hasattr(fbank, "compute_deltas"):
        pytest.skip("this version of kaldi-native-fbank has no compute_deltas")
    for length in (1, 2, 5, 40):
        features = DRAW.normal(size=(length, 7)).astype(np.float32)
        wanted = fbank.compute_deltas(fbank.DeltaOptions(order=2, window=2), features)
        np.testing.assert_allclose(differences(features), wanted[:, 7:], atol=1e-6)


def test_nothing_is_random_and_silence_is_finite() -> None:
    assert np.array_equal(mfcc(VOICE, 16_000), mfcc(VOICE.copy(), 16_000))
    quiet = np.full(1000, 0.25, np.float32)  # a constant, which is silence once its mean is removed
    assert np.isfinite(mfcc(quiet, 16_000)).all()


@pytest.mark.parametrize("samples", [400, 401, 559, 560, 16_000])
def test_counts_whole_windows(samples: int) -> None:
    assert len(mfcc(VOICE[:samples], 16_000)) == 1 + (samples - 400) // 160 == frame_count(samples, 16_000)


def test_refuses_what_is_too_short_or_no_speech() -> None:
    with pytest.raises(
        DataError, match=r"ru_1: wanted at least one window of 25 ms \(400 samples\), came 399"
    ):
        mfcc(VOICE[:399], 16_000, "ru_1")
    with pytest.raises(DataError, match=r"a.wav: wanted 8000 to 192000 Hz, came 4000"):
        mfcc(VOICE, 4000, "a.wav")
    broken = VOICE.copy()
    broken[8_000] = np.nan
    with pytest.raises(DataError, match="frame 8000: wanted finite samples"):
        mfcc(broken, 16_000, "a.wav")


@pytest.mark.parametrize(("frames", "count", "steps"), [(7, 3, 3), (6, 3, 2), (2, 5, 1), (4, 1, 4)])
def test_stacked_frames_hold_all_that_was_there_and_repeat_the_last(
    frames: int, count: int, steps: int
) -> None:
    made = stacked(VOICE[: frames * 2].reshape(frames, 2), count)
    assert made.shape == (steps, 2 * count)
    rows = made.reshape(-1, 2)
    assert np.array_equal(rows[:frames], VOICE[: frames * 2].reshape(frames, 2))
    assert (rows[frames:] == rows[frames - 1]).all()
