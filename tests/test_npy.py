"""Arrays in NumPy's format: all versions of it, and headers that lie."""

from __future__ import annotations

import io
import struct
import warnings

import numpy as np
import pytest

from damage import assert_one_line
from gatelab.errors import DataError
from gatelab.npy import read_npy


def test_by_columns_and_old_and_new_versions() -> None:
    wanted = np.asfortranarray(np.arange(12.0).reshape(3, 4))
    for version in [(1, 0), (2, 0), (3, 0)]:
        stream = io.BytesIO()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # numpy warns where a version is newer than needed
            np.lib.format.write_array(stream, wanted, version)
        assert np.array_equal(read_npy(stream.getvalue(), "f"), wanted)


def header(text: str) -> bytes:
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text.encode("latin-1")


HUGE = header("{'descr': '<f8', 'fortran_order': False, 'shape': (99999999999, 9), }\n")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (HUGE, "f: wanted 7,199,999,999,928 bytes for 99999999999 x 9 of float64, came 0"),
        (HUGE.replace(b"(99999999999, 9)", b"(-1,-1)         "), "wanted 8 bytes for -1 x -1"),
        (header("{'descr': '<U0', 'fortran_order': False, 'shape': (9,), }\n"), "wanted numbers or texts"),
        (header("{'descr': [[[[[[[["), "damaged array"),
        (header("1" + "+1" * 4000), "damaged array"),
        (header("__import__('os').system('true')"), "damaged array"),
        (b"\x93NUMPY\x09\x00" + bytes(20), "damaged array"),
        (b"", "damaged array"),
        (
            header("{'descr': '<U1', 'fortran_order': False, 'shape': (1,), }\n") + b"\xff" * 4,
            "a letter 0xffffffff",
        ),
    ],
)
def test_believes_no_header(data: bytes, message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_npy(data, "f")
    assert_one_line(caught.value)
