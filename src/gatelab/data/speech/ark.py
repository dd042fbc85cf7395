"""Kaldi's archives of matrices, vectors and alignments, binary or text, by a reader that believes no size.

An archive is a row of entries: a key, a blank, and a value. Binary values begin with a null byte and ``B``,
then a word that says what follows: ``FM`` and ``DM`` are matrices of float and double, ``FV`` and ``DV``
vectors, ``CM``, ``CM2`` and ``CM3`` compressed matrices; a byte 4 begins a vector of whole numbers, as
alignments are. Text values stand in brackets, or are whole numbers up to the end of the line.

Source: Kaldi's documentation, "Kaldi I/O mechanisms", and the formats that src/matrix and src/util write.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data.speech.decoder import open_plain
from gatelab.errors import DataError

KEY_LIMIT = 1_000
"""The most bytes of a key."""
VALUE_LIMIT = 2**28
"""The most bytes of one value, as it lies in the file."""
TEXT_LIMIT = 2**24
"""The most bytes of a value written as text."""
PLAIN = {b"FM": ("<f4", 2), b"DM": ("<f8", 2), b"FV": ("<f4", 1), b"DV": ("<f8", 1)}
NUMBER = re.compile(rb"[-+]?[0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]{1,3})?|[-+]?[0-9]+\.")

Value = NDArray[Any]


def read_ark(path: Path) -> Iterator[tuple[str, Value]]:
    """Yield the keys and values of an archive, one at a time.

    Values are float32 or float64 ``[rows, columns]`` or ``[length]``, or int32 ``[length]``. Compressed
    matrices come as float32.

    Raises
    ------
    DataError
        It cannot be read, is foreign, truncated or damaged, or a value is not finite or too large.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder, "ali.ark")
    ...     _ = path.write_text("utt1 4 4 7 \\nutt2 9 \\n")
    ...     list(read_ark(path))
    [('utt1', array([4, 4, 7], dtype=int32)), ('utt2', array([9], dtype=int32))]
    """
    with open_plain(path) as (file, size):
        entry = _Entry(file, size, str(path))
        while (key := entry.key()) is not None:
            yield key, entry.value()


def read_ark_at(path: Path, offset: int) -> Value:
    """Return the value that begins at a byte of an archive, as ``feats.scp`` names it.

    Raises
    ------
    DataError
        As :func:`read_ark`; or there is no such byte.
    """
    with open_plain(path) as (file, size):
        entry = _Entry(file, size, str(path))
        if not 0 <= offset < size:
            raise entry.fail(f"wanted a value at byte {offset}, the file has {size} bytes")
        file.seek(offset)
        return entry.value()


class _Entry:
    """A position in an archive of known size."""

    def __init__(self, file: IO[bytes], size: int, name: str) -> None:
        self.file, self.size, self.name = file, size, name

    def fail(self, what: str) -> DataError:
        return DataError(f"{self.name}, byte {self.file.tell()}: {what}; try to write the archive again")

    def take(self, count: int) -> bytes:
        """Return the next ``count`` bytes, which must be there before memory is asked for."""
        left = self.size - self.file.tell()
        if count > min(left, VALUE_LIMIT):
            why = "truncated or damaged" if count > left else f"more than {VALUE_LIMIT >> 20} MiB"
            raise self.fail(f"wanted {count} more bytes, there are {left}: {why}")
        return self.file.read(count)

    def key(self) -> str | None:
        """Return the next key, and step over the blank after it; None at the end of the file."""
        head = self.file.read(1)
        while head in (b"\n", b"\r", b" "):  # text archives end lines
            head = self.file.read(1)
        if not head:
            return None
        start = self.file.tell() - 1
        text = head + self.file.read(KEY_LIMIT)
        found = re.match(rb"([^\s\0]+)[ \t]", text)
        if found is None or not _is_text(found[1]):
            raise DataError(
                f"{self.name}, byte {start}: wanted a key and a blank, came {text[:12]!r}; try a Kaldi "
                "archive that is not packed"
            )
        self.file.seek(start + found.end())
        return found[1].decode()

    def value(self) -> Value:
        start = self.file.tell()
        if self.file.read(2) != b"\0B":
            self.file.seek(start)
            return self.text()
        mark = self.take(1)
        if mark == b"\4":
            return self.whole_numbers()
        word = mark + self.take(2)
        word = word if word.endswith(b" ") else word + self.take(1)
        kind = word.rstrip(b" ")
        if kind in PLAIN:
            return self.plain(*PLAIN[kind])
        if kind in (b"CM", b"CM2", b"CM3"):
            return self.compressed(kind)
        raise self.fail(f"wanted a matrix, a vector or whole numbers, came a value of type {word!r}")

    def count(self) -> int:
        """Return a size: the byte 4, then 32 bits."""
        width, number = struct.unpack("<bi", self.take(5))
        if width != 4 or number < 0:
            raise self.fail(f"wanted a size of 4 bytes, came {width} bytes: {number}")
        return int(number)

    def plain(self, dtype: str, axes: int) -> Value:
        shape = tuple(self.count() for _ in range(axes))
        size = int(np.prod(shape, dtype=object)) * np.dtype(dtype).itemsize
        values = np.frombuffer(self.take(size), dtype).reshape(shape)
        return self.finite(values.astype(dtype[1:]))  # a copy that may be written, in this machine's order

    def whole_numbers(self) -> Value:
        (length,) = struct.unpack("<i", self.take(4))
        if length < 0:
            raise self.fail(f"wanted 0 or more whole numbers, came {length}")
        rows = np.frombuffer(self.take(5 * length), [("width", "i1"), ("value", "<i4")])
        if (rows["width"] != 4).any():
            raise self.fail("wanted whole numbers of 4 bytes, came others")
        return rows["value"].astype(np.int32)

    def compressed(self, kind: bytes) -> Value:
        """Return a matrix of bytes along each column's quartiles (CM), of 16 bits (CM2) or of bytes (CM3)."""
        least, extent, rows, columns = struct.unpack("<ffii", self.take(16))
        if rows < 0 or columns < 0 or not np.isfinite([least, extent]).all():
            raise self.fail(f"wanted a compressed matrix, came {rows} x {columns} from {least}")
        heads = np.frombuffer(self.take(8 * columns if kind == b"CM" else 0), "<u2").reshape(-1, 4)
        dtype, steps = ("<u2", 65535) if kind == b"CM2" else ("u1", 255)
        coded = np.frombuffer(self.take(rows * columns * int(dtype[-1])), dtype)
        with np.errstate(all="ignore"):  # what is too large becomes infinite, and is refused
            if kind == b"CM":
                heights = np.float32(least) + np.float32(extent / 65535) * heads.astype(np.float32)
                return self.finite(_along_quartiles(heights, coded.reshape(columns, rows)).T.copy())
            values = np.float32(least) + np.float32(extent / steps) * coded.astype(np.float32)
            return self.finite(values.reshape(rows, columns))

    def text(self) -> Value:
        """Return whole numbers up to the end of the line, or what stands in brackets."""
        line = self.line()
        if not line.lstrip().startswith(b"["):
            return self.numbers(line.split(), whole=True).astype(np.int32)
        line = line.lstrip()[1:]
        single, rows, room = b"]" in line, [], TEXT_LIMIT
        while b"]" not in line:
            rows.append(line.split())
            line = self.line()
            room -= len(line)
            if room < 0:
                raise self.fail(f"wanted a ] within {TEXT_LIMIT >> 20} MiB")
        last, _, behind = line.partition(b"]")
        if behind.strip():
            raise self.fail(f"wanted the end of a line after ], came {behind[:20]!r}")
        rows = [row for row in (*rows, last.split()) if row]
        if len({len(row) for row in rows}) > 1:
            raise self.fail("wanted rows of one length, came others")
        values = self.numbers([number for row in rows for number in row], whole=False)
        return values if single or not rows else values.reshape(len(rows), -1)

    def line(self) -> bytes:
        line = self.file.readline(TEXT_LIMIT)
        if not line or len(line) == TEXT_LIMIT:
            what = "a line without end" if line else "truncated: the file ends within a value"
            raise self.fail(f"wanted text, came {what}")
        return line

    def numbers(self, words: list[bytes], whole: bool) -> Value:
        legal = re.compile(rb"[-+]?[0-9]{1,9}") if whole else NUMBER
        for word in words:
            if len(word) > 40 or not legal.fullmatch(word):
                wanted = "whole numbers" if whole else "finite numbers"
                raise self.fail(f"wanted {wanted} before here, came {word[:20]!r}")
        values = np.array([float(word) for word in words], np.float64)
        with np.errstate(over="ignore"):  # what is too large becomes infinite, and is refused
            return self.finite(values if whole else values.astype(np.float32))

    def finite(self, values: Value) -> Value:
        if not np.isfinite(values).all():
            at = tuple(int(i) for i in np.argwhere(~np.isfinite(values))[0])
            raise self.fail(f"wanted finite numbers before here, came {values[at]} at {at}")
        return values


def _along_quartiles(heads: NDArray[np.float32], coded: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Return columns ``[columns, rows]``: bytes 0, 64, 192, 255 stand for the percentiles 0, 25, 75, 100."""
    low, quarter, three, high = (heads[:, [place]] for place in range(4))
    first = low + (quarter - low) * coded / np.float32(64)
    middle = quarter + (three - quarter) * (coded - np.float32(64)) / np.float32(128)
    last = three + (high - three) * (coded - np.float32(192)) / np.float32(63)
    return np.where(coded <= 64, first, np.where(coded <= 192, middle, last))


def _is_text(key: bytes) -> bool:
    try:
        return key.decode().isprintable()
    except UnicodeDecodeError:
        return False
