"""A strict reader of MATLAB 5 files that hold cell arrays of matrices, and nothing else.

``scipy.io.loadmat`` reads far more (structures, function handles, sparse and opaque objects) and allocates
what a file asks it to. Music needs cells of numbers only; this reader takes just that, checks every length
against the bytes that are there, and bounds what a compressed element may become. The tests compare it
with ``loadmat``.

Source: "MAT-File Format", The MathWorks, chapter 1, "Level 5 MAT-File Format".
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from gatelab.errors import DataError

LIMIT = 256 * 2**20
"""The most bytes that all elements of a file may hold after decompression."""

HEADER = 128
MATRIX, COMPRESSED = 14, 15
NUMBERS = {
    1: "i1", 2: "u1", 3: "i2", 4: "u2", 5: "i4", 6: "u4", 7: "f4", 9: "f8", 12: "i8", 13: "u8",
}  # fmt: skip
CELL = 1
NUMERIC = range(6, 16)  # double, single, int8 … uint64
COMPLEX = 0x0800


@dataclass
class Reader:
    """A position in the bytes of one element; ``order`` is ``"<"`` or ``">"``."""

    file: str
    place: str
    data: memoryview
    order: str
    at: int = 0

    def fail(self, what: str) -> DataError:
        """Return the error that names the file and the offset."""
        return DataError(f"{self.file}: {self.place}, byte {self.at}: {what}; try to fetch the file again")

    def take(self, count: int) -> memoryview:
        """Return the next ``count`` bytes."""
        if count > len(self.data) - self.at:
            left = len(self.data) - self.at
            raise self.fail(f"wanted {count} more bytes, came {left}: truncated or damaged")
        self.at += count
        return self.data[self.at - count : self.at]

    def element(self) -> tuple[int, memoryview]:
        """Return type and content of the next element; step over its padding to 8 bytes."""
        word, size = struct.unpack(self.order + "II", self.take(8))
        if word >> 16:  # the small format: type, size and at most four bytes of content in eight
            self.at -= 4
            kind, size = word & 0xFFFF, word >> 16
            if size > 4:
                raise self.fail(f"a small element of {size} bytes, wanted at most 4")
            return kind, self.take(4)[:size]
        content = self.take(size)
        if word != COMPRESSED:
            self.at = min(len(self.data), self.at + -size % 8)
        return word, content

    def numbers(self, wanted: str) -> np.ndarray:
        """Return the next element as a vector of numbers."""
        kind, content = self.element()
        code = NUMBERS.get(kind)
        if code is None or len(content) % int(code[1]):
            raise self.fail(f"wanted {wanted}, came an element of type {kind} with {len(content)} bytes")
        return np.frombuffer(content, dtype=self.order + code)


def read_cells(data: bytes, file: str, names: Collection[str]) -> dict[str, list[np.ndarray]]:
    """Return the cell arrays called ``names`` that a MATLAB 5 file holds, each as a list of matrices.

    Parameters
    ----------
    data
        The whole file.
    file
        Its name, for messages.
    names
        The variables to read; others are stepped over. One that is not there is not in the result.

    Returns
    -------
    dict
        For each variable its matrices in MATLAB's order, in the type and byte order in which they are stored.

    Raises
    ------
    DataError
        Not a MATLAB 5 file, truncated, damaged, too large, or a variable is not a cell array of real
        matrices.
    """
    order = _byte_order(data, file)
    top = Reader(file, "top level", memoryview(data), order, HEADER)
    found: dict[str, list[np.ndarray]] = {}
    room = LIMIT
    while top.at < len(data):
        kind, content = top.element()
        if kind == COMPRESSED:
            content, kind = _inflate(top, content, room)
            room -= len(content)
        if kind != MATRIX:
            raise top.fail(f"wanted a matrix (type {MATRIX}), came type {kind}")
        matrix = Reader(file, "a variable", content, order)
        flags, dims, name = _matrix_head(matrix)
        if name in names:
            matrix.place = f"variable {name!r}"
            found[name] = _cells(matrix, flags, dims)
    return found


def _byte_order(data: bytes, file: str) -> str:
    mark = data[126:128]
    if len(data) < HEADER or mark not in (b"IM", b"MI"):
        raise DataError(f"{file}: not a MATLAB 5 file: its header is not there; try to fetch the file again")
    order = "<" if mark == b"IM" else ">"
    version = struct.unpack(order + "H", data[124:126])[0]
    if version != 0x0100:
        kind = "7.3 (HDF5)" if version == 0x0200 else f"{version:#06x}"
        raise DataError(f"{file}: wanted a MATLAB 5 file, came version {kind}; try save('-v7') in MATLAB")
    return order


def _inflate(top: Reader, content: memoryview, room: int) -> tuple[memoryview, int]:
    """Return content and type of the one element inside a compressed one of at most ``room`` bytes."""
    stream = zlib.decompressobj()
    try:
        plain = stream.decompress(content, room + 1)
    except zlib.error as error:
        raise top.fail(f"compressed data is damaged ({error})") from None
    if len(plain) > room:
        raise top.fail(f"holds more than {LIMIT >> 20} MiB after decompression")
    if not stream.eof:
        raise top.fail("compressed data is truncated")
    kind, inner = Reader(top.file, "compressed element", memoryview(plain), top.order).element()
    return inner, kind


def _matrix_head(matrix: Reader) -> tuple[int, list[int], str]:
    """Return flags, dimensions and name."""
    flags = matrix.numbers("array flags")
    dims = matrix.numbers("dimensions")
    _, name = matrix.element()
    if flags.dtype.kind != "u" or len(flags) != 2 or dims.dtype.kind != "i" or not 2 <= len(dims) <= 32:
        raise matrix.fail("the head of a matrix is damaged")
    return int(flags[0]), [int(size) for size in dims], bytes(name).decode("latin-1")


def _cells(matrix: Reader, flags: int, dims: list[int]) -> list[np.ndarray]:
    """Return the matrices of a cell array."""
    if flags & 0xFF != CELL:
        raise matrix.fail(f"wanted a cell array (class {CELL}), came class {flags & 0xFF}")
    count = math.prod(dims)
    if min(dims, default=-1) < 0 or 8 * count > len(matrix.data):  # each cell takes at least its tag
        raise matrix.fail(f"a cell array of {' x '.join(map(str, dims))} does not fit into its bytes")
    result = []
    for index in range(count):
        kind, content = matrix.element()
        if kind != MATRIX:
            raise matrix.fail(f"cell {index}: wanted a matrix (type {MATRIX}), came type {kind}")
        result.append(_numeric(Reader(matrix.file, f"{matrix.place}, cell {index}", content, matrix.order)))
    return result


def _numeric(cell: Reader) -> np.ndarray:
    """Return one real matrix; an empty cell is a matrix without rows and columns."""
    if not len(cell.data):
        return np.zeros((0, 0), np.uint8)
    flags, dims, _ = _matrix_head(cell)
    if flags & 0xFF not in NUMERIC or flags & COMPLEX:
        came = "a complex one" if flags & COMPLEX else f"class {flags & 0xFF}"
        raise cell.fail(f"wanted a real matrix, came {came}")
    values = cell.numbers("numbers")
    if min(dims, default=-1) < 0 or math.prod(dims) != len(values):
        raise cell.fail(f"wanted {' x '.join(map(str, dims))} numbers, came {len(values)}")
    return values.reshape(dims, order="F")
