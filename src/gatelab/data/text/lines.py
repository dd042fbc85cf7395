"""The lines of a text file, plain or compressed with gzip, in UTF-8."""

from __future__ import annotations

import zlib
from pathlib import Path

from gatelab.data.tree import FILE_LIMIT, read_file
from gatelab.errors import DataError


def read_lines(path: Path, limit: int = FILE_LIMIT) -> list[str]:
    """Return the lines of a file without their ends, LF or CR LF; no other character ends a line.

    Parameters
    ----------
    path
        A file; it is compressed where its name ends in ``.gz``.
    limit
        The most bytes of text.

    Raises
    ------
    DataError
        It cannot be read, holds more, is damaged, or is not UTF-8.
    """
    data = read_file(path, limit)
    return text_lines(unzipped(data, str(path), limit) if path.suffix.lower() == ".gz" else data, str(path))


def text_lines(data: bytes, place: str) -> list[str]:
    r"""Return the lines of a text in UTF-8.

    >>> text_lines(b"one\r\ntwo\x0cstill two\n", "a.txt")
    ['one', 'two\x0cstill two']
    """
    lines = decoded(data, place).split("\n")
    if not lines[-1]:
        lines.pop()
    return [line.removesuffix("\r") for line in lines]


def decoded(data: bytes, place: str) -> str:
    """Return a text in UTF-8, without a byte order mark; what is none is a DataError with its line."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = error.start + (3 if data.startswith(b"\xef\xbb\xbf") else 0)
        line = data.count(b"\n", 0, start) + 1
        raise DataError(
            f"{place}, line {line}, byte {start:,}: wanted UTF-8, came {error.reason}; "
            f"try to save it as UTF-8"
        ) from None


def unzipped(data: bytes, place: str, limit: int) -> bytes:
    """Return what gzip data hold, of one member or several, at most ``limit`` bytes."""
    parts, left = [], limit
    while data:
        stream = zlib.decompressobj(wbits=31)
        try:
            parts.append(stream.decompress(data, left + 1))
        except zlib.error as error:
            raise DataError(f"{place}: damaged gzip data ({error}); try to fetch the file again") from None
        left -= len(parts[-1])
        if left < 0:
            raise DataError(f"{place}: wanted at most {limit >> 20} MiB, came more; try a smaller file")
        if not stream.eof:
            raise DataError(f"{place}: the gzip data end too early; try to fetch the file again")
        data = stream.unused_data
    return b"".join(parts)
