"""Archives written byte by byte as Kaldi writes them, and everything that must not pass."""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
import pytest

from damage import damaged_copies
from gatelab.data.speech import ark as kaldi_ark
from gatelab.data.speech.ark import read_ark, read_ark_at
from gatelab.errors import DataError

DRAW = np.random.default_rng(6)
MATRIX = DRAW.normal(size=(50, 13)).astype(np.float32) * 7 - 2
ALIGNMENT = DRAW.integers(1, 2000, 80)


def size(number: int) -> bytes:
    return b"\4" + struct.pack("<i", number)


def plain(array: np.ndarray, word: bytes) -> bytes:
    return b"\0B" + word + b" " + b"".join(map(size, array.shape)) + array.tobytes()


def whole(numbers: np.ndarray) -> bytes:
    return b"\0B" + size(len(numbers)) + b"".join(size(int(number)) for number in numbers)


def compressed(matrix: np.ndarray, word: bytes) -> bytes:
    """Compress as Kaldi's CompressedMatrix does, value by value, from the description in its source."""
    least, extent = float(matrix.min()), float(np.ptp(matrix))
    head = b"\0B" + word + b" " + struct.pack("<ffii", least, extent, *matrix.shape)
    if word != b"CM":
        steps, dtype = (65535, "<u2") if word == b"CM2" else (255, "u1")
        return head + np.rint((matrix - least) / extent * steps).astype(dtype).tobytes()
    heads, body = b"", b""
    for column in matrix.T:
        ordered, quarter = np.sort(column), len(column) // 4
        points = [ordered[0], ordered[quarter], ordered[3 * quarter], ordered[-1]]
        codes = [int((p - least) / extent * 65535 + 0.499) for p in points]
        heads += struct.pack("<4H", *codes)
        p0, p25, p75, p100 = (least + extent * code / 65535 for code in codes)
        for value in column:
            if value < p25:
                code = max(0, min(64, int((value - p0) / (p25 - p0) * 64 + 0.5)))
            elif value < p75:
                code = 64 + max(0, min(128, int((value - p25) / (p75 - p25) * 128 + 0.5)))
            else:
                code = 192 + max(0, min(63, int((value - p75) / (p100 - p75) * 63 + 0.5)))
            body += bytes([code])
    return head + heads + body


BINARY = {
    "float": plain(MATRIX, b"FM"),
    "double": plain(MATRIX.astype(np.float64), b"DM"),
    "vector": plain(MATRIX[0], b"FV"),
    "vector64": plain(MATRIX[0].astype(np.float64), b"DV"),
    "speech": compressed(MATRIX, b"CM"),
    "two": compressed(MATRIX, b"CM2"),
    "one": compressed(MATRIX, b"CM3"),
    "ali": whole(ALIGNMENT),
}
ARK = b"".join(key.encode() + b" " + value for key, value in BINARY.items())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "feats.ark"


def test_every_binary_value(path: Path) -> None:
    path.write_bytes(ARK)
    found = dict(read_ark(path))
    assert list(found) == list(BINARY)
    assert np.array_equal(found["float"], MATRIX)
    assert np.array_equal(found["double"], MATRIX)
    assert (found["double"].dtype, found["one"].dtype, found["ali"].dtype) == (
        np.float64,
        np.float32,
        np.int32,
    )
    assert np.array_equal(found["vector"], MATRIX[0])
    assert np.array_equal(found["vector64"], MATRIX[0])
    assert np.array_equal(found["ali"], ALIGNMENT)
    extent = np.ptp(MATRIX)
    np.testing.assert_allclose(found["two"], MATRIX, atol=extent / 65535)
    np.testing.assert_allclose(found["one"], MATRIX, atol=extent / 255)
    widest = np.diff(np.quantile(MATRIX, [0, 0.25, 0.75, 1], axis=0), axis=0).max()
    np.testing.assert_allclose(found["speech"], MATRIX, atol=widest / 63)


def test_quartiles_by_hand(path: Path) -> None:
    """Bytes 0, 32, 64, 128, 192 and 255 of a column whose percentiles are 0, 1, 3 and 10."""
    codes = [round(p / 10 * 65535) for p in (0, 1, 3, 10)]
    body = struct.pack("<ffii", 0, 10, 6, 1) + struct.pack("<4H", *codes) + bytes([0, 32, 64, 128, 192, 255])
    path.write_bytes(b"a \0BCM " + body)
    np.testing.assert_allclose(dict(read_ark(path))["a"][:, 0], [0, 0.5, 1, 2, 3, 10], atol=1e-3)


def test_values_by_their_place_may_be_written_to(path: Path) -> None:
    path.write_bytes(ARK)
    for key, value in BINARY.items():
        found = read_ark_at(path, ARK.index(key.encode() + b" " + value) + len(key) + 1)
        assert np.array_equal(found, dict(read_ark(path))[key])
        assert found.flags.writeable
        assert found.flags.c_contiguous


def test_text(path: Path) -> None:
    rows = "\n".join("  " + " ".join(f"{value:.9g}" for value in row) for row in MATRIX)
    path.write_text(
        f"m  [\n{rows} ]\nali 3 3 -1 \nv  [ 1 2.5e-3 -3 ]\nnone [ ]\nempty \nrow [\n 1 2 ]\nh [ 1 2\n3 4 ]\n"
    )
    found = dict(read_ark(path))
    assert np.array_equal(found["m"], MATRIX)
    assert (found["ali"].tolist(), found["ali"].dtype) == ([3, 3, -1], np.int32)
    np.testing.assert_allclose(found["v"], [1, 2.5e-3, -3])
    assert [found[key].shape for key in ("none", "empty", "row", "h")] == [(0,), (0,), (1, 2), (2, 2)]


INFINITE = MATRIX.copy()
INFINITE[3, 4] = np.inf
BAD = {
    "wanted a key and a blank, came b'.xff.xd8": b"\xff\xd8\xff\xe0" + bytes(50),
    "wanted a key and a blank, came b'.x1f.x8b": b"\x1f\x8b\x08\x00" + bytes(50),
    "wanted a key and a blank, came b'aaaa": b"a" * 3000,
    "wanted 2600 more bytes, there are 2590: truncated": b"k " + BINARY["float"][:-10],
    "wanted 1 more bytes, there are 0: truncated": b"k \0B",
    "came a value of type b'SM '": b"k \0BSM " + bytes(90),
    "wanted a size of 4 bytes, came 8 bytes": b"k \0BFM \x08" + bytes(90),
    "came 4 bytes: -1": b"k \0BFV " + size(-1),
    "wanted 18446744056529682436 more bytes": b"k \0BFM " + size(2**31 - 1) * 2 + bytes(64),
    "wanted 10737418235 more bytes": b"k \0B" + size(2**31 - 1) + bytes(64),
    "wanted 0 or more whole numbers, came -5": b"k \0B" + size(-5),
    "wanted whole numbers of 4 bytes, came others": b"k \0B" + size(1) + b"\x08" + bytes(4),
    "wanted a compressed matrix, came -1 x 3": b"k \0BCM2 " + struct.pack("<ffii", 0, 1, -1, 3),
    "wanted a compressed matrix, came 1 x 3 from nan": b"k \0BCM3 " + struct.pack("<ffii", np.nan, 1, 1, 3),
    "wanted finite numbers before here, came inf at .3, 4.": b"k " + plain(INFINITE, b"FM"),
    "came inf at .0, 0.": b"k \0BCM3 " + struct.pack("<ffii", 3e38, 3e38, 1, 1) + b"\xff",
    "the file ends within a value": b"k [\n 1 2\n 3 4\n",
    "wanted rows of one length": b"k [\n 1 2\n 3 ]\n",
    "wanted the end of a line after .*b' x": b"k [ 1 2 ] x\n",
    "wanted finite numbers before here, came b'nan'": b"k [ 1 nan ]\n",
    "wanted finite numbers before here, came inf": b"k [ 1 1e300 ]\n",
    "wanted whole numbers before here, came b'1.5'": b"k 1 1.5\n",
    "came b'99999999999'": b"k 99999999999\n",
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str, path: Path) -> None:
    path.write_bytes(BAD[message])
    with pytest.raises(DataError, match=f"feats.ark, byte .*{message}") as caught:
        list(read_ark(path))
    assert "\n" not in str(caught.value)
    assert "try" in str(caught.value)


def test_bounds_text_and_values(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kaldi_ark, "TEXT_LIMIT", 100)
    for text in (b"k " + b"1 " * 90, b"k [\n" + b" 1 2\n" * 90):
        path.write_bytes(text)
        with pytest.raises(DataError, match=r"wanted (text, came a line without end|a ] within)"):
            list(read_ark(path))
    monkeypatch.setattr(kaldi_ark, "VALUE_LIMIT", 2**11)
    path.write_bytes(ARK)
    with pytest.raises(DataError, match=r"wanted 2600 more bytes, there are .*: more than 0 MiB"):
        list(read_ark(path))


def test_refuses_a_place_that_is_not_there(path: Path) -> None:
    path.write_bytes(ARK)
    with pytest.raises(DataError, match="wanted a value at byte 99999999"):
        read_ark_at(path, 99999999)
    with pytest.raises(DataError, match="cannot be read"):
        read_ark_at(path.parent, 0)


def fuzz(path: Path, count: int, seed: int) -> None:
    text = b"m [\n 1 2.5\n -3e2 4 ]\nali 3 3 4\nv [ 1 2 ]\n"
    seeds = [text, *(key.encode() + b" " + value for key, value in BINARY.items())]
    for data in damaged_copies([*seeds, ARK], count, seed, head=30):
        path.write_bytes(data)
        try:
            for _, value in read_ark(path):
                assert np.isfinite(value).all()
                assert value.size <= len(data)
        except DataError as error:
            text_of(error)


def text_of(error: DataError) -> None:
    assert "\n" not in str(error)
    assert "feats.ark, byte" in str(error)


def test_a_damaged_archive_is_values_or_a_data_error(path: Path) -> None:
    fuzz(path, 1200, 0)


@pytest.mark.exhaustive
def test_many_damaged_archives(path: Path) -> None:
    fuzz(path, 60_000, 1)
