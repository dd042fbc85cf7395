"""The lines of a text with separated values, before they are a table: survey, separator, fields.

One survey reads the whole file in pieces of bounded size. What it refuses would make rows and lines differ:
encodings other than UTF-8, line ends other than LF and CRLF, null bytes.
"""

from __future__ import annotations

import codecs
import csv
import hashlib
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gatelab.errors import DataError

PIECE = 4 * 2**20
"""Bytes read at once."""
HEAD = 1000
"""Rows from which separator, decimal mark and kinds of columns are guessed."""
WIDEST = 10_000
"""The most columns."""

FOREIGN = {
    b"\x1f\x8b": "a gzip file; try to unpack it",
    b"PK\x03\x04": "a zip archive or a spreadsheet (.xlsx); try to save the sheet as CSV",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet (.xls); try to save the sheet as CSV",
    b"\x28\xb5\x2f\xfd": "a Zstandard file; try to unpack it",
    b"\x89HDF": "an HDF5 file; try to export the table as CSV",
    b"\xff\xfe": "text in UTF-16; try to save it as UTF-8",
    b"\xfe\xff": "text in UTF-16; try to save it as UTF-8",
    b"<": "a web page or XML; try to fetch the file again",
    b"version https://git-lfs": "a Git LFS pointer, not the file itself; try git lfs pull",
}


@dataclass(frozen=True)
class Lines:
    """What the survey of a file found.

    Attributes
    ----------
    count
        Lines, without blank ones at the end.
    head
        The first of them, at most HEAD + 1, without their ends.
    quoted
        Whether there is a quotation mark at all.
    digest
        SHA-256 of the bytes.
    """

    count: int
    head: tuple[str, ...]
    quoted: bool
    digest: str


@contextmanager
def opened(source: Path | bytes, file: str) -> Iterator[IO[bytes]]:
    """Open a file, or bytes as if they were one."""
    try:
        stream: IO[bytes] = io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise DataError(f"{file}: cannot be read ({reason}); try the path of a table") from None
    with stream:
        yield stream


def survey(source: Path | bytes, file: str) -> Lines:
    """Read a text from end to end and return what is to be known before it is a table.

    Raises
    ------
    DataError
        It is empty, foreign, not UTF-8, or has other line ends; with the line.
    """
    decoder, digest = codecs.getincrementaldecoder("utf-8-sig")(), hashlib.sha256()
    count = ends = 0
    quoted, after_return, first = False, False, b""
    with opened(source, file) as stream:
        while piece := stream.read(PIECE):
            if not first:
                first = piece
                _check_known(piece, file)
            digest.update(piece)
            _check_text(piece, after_return, decoder, f"{file}, line", ends)
            after_return = piece.endswith(b"\r")
            if body := piece.rstrip(b"\r\n"):
                count = ends + body.count(b"\n") + 1
            ends += piece.count(b"\n")
            quoted = quoted or b'"' in piece
    if count == 0:
        raise DataError(f"{file}: the file is empty; try to fetch it again")
    return Lines(count, _head(first, count, file), quoted, digest.hexdigest())


def _check_known(piece: bytes, file: str) -> None:
    for magic, what in FOREIGN.items():
        if piece.lstrip(b" \t\r\n").startswith(magic):
            raise DataError(f"{file}: wanted a table as CSV or Parquet, came {what}")


def _check_text(
    piece: bytes, after_return: bool, decoder: codecs.IncrementalDecoder, line: str, before: int
) -> None:
    """Refuse what is no UTF-8, and the bytes that would make lines count otherwise."""
    try:
        decoder.decode(piece)
    except UnicodeDecodeError as error:
        number = before + error.object[: error.start].count(b"\n") + 1
        raise DataError(
            f"{line} {number}: wanted text in UTF-8, came the byte {error.object[error.start]:#04x}; "
            "try to save the file as UTF-8"
        ) from None
    at = piece.find(b"\0")
    if at >= 0:
        number = before + piece[:at].count(b"\n") + 1
        raise DataError(f"{line} {number}: wanted text, came a null byte; try to fetch the file again")
    lone = piece.count(b"\r") - piece.count(b"\r\n") - piece.endswith(b"\r")
    if lone or (after_return and not piece.startswith(b"\n")):
        at = re.search(rb"\r(?!\n)", piece).start() if lone else 0  # type: ignore[union-attr]
        number = before + piece[:at].count(b"\n") + 1
        raise DataError(
            f"{line} {number}: a carriage return inside a line; try to save the file with LF or CRLF"
        )


def _head(piece: bytes, count: int, file: str) -> tuple[str, ...]:
    """Return the first lines; they must be whole within the first piece."""
    text = piece.decode("utf-8-sig", "ignore")
    lines = text.split("\n", HEAD + 1)[: min(count, HEAD + 1)]
    if len(piece) == PIECE and len(lines) <= HEAD and len(lines) < count:
        lines.pop()  # cut by the end of the piece
    if not lines:
        raise DataError(f"{file}, line 1: wanted lines of at most {PIECE:,} bytes; try another file")
    return tuple(line.removesuffix("\r") for line in lines)


def fields(line: str, separator: str) -> list[str]:
    """Return the cells of one line, stripped of spaces around them.

    Raises
    ------
    ValueError
        A quotation mark has no partner, or stands where it may not.
    """
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        (cells,) = csv.reader([line], delimiter=separator, strict=True)
    except csv.Error as error:
        raise ValueError(str(error)) from None
    return [cell.strip() for cell in cells]


def sniff_separator(head: tuple[str, ...]) -> str:
    """Return which of ``;``, tab and ``,`` splits the first lines alike; ``,`` where there is one column.

    A semicolon or a tab that stands as often in each line wins over commas, which may be decimal marks.

    Examples
    --------
    >>> sniff_separator(("time;load", "1;2,5", "2;3,5")), sniff_separator(("load",))
    (';', ',')
    """
    title = head[0]
    for separator in (";", "\t", ","):
        wanted = title.count(separator)
        alike = sum(line.count(separator) == wanted for line in head[1:])
        if wanted and 2 * alike >= len(head) - 1:
            return separator
    found = [mark for mark in (";", "\t", ",") if mark in title]
    return found[0] if found else ","


def lines_at(source: Path | bytes, file: str, last: int) -> Iterator[tuple[int, str]]:
    """Yield (number from 1, line) up to the line ``last``."""
    with opened(source, file) as stream:
        for number, raw in enumerate(stream, 1):
            if number > last:
                return
            yield number, raw.decode("utf-8-sig" if number == 1 else "utf-8", "replace").rstrip("\r\n")
