"""The strict reader of MATLAB files against scipy's, and against files made to harm."""

from __future__ import annotations

import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
import scipy.io

from gatelab.data import mat5
from gatelab.data.mat5 import read_cells
from gatelab.errors import DataError


def element(kind: int, content: bytes, order: str = "<") -> bytes:
    return struct.pack(order + "II", kind, len(content)) + content + bytes(-len(content) % 8)


def matrix(
    content: bytes, dims: tuple[int, ...], name: str = "", array_class: int = 9, order: str = "<"
) -> bytes:
    head = element(6, struct.pack(order + "II", array_class, 0), order)
    head += element(5, struct.pack(f"{order}{len(dims)}i", *dims), order) + element(1, name.encode(), order)
    return element(14, head + content, order)


def numbers(values: np.ndarray, order: str = "<") -> bytes:
    return matrix(element(2, values.tobytes(order="F"), order), values.shape, order=order)


def cells(content: bytes, count: int, order: str = "<") -> bytes:
    return matrix(content, (1, count), "a", 1, order)


def file(*elements: bytes, order: str = "<", version: int = 0x0100) -> bytes:
    mark = b"IM" if order == "<" else b"MI"
    return b"MATLAB 5.0".ljust(124) + struct.pack(order + "H", version) + mark + b"".join(elements)


def saved(arrays: list[np.ndarray], compressed: bool) -> bytes:
    cell = np.empty((1, len(arrays)), dtype=object)
    cell[0, :] = arrays
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"other": np.eye(3), "a": cell}, do_compression=compressed)
    return stream.getvalue()


@pytest.mark.parametrize("compressed", [False, True])
@pytest.mark.parametrize("dtype", ["u1", "i1", "u2", "i2", "u4", "i4", "u8", "i8", "f4", "f8"])
def test_reads_what_scipy_writes(dtype: str, compressed: bool) -> None:
    arrays = [np.arange(rows * 3).reshape(rows, 3).astype(dtype) for rows in (1, 2, 5)]
    found = read_cells(saved(arrays, compressed), "f", ["a"])
    assert list(found) == ["a"]
    for wanted, came in zip(arrays, found["a"], strict=True):
        np.testing.assert_array_equal(came, wanted)


@pytest.mark.parametrize("name", ["JSB_Chorales", "Nottingham", "MuseData", "Piano_midi"])
def test_agrees_with_scipy_on_the_known_sets(name: str, music_folder: Path) -> None:
    path = music_folder / f"{name}.mat"
    names = ["traindata", "validdata", "testdata"]
    known, found = scipy.io.loadmat(path), read_cells(path.read_bytes(), path.name, names)
    for variable in names:
        assert len(found[variable]) == known[variable].size
        for came, wanted in zip(found[variable], known[variable][0], strict=True):
            assert came.dtype == wanted.dtype
            assert np.array_equal(came, wanted)


@pytest.mark.parametrize("order", ["<", ">"])
def test_reads_both_byte_orders(order: str) -> None:
    values = np.array([[1, 2, 3], [4, 5, 6]], np.uint8)
    data = file(cells(numbers(values, order), 1, order), order=order)
    np.testing.assert_array_equal(read_cells(data, "f", ["a"])["a"][0], values)


def test_an_empty_cell_is_an_empty_matrix() -> None:
    assert read_cells(file(cells(element(14, b""), 1)), "f", ["a"])["a"][0].shape == (0, 0)


GOOD = numbers(np.ones((2, 3), np.uint8))
BAD = {
    "header is not there": b"MATLAB",
    "version 7.3 \\(HDF5\\)": file(version=0x0200),
    "version 0x0300": file(version=0x0300),
    "wanted a matrix \\(type 14\\), came type 9": file(element(9, bytes(8))),
    "wanted 8 more bytes, came 3": file(b"abc"),
    "wanted 4294967295 more bytes": file(struct.pack("<II", 14, 2**32 - 1)),
    "small element of 7 bytes": file(struct.pack("<HHI", 14, 7, 0)),
    "compressed data is damaged": file(struct.pack("<II", 15, 4) + b"oops"),
    "compressed data is truncated": file(
        (lambda z: struct.pack("<II", 15, len(z)) + z)(zlib.compress(cells(GOOD, 1))[:-6])
    ),
    "wanted a cell array": file(matrix(element(2, b"\1"), (1, 1), "a")),
    "cell array of 1 x 2147483647 does not fit": file(cells(b"", 2**31 - 1)),
    "cell array of 1 x -1 does not fit": file(cells(b"", -1)),
    "cell 1: wanted a matrix": file(cells(GOOD + element(9, bytes(8)), 2)),
    "wanted a real matrix, came class 2": file(cells(matrix(b"", (1, 1), array_class=2), 1)),
    "wanted a real matrix, came a complex one": file(cells(matrix(b"", (1, 1), array_class=0x0806), 1)),
    "wanted 2147483647 x 2147483647 numbers, came 1": file(
        cells(matrix(element(2, b"\1"), (2**31 - 1, 2**31 - 1)), 1)
    ),
    "head of a matrix is damaged": file(matrix(GOOD, (), "a", 1)),
    "cell 0, byte .*: the head of a matrix is damaged": file(cells(matrix(element(2, b"\1"), (1,) * 70), 1)),
    "wanted numbers, came an element of type 14": file(cells(matrix(GOOD, (2, 3)), 1)),
    "wanted array flags, came": file(element(14, element(9, bytes(4)))),
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_cells(BAD[message], "bad.mat", ["a"])
    assert str(caught.value).startswith("bad.mat: ")
    assert "\n" not in str(caught.value)


def test_bounds_what_is_decompressed(monkeypatch: pytest.MonkeyPatch) -> None:
    bomb = zlib.compress(bytes(3 * 2**20))
    monkeypatch.setattr(mat5, "LIMIT", 2 * 2**20)
    with pytest.raises(DataError, match="more than 2 MiB after decompression"):
        read_cells(file(struct.pack("<II", 15, len(bomb)) + bomb), "f", ["a"])
