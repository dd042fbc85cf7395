"""The decoder of sound files, kept on a short lead: what a header claims is checked, what comes out too."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data.speech.header import AudioHeader, read_audio_header
from gatelab.errors import DataError

Samples = NDArray[np.float32]

READ = 2**20
"""Samples, of all channels, that are decoded in one go."""


@contextmanager
def open_plain(source: bytes | Path) -> Iterator[tuple[IO[bytes], int]]:
    """Open a plain file, or bytes, with its size; nothing waits for a pipe or a device."""
    if isinstance(source, bytes):
        yield io.BytesIO(source), len(source)
        return
    try:
        found = source.stat()
        if not stat.S_ISREG(found.st_mode):
            raise DataError(f"{source}: cannot be read (no plain file); try the path of a sound file")
        file = source.open("rb")
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        raise DataError(
            f"{source}: cannot be read ({reason_of(error)}); try the path of a sound file"
        ) from None
    with file:
        yield file, found.st_size


@contextmanager
def open_decoder(file: IO[bytes], size: int, place: str) -> Iterator[Any]:
    """Open a decoder once the header is believed; both must say the same of the file."""
    import soundfile

    header = read_audio_header(file, size, place)
    try:
        if isinstance(file, io.BytesIO):
            decoder = soundfile.SoundFile(file)
        else:
            os.lseek(file.fileno(), 0, os.SEEK_SET)  # a decoder takes where the file stands for its beginning
            decoder = soundfile.SoundFile(file.fileno(), closefd=False)
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise _undecodable(place, 0, error) from None
    with decoder:
        _check_agreement(decoder, header, place)
        yield decoder


def _check_agreement(decoder: Any, header: AudioHeader, place: str) -> None:
    said = header.rate, header.channels, header.frames
    found = decoder.samplerate, decoder.channels, decoder.frames
    if said != found:
        raise DataError(
            f"{place}, byte {header.start}: damaged {header.kind} header: it says (Hz, channels, frames) "
            f"{said}, the decoder finds {found}; try to fetch the file again"
        )


def decode(decoder: Any, place: str, start: int, count: int, seek: bool = True) -> Samples:
    """Return ``count`` frames from ``start`` on as one channel; memory grows as they come, not before."""
    parts: list[Samples] = []
    rows = max(1, READ // decoder.channels)
    try:
        if seek and start:
            decoder.seek(start)
        for at in range(start, start + count, rows):
            wanted = min(rows, start + count - at)
            frames = decoder.read(wanted, dtype="float32", always_2d=True)
            if len(frames) < wanted:
                raise DataError(
                    f"{place}, frame {at + len(frames)}: truncated: wanted {decoder.frames} frames; try to "
                    "fetch the file again"
                )
            if decoder.subtype in ("FLOAT", "DOUBLE"):
                check_range(frames, place, at)
            parts.append(frames[:, 0] if decoder.channels == 1 else frames.mean(axis=1, dtype=np.float32))
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise _undecodable(place, start, error) from None
    return parts[0] if len(parts) == 1 else np.concatenate(parts) if parts else np.zeros(0, np.float32)


def check_range(frames: NDArray[Any], place: str, start: int) -> None:
    """Refuse the first frame with a value that is not in [−1, 1]; NaN is not."""
    legal = np.abs(frames) <= 1
    if not legal.all():
        at = tuple(np.argwhere(~legal)[0])
        raise DataError(
            f"{place}, frame {start + at[0]}: wanted a value in [-1, 1], came {frames[at]}; try to scale the "
            "recording, or to leave it out"
        )


def _undecodable(place: str, start: int, error: Exception) -> DataError:
    return DataError(
        f"{place}, at or after frame {start}: cannot be decoded ({reason_of(error)}); try to fetch it again"
    )


def reason_of(error: Exception) -> str:
    """Return what an error says, in one short line."""
    text = getattr(error, "strerror", None) or getattr(error, "error_string", None) or str(error)
    return " ".join(str(text).split())[:120]
