"""One array in NumPy's format (``.npy``), read without believing what its header claims.

Source: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
"""

from __future__ import annotations

import io
import math
import warnings
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from gatelab.errors import DataError

KINDS = "fiubUS"
"""Kinds of numbers and texts that are read: no objects, no records, no dates, no complex numbers."""
HEADERS = {
    (1, 0): npy.read_array_header_1_0,
    (2, 0): npy.read_array_header_2_0,
    (3, 0): npy.read_array_header_2_0,  # differs in the names of records only
}
DAMAGE = (
    ValueError,
    TypeError,
    SyntaxError,
    KeyError,
    OverflowError,
    TokenError,
    MemoryError,
    RecursionError,
)
"""What NumPy raises where a header is none; the last two where it is nested without end."""


def read_npy(data: bytes, file: str) -> NDArray[Any]:
    """Return the array of a ``.npy`` file; its bytes are looked at, never run.

    Raises
    ------
    DataError
        The file is foreign or damaged, holds Python objects, or not as many bytes as its shape says.

    Examples
    --------
    >>> import io, numpy as np
    >>> file = io.BytesIO()
    >>> np.save(file, np.arange(6.0).reshape(3, 2))
    >>> read_npy(file.getvalue(), "x.npy").shape
    (3, 2)
    """
    stream = io.BytesIO(data)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of files written by Python 2, which are read all the same
            shape, by_columns, kind = HEADERS[npy.read_magic(stream)](stream)
    except DAMAGE as error:
        reason = " ".join(str(error).split())[:80]
        raise DataError(f"{file}: damaged array ({reason}); try to write it anew with numpy.savez") from None
    if kind.hasobject or kind.kind not in KINDS or kind.names or kind.subdtype or not kind.itemsize:
        what = "Python objects, which could run any program when opened" if kind.hasobject else f"{kind}"[:60]
        raise DataError(f"{file}: wanted numbers or texts, came {what}; try an array for each sequence")
    count, rest = math.prod(shape), len(data) - stream.tell()
    if any(size < 0 for size in shape) or count * kind.itemsize != rest:
        shown = " x ".join(map(str, shape))[:60]
        raise DataError(
            f"{file}: wanted {count * kind.itemsize:,} bytes for {shown} of {kind}, came {rest:,}; "
            "try to fetch the file again"
        )
    flat = np.frombuffer(data, kind, count, stream.tell())
    if kind.kind == "U":
        _check_letters(flat, file)
    return flat.reshape(shape, order="F" if by_columns else "C")


def _check_letters(flat: NDArray[Any], file: str) -> None:
    """Refuse texts that Python could not hold: numbers above Unicode's, or halves of a pair."""
    codes = flat.view(np.dtype(np.uint32).newbyteorder(flat.dtype.byteorder))
    wrong = (codes > 0x10FFFF) | ((codes >= 0xD800) & (codes < 0xE000))
    if wrong.any():
        came = hex(int(codes[wrong][0]))
        raise DataError(f"{file}: wanted texts in Unicode, came a letter {came}; try to write the file anew")
