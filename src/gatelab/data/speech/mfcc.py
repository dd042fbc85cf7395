"""Mel-frequency cepstral coefficients as Kaldi computes them: what speech recognisers with gates were fed.

Each 10 ms a window of 25 ms becomes 39 numbers: the logarithm of its energy and 12 cepstra, then the first
differences of these 13, then the second. Nothing is random (Kaldi's dither is off), so the same samples give
the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import DataError

WINDOW, HOP = 0.025, 0.010
"""Seconds of a window, and from one to the next."""
CEPSTRA = 13
"""The logarithm of the energy, and 12 cepstra."""
INPUTS = 3 * CEPSTRA
SPEECH_RATES = range(8_000, 192_001)
"""Sample rates at which each of the 23 mel bins has a line of the spectrum, Hz."""

REACH = 2
_FIRST = np.arange(-REACH, REACH + 1) / 10  # the slope of the line through five frames: j / Σ j²
_SECOND = np.convolve(_FIRST, _FIRST)


def mfcc(samples: NDArray[np.float32], rate: int, name: str = "recording") -> NDArray[np.float32]:
    """Return log-energy, 12 MFCC and their first and second differences.

    Kaldi's defaults without dither: the mean of each window is removed, its log-energy taken, pre-emphasis
    0.97, Povey's window, 23 mel bins from 20 Hz to half the rate, liftering 22, only whole windows
    (``snip_edges``). Samples count in units of 16 bits, as there.

    Parameters
    ----------
    samples
        ``[frames]`` in [−1, 1].
    rate
        Hz, 8,000 to 192,000.
    name
        What messages call the recording.

    Returns
    -------
    NDArray
        ``[T, 39]``: log-energy, c1 … c12, Δ of these 13, ΔΔ of these 13. T is :func:`frame_count`.

    Raises
    ------
    DataError
        The recording is shorter than a window, not finite, or its rate is impossible for speech.

    Examples
    --------
    >>> tone = (0.5 * np.sin(np.arange(16_000) * 0.3)).astype(np.float32)
    >>> mfcc(tone, 16_000).shape
    (98, 39)

    Notes
    -----
    S. B. Davis and P. Mermelstein, "Comparison of Parametric Representations for Monosyllabic Word
    Recognition", 1980; D. Povey et al., "The Kaldi Speech Recognition Toolkit", 2011 (compute-mfcc-feats,
    add-deltas).
    """
    frames = frame_count(len(samples), rate, name)
    finite = np.isfinite(samples)
    if not finite.all():
        raise DataError(f"{name}, frame {finite.argmin()}: wanted finite samples; try to leave it out")
    import kaldi_native_fbank as fbank

    options = fbank.MfccOptions()
    options.frame_opts.samp_freq = rate
    options.frame_opts.dither = 0
    computer = fbank.OnlineMfcc(options)
    computer.accept_waveform(rate, samples * np.float32(32768))  # type: ignore[arg-type]  # an array will do
    computer.input_finished()
    assert computer.num_frames_ready == frames
    static = np.empty((frames, CEPSTRA), np.float32)
    for frame in range(frames):
        static[frame] = computer.get_frame(frame)
    return np.concatenate([static, differences(static)], axis=1)


def frame_count(samples: int, rate: int, name: str = "recording") -> int:
    """Return how many whole windows a recording has: 1 + ⌊(samples − window) / hop⌋.

    Raises
    ------
    DataError
        Not even one, or the rate is impossible for speech.

    Examples
    --------
    >>> frame_count(16_000, 16_000)
    98
    """
    if rate not in SPEECH_RATES:
        wanted = f"{SPEECH_RATES[0]} to {SPEECH_RATES[-1]} Hz"
        raise DataError(f"{name}: wanted {wanted}, came {rate}; try read_audio(…, rate=16000)")
    window, hop = rate * 25 // 1000, rate * 10 // 1000
    if samples < window:
        raise DataError(
            f"{name}: wanted at least one window of {1000 * WINDOW:.0f} ms ({window} samples), came "
            f"{samples} samples; try to leave it out"
        )
    return 1 + (samples - window) // hop


def stacked(features: NDArray[Any], count: int) -> NDArray[Any]:
    """Return features ``[T, F]`` with ``count`` frames joined to one, ``[⌈T / count⌉, count F]``.

    The last frame is repeated until the last step is full. Source: Sak, Senior, Rao and Beaufays 2015, Fast
    and accurate recurrent neural network acoustic models for speech recognition, arXiv:1507.06947.

    Examples
    --------
    >>> stacked(np.array([[1, 2], [3, 4], [5, 6]]), 2)
    array([[1, 2, 3, 4],
           [5, 6, 5, 6]])
    """
    spare = -len(features) % count
    filled = np.pad(features, ((0, spare), (0, 0)), mode="edge")
    return filled.reshape(len(filled) // count, count * features.shape[1])


def differences(features: NDArray[Any]) -> NDArray[np.float32]:
    """Return first and second differences of features ``[T, F]``, as ``[T, 2F]``.

    The first difference at t is the slope of the line fitted to frames t − 2 … t + 2; the second is the slope
    of the slopes, as one filter of nine frames. Beyond its ends a recording repeats its last frame.

    Examples
    --------
    >>> differences(np.arange(9.0)[:, None] ** 2)[4].round(3)
    array([8., 2.], dtype=float32)
    """
    steps, reach = len(features), 2 * REACH
    padded = np.pad(features.astype(np.float32, copy=False), ((reach, reach), (0, 0)), mode="edge")
    made = []
    for filter_ in (_FIRST, _SECOND):
        start = reach - len(filter_) // 2
        total = np.zeros(features.shape, np.float32)
        for at, weight in enumerate(filter_, start):
            total += np.float32(weight) * padded[at : at + steps]
        made.append(total)
    return np.concatenate(made, axis=1)
