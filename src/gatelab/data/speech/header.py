"""What a file of sound says of itself, checked against the bytes that are there.

Decoders are lenient: of a truncated file they return what is left, and say nothing. Here a header is read
before any decoder sees the file, and what it claims is refused where it cannot be true.

Sources: "Multimedia Programming Interface and Data Specifications 1.0", IBM and Microsoft, 1991 (RIFF WAVE);
RFC 9639 (FLAC); "SPeech HEader REsources", NIST (SPHERE).
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from gatelab.errors import DataError

RATES = range(1_000, 768_001)
"""Sample rates that are believed, in Hz."""
CHANNELS = 64
CHUNKS = 10_000
"""The most chunks of a WAV file before its samples."""

PCM, FLOAT, A_LAW, MU_LAW, EXTENSIBLE = 1, 3, 6, 7, 0xFFFE
WIDTHS = {PCM: (8, 16, 24, 32), FLOAT: (32, 64), A_LAW: (8,), MU_LAW: (8,)}
"""Encodings of WAV that are read, with their bits a sample."""
FOREIGN = {
    b"\xff\xd8\xff": "a JPEG picture",
    b"\x89PNG": "a PNG picture",
    b"PK\x03\x04": "a zip archive",
    b"\x1f\x8b": "a gzip file",
    b"OggS": "an Ogg file",
    b"ID3": "an MP3 file",
    b"RIFX": "a big-endian WAV file",
    b"RF64": "a WAV file of more than 4 GiB (RF64)",
    b"ajkg": "a file packed by shorten",
    b"<": "a web page",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself",
}


@dataclass(frozen=True)
class AudioHeader:
    """The size of a recording, as its file says and its length allows.

    Attributes
    ----------
    kind
        ``"WAV"``, ``"FLAC"`` or ``"SPHERE"``.
    rate
        Samples of one channel a second, Hz.
    channels, frames
        A frame is one sample of every channel.
    start
        The byte at which samples begin; of FLAC, at which its blocks do.
    """

    kind: str
    rate: int
    channels: int
    frames: int
    start: int


def read_audio_header(file: IO[bytes], size: int, place: str) -> AudioHeader:
    """Return the header of a WAV, FLAC or SPHERE file, and leave the file at its beginning.

    Parameters
    ----------
    file
        The file, open for reading at its beginning.
    size
        Its bytes.
    place
        What messages call it.

    Raises
    ------
    DataError
        It is empty, foreign or damaged, its encoding is not read here, or it is shorter than its header says.

    Examples
    --------
    >>> import io
    >>> read_audio_header(io.BytesIO(b"OggS..."), 7, "a.wav")
    Traceback (most recent call last):
    gatelab.errors.DataError: a.wav: wanted a WAV, FLAC or SPHERE file, came an Ogg file; try ...
    """
    head = file.read(64)
    if head[:4] == b"RIFF" and head[8:12] == b"WAVE":
        header = _wav(file, size, place)
    elif head[:4] == b"fLaC":
        header = _flac(head, size, place)
    elif head[:7] == b"NIST_1A":
        header = _sphere(file, size, place)
    else:
        raise DataError(f"{place}: wanted a WAV, FLAC or SPHERE file, came {_foreign(head)}")
    if header.rate not in RATES or not 1 <= header.channels <= CHANNELS:
        raise DataError(
            f"{place}: damaged header: wanted {RATES[0]} to {RATES[-1]} Hz and 1 to {CHANNELS} channels, "
            f"came {header.rate} Hz and {header.channels} channels; try to fetch the file again"
        )
    if header.frames < 1:
        raise DataError(f"{place}, byte {header.start}: holds no samples; try to leave the file out")
    file.seek(0)
    return header


def _foreign(head: bytes) -> str:
    if not head:
        return "an empty file; try to fetch it again"
    known = next((what for mark, what in FOREIGN.items() if head.startswith(mark)), None)
    return f"{known or f'a file that begins with {head[:8]!r}'}; try to convert it to WAV"


def _truncated(place: str, at: int, wanted: int, came: int) -> DataError:
    return DataError(
        f"{place}, byte {at}: truncated: the header says {wanted} frames, there are {came}; "
        "try to fetch or to write the file again"
    )


def _damaged(place: str, at: int, what: str) -> DataError:
    return DataError(f"{place}, byte {at}: damaged header: {what}; try to fetch the file again")


def _chunks(file: IO[bytes], size: int, place: str) -> Iterator[tuple[bytes, int, int]]:
    """Yield name, place and bytes of the chunks of a RIFF file; every second one begins at an even byte."""
    at = 12
    for _ in range(CHUNKS):
        if at + 8 > size:
            raise _damaged(place, min(at, size), "the chunk 'data' is missing")
        file.seek(at)
        name, length = struct.unpack("<4sI", file.read(8))
        yield name, at + 8, length
        at += 8 + length + length % 2
    raise _damaged(place, at, f"more than {CHUNKS} chunks")


def _wav(file: IO[bytes], size: int, place: str) -> AudioHeader:
    form: tuple[int, int, int] | None = None
    for name, at, length in _chunks(file, size, place):
        if name == b"fmt ":
            form = _wav_form(file.read(min(length, 40)), at, place)
        elif name == b"data":
            if form is None:
                raise _damaged(place, at, "the chunk 'fmt ' does not come before 'data'")
            channels, rate, width = form
            if length > size - at:
                raise _truncated(place, at, length // width, (size - at) // width)
            if length % width:
                raise _damaged(place, at, f"{length} bytes of samples are no whole frames of {width} bytes")
            return AudioHeader("WAV", rate, channels, length // width, at)
    raise AssertionError("the walk over chunks ends in a return or an error")


def _wav_form(chunk: bytes, at: int, place: str) -> tuple[int, int, int]:
    """Return channels, rate and bytes a frame."""
    if len(chunk) < 16:
        raise _damaged(place, at, f"wanted 16 bytes of format, came {len(chunk)}")
    tag, channels, rate, _, width, bits = struct.unpack("<HHIIHH", chunk[:16])
    if tag == EXTENSIBLE and len(chunk) == 40:
        tag = struct.unpack("<H", chunk[24:26])[0]
    if bits not in WIDTHS.get(tag, ()):
        raise DataError(
            f"{place}, byte {at}: wanted PCM, float, A-law or μ-law, came encoding {tag:#06x} of {bits} "
            "bits; try to convert it to 16 bit PCM"
        )
    if channels == 0 or width != channels * bits // 8:
        raise _damaged(place, at, f"{channels} channels of {bits} bits are not {width} bytes a frame")
    return channels, rate, width


def _flac(head: bytes, size: int, place: str) -> AudioHeader:
    """Read STREAMINFO; that the frames are there is seen only as they are decoded."""
    if size < 42 or head[4] & 0x7F or int.from_bytes(head[5:8], "big") != 34:
        raise _damaged(place, min(size, 4), "wanted 34 bytes of STREAMINFO")
    word = int.from_bytes(head[18:26], "big")  # rate 20 bits, channels − 1 3, bits − 1 5, frames 36
    rate, channels, frames = word >> 44, (word >> 41 & 7) + 1, word & (1 << 36) - 1
    if not frames:
        raise DataError(
            f"{place}, byte 21: the header does not say how many frames there are, or there are none; "
            "try to write the file again with the flac tool"
        )
    return AudioHeader("FLAC", rate, channels, frames, 42)


def _sphere(file: IO[bytes], size: int, place: str) -> AudioHeader:
    file.seek(0)
    found = re.match(rb"NIST_1A\n *(\d{1,5})\n", file.read(16))
    start = int(found[1]) if found else 0
    if not 16 < start <= size:
        raise _damaged(place, 8, f"wanted a header of 17 to {size} bytes, came {start}")
    text = file.read(start - 16).partition(b"end_head")[0]
    fields = dict(re.findall(rb"(?m)^(\w+) -(?:i|r|s\d+) ([^\n;]*)", text))
    coding = fields.get(b"sample_coding", b"pcm").strip().decode("ascii", "replace")
    if coding not in ("pcm", "ulaw", "mu-law", "alaw"):
        raise DataError(f"{place}, byte 16: wanted plain samples, came coding {coding[:60]!r}; try sph2pipe")
    channels = _number(fields, b"channel_count", place, 1)
    frames, rate, width = (
        _number(fields, name, place) for name in (b"sample_count", b"sample_rate", b"sample_n_bytes")
    )
    if width not in (1, 2, 3, 4) or not 1 <= channels <= CHANNELS:
        raise _damaged(place, 16, f"{channels} channels of {width} bytes a sample")
    there = (size - start) // (width * channels)
    if frames > there:
        raise _truncated(place, start, frames, there)
    return AudioHeader("SPHERE", rate, channels, frames, start)


def _number(fields: dict[bytes, bytes], name: bytes, place: str, default: int | None = None) -> int:
    value = fields.get(name, b"" if default is None else b"%d" % default).strip()
    if not re.fullmatch(rb"\d{1,12}", value):
        raise _damaged(place, 16, f"wanted a whole number as {name.decode()}, came {value[:20]!r}")
    return int(value)
