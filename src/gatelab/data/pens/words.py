"""Pen trajectories as plain text, a word a file: the format of the online George Washington words.

``PAGE/TIMESTAMP_word.txt``: line 1 is the word, each further line a point ``x y pen``. The origin is bottom
left, so y points up; pen is 1 where the pen was lifted after the point, else 0. Own trajectories may be
written so, too: any name of the folder, any name of the file that ends in ``_WORD.txt``.

C. Wieprecht, L. Rothacker, G. A. Fink, "Word Spotting in Historical Document Collections with Online-
Handwritten Queries", DAS 2016; github.com/cwiep/gw-online-dataset.
"""

from __future__ import annotations

import re
from pathlib import PurePosixPath

import numpy as np

from gatelab.data.pens.trajectories import NUMBER, POINT_LIMIT, Trajectory
from gatelab.errors import DataError

WORD_LIMIT = 32 * 2**20
"""The most bytes of one file."""
_POINT = re.compile(rf"{NUMBER} {NUMBER} [01]", re.ASCII)
_POINTS = re.compile(rf"(?:{NUMBER} {NUMBER} [01]\n)*{NUMBER} {NUMBER} 1\n?", re.ASCII)


def read_pen_word(data: bytes, name: str, place: str) -> tuple[Trajectory, bool]:
    """Return one word, and whether it stood in the file (else it was taken from the file's name).

    Parameters
    ----------
    data
        The whole file.
    name
        Its path inside the set, ``"PAGE/TIMESTAMP_word.txt"``: the folder is the group.
    place
        What messages call it.

    Raises
    ------
    DataError
        With the line: not three fields, not a number, a pen other than 0 and 1, no points, or an end amid a
        stroke.

    Examples
    --------
    >>> from gatelab.data.pens.words import read_pen_word
    >>> word, stood = read_pen_word(b"it\\n10 20 0\\n11 25 1\\n15 22 1\\n", "page/1_it.txt", "1_it.txt")
    >>> word.text, word.group, word.points.tolist(), stood
    ('it', 'page', [[10.0, 20.0], [11.0, 25.0], [15.0, 22.0]], True)
    """
    text = _decoded(data, place)
    first, _, rest = text.partition("\n")
    stood = not _POINT.fullmatch(first)
    body = rest if stood else text
    word = first.strip() if stood else _word_of_name(name, place)
    if not word:
        raise DataError(
            f"{place}, line 1: wanted the word that was written, came an empty line; try to add it"
        )
    if not _POINTS.fullmatch(body):
        raise _first_mistake(body, place, 2 if stood else 1)
    table = np.fromstring(body, sep=" ").reshape(-1, 3)
    if len(table) > POINT_LIMIT:
        raise DataError(
            f"{place}: wanted at most {POINT_LIMIT:,} points, came {len(table):,}; try to split it"
        )
    path = PurePosixPath(name)
    points = np.ascontiguousarray(table[:, :2])
    return Trajectory(
        str(path.with_suffix("")), path.parent.name, word, points, None, table[:, 2] == 1
    ), stood


def _decoded(data: bytes, place: str) -> str:
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(f"{place}, line {line}: not UTF-8 text ({error.reason}); try to convert it") from None


def _word_of_name(name: str, place: str) -> str:
    """Return what stands after the first underscore of the file's name."""
    word = PurePosixPath(name).stem.partition("_")[2]
    if not word:
        raise DataError(
            f"{place}, line 1: wanted the word that was written, came a point, and the file's name holds no "
            "word; try a name like 1_word.txt"
        )
    return word


def _first_mistake(body: str, place: str, line: int) -> DataError:
    """Say what is wrong with the first line of points that is."""
    lines = body.split("\n")
    if lines[-1] == "":
        del lines[-1]
    if not lines:
        return DataError(
            f"{place}, line {line}: wanted points, came the end of the file; try to fetch it again"
        )
    for number, row in enumerate(lines, line):
        if not _POINT.fullmatch(row):
            return DataError(f"{place}, line {number}: wanted x, y and pen, {_came(row)}")
    return DataError(
        f"{place}, line {number}: wanted pen 1 at the last point, came 0: the file is truncated; "
        "try to fetch it again"
    )


def _came(row: str) -> str:
    fields = row.split(" ")
    if len(fields) != 3:
        return f"came {row[:40]!r}; try three fields, divided by one space"
    odd = next((field for field in fields[:2] if not re.fullmatch(NUMBER, field, re.ASCII)), None)
    if odd is not None:
        return f"came {odd[:40]!r}; try a decimal number of at most 12 digits"
    return f"came the pen {fields[2][:40]!r}; try 1 where the pen is lifted after the point, else 0"
