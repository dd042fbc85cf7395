"""Recordings of sound: WAV, FLAC and SPHERE in, WAV out, whole or in blocks.

Whatever a file holds, samples come as float32 in [−1, 1], one channel: the mean of all. Whole numbers of b
bits are divided by 2^(b−1), so that 16 bits keep every bit. An :class:`Audio` stands for a file of any length
and reads only what is asked for; a :class:`Recording` is in memory. Both are read alike.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data.speech.decoder import Samples, check_range, decode, open_decoder, open_plain, reason_of
from gatelab.data.speech.header import RATES, read_audio_header
from gatelab.data.tree import Tree
from gatelab.errors import DataError, ShapeError
from gatelab.whole import write_whole

SAMPLE_LIMIT = 2**26
"""The most samples that are read at once: 70 minutes at 16 kHz, 256 MiB."""
BLOCK = 2**16
"""Samples of a block, unless another number is asked for."""


@dataclass(frozen=True, eq=False)
class Recording:
    """Samples in memory.

    Attributes
    ----------
    name
        What messages call it.
    samples
        ``[frames]``, float32.
    rate
        Samples a second, Hz.
    """

    name: str
    samples: Samples
    rate: int

    @property
    def frames(self) -> int:
        """Return the number of samples."""
        return len(self.samples)

    def read(self, start: int = 0, stop: int | None = None) -> Samples:
        """Return the samples start … stop − 1; what :meth:`Audio.read` says holds here too."""
        return self.samples[start : _checked_stop(self, start, stop)]

    def blocks(self, size: int = BLOCK) -> Iterator[Samples]:
        """Yield all samples in order, ``size`` at a time; the last block may be shorter."""
        yield from (self.samples[at : at + size] for at in range(0, self.frames, size))


@dataclass(frozen=True)
class Audio:
    """A sound file on disk: its size is known, its samples are read when they are asked for.

    Attributes
    ----------
    path
        Where it lies.
    rate
        Samples a second, Hz.
    frames
        Samples of one channel.
    channels
        How many channels the file has; what is read is their mean.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "tone.wav")
    ...     write_wav(path, np.sin(np.arange(8000) / 3).astype(np.float32), 8000)
    ...     tone = open_audio(path)
    ...     tone.frames, tone.rate, len(tone.read(100, 300)), [len(block) for block in tone.blocks(3000)]
    (8000, 8000, 200, [3000, 3000, 2000])
    """

    path: Path
    rate: int
    frames: int
    channels: int

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return str(self.path)

    def read(self, start: int = 0, stop: int | None = None) -> Samples:
        """Return the samples start … stop − 1, to the end where ``stop`` is None; float32 ``[stop − start]``.

        Raises
        ------
        ShapeError
            The file has no such samples.
        DataError
            More than :data:`SAMPLE_LIMIT` are asked for, or the file is damaged there.
        """
        count = _bounded(_checked_stop(self, start, stop) - start, self.name)
        with open_plain(self.path) as (file, size), open_decoder(file, size, self.name) as decoder:
            return decode(decoder, self.name, start, count)

    def blocks(self, size: int = BLOCK) -> Iterator[Samples]:
        """Yield all samples in order, ``size`` at a time; the last block may be shorter."""
        with open_plain(self.path) as (file, length), open_decoder(file, length, self.name) as decoder:
            for at in range(0, self.frames, size):
                yield decode(decoder, self.name, at, min(size, self.frames - at), seek=False)


def open_audio(path: Path) -> Audio:
    """Return a sound file as something to read from; now only its header is read.

    Raises
    ------
    DataError
        It cannot be read, is no WAV, FLAC or SPHERE file, holds nothing, or is truncated (of FLAC this is
        seen when its end is read).
    """
    with open_plain(path) as (file, size):
        header = read_audio_header(file, size, str(path))
    return Audio(path, header.rate, header.frames, header.channels)


def open_folder(folder: Path) -> tuple[Audio, ...]:
    """Return the files below a folder that end in .wav, .flac or .sph, by name; only headers are read.

    Raises
    ------
    DataError
        There is no such folder or no such file in it, or a file has no sound header.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: wanted a folder of sound files, came none; try another path")
    names = Tree(folder).names(".wav", ".flac", ".sph")
    if not names:
        raise DataError(
            f"{folder}: wanted files that end in .wav, .flac or .sph, came none; try another path"
        )
    return tuple(open_audio(folder / name) for name in names)


def read_audio(source: bytes | Path, name: str | None = None, rate: int | None = None) -> Recording:
    """Return a whole sound file, from its bytes or its path.

    Parameters
    ----------
    source
        The bytes of the file, or where it lies.
    name
        What messages call it; None: its path.
    rate
        The rate to resample to, Hz; None: as it is.

    Raises
    ------
    DataError
        The file is missing, empty, foreign, truncated or damaged, holds NaN or values beyond ±1 (of float
        formats, at the frame that is named), or more than :data:`SAMPLE_LIMIT` samples.

    Examples
    --------
    >>> import io, wave
    >>> file = io.BytesIO()
    >>> with wave.open(file, "wb") as made:
    ...     made.setparams((1, 2, 8000, 0, "NONE", None))
    ...     made.writeframes(bytes([0, 64, 0, 192] * 100))
    >>> recording = read_audio(file.getvalue(), "two.wav")
    >>> recording.samples[:4], recording.rate
    (array([ 0.5, -0.5,  0.5, -0.5], dtype=float32), 8000)
    """
    place = name or (str(source) if isinstance(source, Path) else "sound in memory")
    with open_plain(source) as (file, size), open_decoder(file, size, place) as decoder:
        samples = decode(decoder, place, 0, _bounded(decoder.frames, place))
        recording = Recording(place, samples, decoder.samplerate)
    return recording if rate is None else resample(recording, rate)


def resample(recording: Recording, rate: int) -> Recording:
    """Return a recording at another rate, by a polyphase filter (``scipy.signal.resample_poly``).

    N samples become ⌈N · rate / old rate⌉. Where the signal is near ±1 the filter may overshoot it by a
    little; nothing is clipped.

    Raises
    ------
    DataError
        The rate is impossible, or there would be more than :data:`SAMPLE_LIMIT` samples.
    """
    if rate == recording.rate:
        return recording
    if rate not in RATES:
        raise DataError(
            f"{recording.name}: wanted a rate of {RATES[0]} to {RATES[-1]} Hz, came {rate}; try 16000"
        )
    from scipy.signal import resample_poly  # type: ignore[attr-defined]  # late: few ask for it

    divisor = math.gcd(rate, recording.rate)
    _bounded(-(-recording.frames * rate // recording.rate), recording.name)
    made = resample_poly(recording.samples, rate // divisor, recording.rate // divisor)
    return Recording(recording.name, made.astype(np.float32, copy=False), rate)


def write_wav(path: Path, samples: NDArray[Any], rate: int) -> None:
    """Write one channel of samples in [−1, 1] as WAV of 16 bits: round(32768 x), of which +1 becomes 32767.

    Raises
    ------
    DataError
        A sample is NaN or beyond ±1, none is there, the rate is impossible, or the file cannot be written.
    """
    import soundfile

    found = np.asarray(samples, dtype=np.float64)
    if found.ndim != 1 or not found.size or rate not in RATES:
        raise DataError(f"{path}: wanted samples [frames] and a rate in Hz, came {found.shape} and {rate}")
    check_range(found, str(path), 0)
    whole = np.minimum(np.rint(found * 32768), 32767).astype(np.int16)
    file = io.BytesIO()
    soundfile.write(file, whole, rate, subtype="PCM_16", format="WAV")
    try:
        write_whole(path, file.getvalue())
    except OSError as error:
        raise DataError(f"{path}: cannot be written ({reason_of(error)}); try another folder") from None


def _checked_stop(sound: Audio | Recording, start: int, stop: int | None) -> int:
    stop = sound.frames if stop is None else stop
    if not 0 <= start <= stop <= sound.frames:
        raise ShapeError(f"{sound.name}: wanted samples {start} to {stop}, there are {sound.frames}")
    return stop


def _bounded(count: int, place: str) -> int:
    if count > SAMPLE_LIMIT:
        raise DataError(
            f"{place}: wanted at most {SAMPLE_LIMIT:,} samples at once, came {count:,}; try open_audio, "
            "which reads in blocks"
        )
    return count
