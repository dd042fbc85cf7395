"""Piano rolls as sound: a small synthesiser of struck strings, and WAV files."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from gatelab.data.notes import KEYS, LOWEST
from gatelab.errors import ConfigError, ShapeError

Samples = NDArray[np.float32]

PARTIALS = 10
"""The most partial tones of a note; those near half the sampling rate are left out."""
ATTACK, RELEASE = 0.006, 0.09
"""Seconds in which a note rises, and in which it dies away after its last step."""
PEAK = 0.89
"""The largest sample, −1 dB."""
LONGEST_NOTE = 12.0
"""Seconds after which a note that is still held is silent."""
LONGEST_SOUND = 3600.0


def synthesise(roll: NDArray[np.uint8], seconds_per_step: float = 0.25, rate: int = 22_050) -> Samples:
    """Return the sound of a piano roll.

    1. A key that is on in neighbouring steps is one note of frequency f = 440 · 2^((MIDI − 69) / 12) Hz.
    2. Its wave is the sum of partials k f, k = 1 … 10, of amplitude k^−1.4, that decay the faster the higher
       they are; it rises within 6 ms, and dies away within 90 ms after its last step.
    3. It is as loud as one of n independent voices, 1 / √n, n the keys that are on when it begins.
    4. The whole is scaled to a largest sample of 0.89, so nothing is clipped.

    Parameters
    ----------
    roll
        ``[T, 88]``, a key is on where it is not 0; column k is MIDI note k + 21.
    seconds_per_step
        Seconds, 0.01 to 10; an eighth at 120 beats a minute has 0.25.
    rate
        Samples a second, 8,000 to 96,000.

    Returns
    -------
    Samples
        float32 in [−0.89, 0.89], one channel, 90 ms longer than the roll; silence where the roll is silent.

    Raises
    ------
    ShapeError
        The roll is not ``[T, 88]`` with T ≥ 1.
    ConfigError
        Speed or rate are impossible, or the sound would be longer than an hour.

    Examples
    --------
    >>> import numpy as np
    >>> a4 = np.eye(88, dtype=np.uint8)[[69 - 21] * 4]
    >>> sound = synthesise(a4, rate=22_050)
    >>> len(sound), sound.dtype, int(np.abs(np.fft.rfft(sound, 22_050)).argmax())  # Hz
    (24034, dtype('float32'), 440)
    """
    _check(roll, seconds_per_step, rate)
    on = np.asarray(roll) != 0
    lines = np.rint(np.arange(len(on) + 1) * seconds_per_step * rate).astype(np.int64)  # samples
    release = int(RELEASE * rate)
    sound = np.zeros(int(lines[-1]) + release, np.float32)
    fall = _fall(release)
    loudness = 1 / np.sqrt(np.maximum(on.sum(axis=1), 1))
    for key, notes in _notes(on):
        begin, end = (
            lines[notes[:, 0]],
            np.minimum(lines[notes[:, 1]], lines[notes[:, 0]] + int(LONGEST_NOTE * rate)),
        )
        tone = _tone(key, int((end - begin).max()) + release, rate)
        for at, stop, step in zip(begin.tolist(), end.tolist(), notes[:, 0].tolist(), strict=True):
            held = stop - at
            sound[at:stop] += loudness[step] * tone[:held]
            sound[stop : stop + release] += loudness[step] * tone[held : held + release] * fall
    largest = float(np.abs(sound).max())
    return sound * np.float32(PEAK / largest) if largest else sound


def _check(roll: NDArray[np.uint8], seconds_per_step: float, rate: int) -> None:
    if roll.ndim != 2 or roll.shape[1] != KEYS or not len(roll):
        raise ShapeError(
            f"wanted a roll [T, {KEYS}], T ≥ 1, came {list(roll.shape)}; try one row a time step"
        )
    if not 0.01 <= seconds_per_step <= 10:
        raise ConfigError(f"seconds_per_step: wanted 0.01 to 10, came {seconds_per_step}; try 0.25")
    if not 8_000 <= rate <= 96_000:
        raise ConfigError(f"rate: wanted 8,000 to 96,000 samples a second, came {rate}; try 22050")
    if len(roll) * seconds_per_step > LONGEST_SOUND:
        came = len(roll) * seconds_per_step
        raise ConfigError(f"wanted at most an hour of sound, came {came:,.0f} s; try a part of the roll")


def _notes(on: NDArray[np.bool_]) -> list[tuple[int, NDArray[np.int64]]]:
    """Return for each key that sounds its notes, ``[N, 2]``: first step, and the step after the last."""
    edges = np.diff(np.pad(on, ((1, 1), (0, 0))).astype(np.int8), axis=0)  # [T + 1, 88]
    return [
        (
            int(key),
            np.stack([np.flatnonzero(edges[:, key] == 1), np.flatnonzero(edges[:, key] == -1)], axis=1),
        )
        for key in np.flatnonzero(on.any(axis=0))
    ]


def _tone(key: int, length: int, rate: int) -> Samples:
    """Return a key that is struck and held, ``[length]``: its notes are beginnings of it.

    The sines of a partial are made by turning one complex number on, block after block, which costs a
    product in place of a sine.
    """
    frequency = 440 * 2 ** ((key + LOWEST - 69) / 12)
    tone = np.zeros(length, np.float32)
    for partial in range(1, PARTIALS + 1):
        if partial * frequency > 0.45 * rate:
            break
        decay = (0.6 + 0.5 * partial) * (frequency / 440) ** 0.5  # 1 / s
        tone += np.float32(partial**-1.4) * _decaying(partial * frequency / rate, decay / rate, length)
    rise = min(int(ATTACK * rate), length)
    tone[:rise] *= _fall(rise)[::-1]
    return tone


def _decaying(cycles: float, decay: float, length: int, block: int = 4096) -> Samples:
    """Return exp(−decay t) sin(2π cycles t) for t = 0 … length − 1, samples."""
    turn = 2j * np.pi * cycles - decay
    first = np.exp(turn * np.arange(min(block, length))).astype(np.complex64)
    starts = np.exp(turn * np.arange(0, length, block)).astype(np.complex64)
    wave: Samples = np.outer(starts, first).imag.reshape(-1)[:length]
    return wave


def _fall(length: int) -> Samples:
    """Return half a cosine, from nearly 1 to nearly 0."""
    return (0.5 + 0.5 * np.cos(np.pi * (np.arange(length) + 0.5) / max(length, 1))).astype(np.float32)
