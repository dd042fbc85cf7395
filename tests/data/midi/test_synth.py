"""The sound of a roll, heard by its spectrum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.typing import NDArray

from gatelab.data.midi.synth import PEAK, synthesise
from gatelab.errors import ConfigError, ShapeError


def held(*keys: int, steps: int = 8) -> NDArray[np.uint8]:
    roll = np.zeros((steps, 88), np.uint8)
    roll[:, [key - 21 for key in keys]] = 1
    return roll


def spectrum(sound: NDArray[np.floating], rate: int) -> NDArray[np.floating]:
    """Return the amplitudes of frequencies, eight lines a hertz."""
    return np.abs(np.fft.rfft(sound * np.hanning(len(sound)), 8 * rate))


@pytest.mark.parametrize("rate", [22_050, 44_100])
@pytest.mark.parametrize("key", [21, 45, 60, 69, 93, 108])
def test_pitch(key: int, rate: int) -> None:
    wanted = 440 * 2 ** ((key - 69) / 12)
    heard = spectrum(synthesise(held(key), rate=rate), rate).argmax() / 8
    assert heard == pytest.approx(wanted, abs=0.15)


def test_a4_is_440_hz_and_its_partials_are_whole_multiples_of_it() -> None:
    lines = spectrum(synthesise(held(69)), 22_050)
    assert lines.argmax() == 8 * 440
    for partial in (2, 3, 4):
        centre = 8 * 440 * partial
        assert lines[centre - 800 : centre + 800].argmax() == 800
        assert lines[centre] < lines[8 * 440 * (partial - 1)]


def test_length_onset_decay_and_release() -> None:
    rate = 22_050
    roll = np.concatenate([0 * held(60, steps=2), held(60), 0 * held(60, steps=4)])
    sound = synthesise(roll, 0.25, rate)
    assert (len(sound), sound.dtype) == (round(14 * 0.25 * rate) + int(0.09 * rate), np.dtype(np.float32))
    loud = [float(np.abs(part).max()) for part in np.array_split(sound[: 14 * rate // 4], 14)]
    assert loud[:2] == [0, 0]
    assert loud[2] == pytest.approx(PEAK)
    assert np.all(np.diff(loud[2:10]) < 0)
    assert loud[11:] == [0, 0, 0]
    first, last = 2 * rate // 4, 10 * rate // 4 + int(0.09 * rate)
    assert np.abs(sound[[first, last - 1]]).max() < 0.001, "no clicks"


def test_the_voices_of_a_chord_are_softer() -> None:
    roll = np.concatenate([held(48), 0 * held(48), held(48, 52, 55, 64)])
    parts = np.array_split(synthesise(roll)[: 24 * 22_050 // 4], 3)
    one, _, four = (spectrum(part, 22_050)[round(8 * 130.81)] for part in parts)
    assert four == pytest.approx(one / 2, rel=0.1)


def test_a_struck_key_begins_anew() -> None:
    again = held(60, steps=9)
    again[4] = 0
    sound = synthesise(again)
    first, second = sound[:5500], sound[5 * 22_050 // 4 :][:5500]
    assert np.abs(second).max() == pytest.approx(np.abs(first).max(), rel=0.02)


@given(roll=arrays(np.uint8, st.tuples(st.integers(1, 12), st.just(88)), elements=st.integers(0, 1)))
@settings(max_examples=25, deadline=None)
def test_nothing_is_clipped(roll: np.ndarray) -> None:
    sound = synthesise(roll, 0.05, 8_000)
    assert np.isfinite(sound).all()
    assert np.abs(sound).max() == (pytest.approx(PEAK) if roll.any() else 0)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"seconds_per_step": 0}, "seconds_per_step: wanted 0.01 to 10, came 0"),
        ({"seconds_per_step": float("nan")}, "came nan"),
        ({"rate": 4_000}, "rate: wanted 8,000 to 96,000"),
    ],
)
def test_refuses_impossible_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        synthesise(held(60), **options)


def test_refuses_what_is_no_roll_or_too_long() -> None:
    for shape in ((88,), (3, 87), (0, 88)):
        with pytest.raises(ShapeError, match=r"wanted a roll \[T, 88\]"):
            synthesise(np.ones(shape, np.uint8))
    with pytest.raises(ConfigError, match="at most an hour of sound, came 4,000 s"):
        synthesise(held(60, steps=400), 10)
