"""The ``.ts`` format of sktime and aeon: labelled time series as text.

Lines that begin with ``#`` are comments. A header of lines ``@key value`` ends with ``@data``; then a line is
a case: its dimensions separated by ``:``, the values of each by ``,``, and behind the last ``:`` the label.
The keys, in any case: ``@problemName``, ``@timeStamps``, ``@missing``, ``@univariate``, ``@dimensions``,
``@equalLength``, ``@seriesLength``, ``@classLabel true A B …``, ``@targetLabel true``. What the header says
of the data must be true. A ``?`` or ``NaN`` is a missing value. Time stamps are not read.

Source: https://www.sktime.net/en/stable/api_reference/file_specifications/ts.html
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatelab.data.arrays.labelled import Labelled
from gatelab.data.fill import fill_gaps
from gatelab.errors import DataError, near_misses

KEYS = (
    "problemname",
    "timestamps",
    "missing",
    "univariate",
    "dimension",
    "dimensions",
    "equallength",
    "serieslength",
    "classlabel",
    "targetlabel",
    "data",
)
_VALUE = re.compile(r"\s*(?:([+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)|\?|nan)\s*", re.IGNORECASE)


@dataclass(frozen=True)
class TimeSeriesFile:
    """The cases of one file.

    Attributes
    ----------
    name
        ``@problemName``.
    classes
        The labels of ``@classLabel``, in their order; empty where targets are numbers.
    cases
        Sequences ``[T, I]`` and their labels.
    filled
        How many missing values were filled.
    """

    name: str
    classes: tuple[str, ...]
    cases: Labelled
    filled: int


@dataclass(frozen=True)
class _Header:
    name: str
    classes: tuple[str, ...]
    dimensions: int | None
    length: int | None
    equal: bool
    target: bool


def read_timeseries(data: bytes, file: str, fill: bool = False) -> TimeSeriesFile:
    """Return the cases of a ``.ts`` file.

    Parameters
    ----------
    data
        The whole file.
    file
        Its name, for messages.
    fill
        Fill missing values by linear interpolation within their dimension, at the ends by the nearest.

    Raises
    ------
    DataError
        With the line: no UTF-8, an unknown or contradicted header, text among numbers, dimensions of unequal
        length, an unknown label, missing values without ``fill``.

    Examples
    --------
    >>> text = b"@dimensions 2\\n@classLabel true a b\\n@data\\n1,2,3:4,5,6:b\\n7,8:9,1:a\\n"
    >>> found = read_timeseries(text, "two.ts")
    >>> [x.shape for x in found.cases.x], found.cases.y, found.classes
    ([(3, 2), (2, 2)], array([1, 0]), ('a', 'b'))
    """
    try:
        lines = data.decode("utf-8-sig").split("\n")
    except UnicodeDecodeError as error:
        number = data[: error.start].count(b"\n") + 1
        raise DataError(f"{file}, line {number}: wanted text in UTF-8; try to fetch it again") from None
    header, start = _header(lines, file)
    rows = [(n, line) for n, line in enumerate(lines[start:], start + 1) if line.strip() and line[0] != "#"]
    if not rows:
        raise DataError(f"{file}: wanted cases below @data, came none; try to fetch the file again")
    x, y, filled = [], [], 0
    for number, line in rows:
        values, label = _case(line, header, f"{file}, line {number}")
        filled += _fill(values, fill, f"{file}, line {number}")
        x.append(values)
        y.append(label)
    _check_alike(x, [number for number, _ in rows], header, file)
    labels = np.array(y, np.float64) if header.target else np.array(y, np.int64)
    return TimeSeriesFile(header.name, header.classes, Labelled(tuple(x), labels), filled)


def _header(lines: list[str], file: str) -> tuple[_Header, int]:
    """Return what the header says, and how many lines it has."""
    said: dict[str, list[str]] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        place = f"{file}, line {number}"
        key, *words = line.split()
        plain = key.removeprefix("@").lower()
        if not key.startswith("@") or plain not in KEYS:
            hint = near_misses(plain, KEYS) or ";"
            raise DataError(
                f"{place}: wanted a header line as @dimensions 12, came {line[:40]!r}{hint} try @data"
            )
        if plain in said:
            raise DataError(f"{place}: {key} is said twice; try to remove one")
        said[plain] = words
        if plain == "data":
            return _meaning(said, file), number
    raise DataError(f"{file}: wanted a line @data, came none; try to fetch the file again")


def _meaning(said: dict[str, list[str]], file: str) -> _Header:
    """Return the header's words as what they mean; refuse those that exclude each other."""
    if _truth(said, "timestamps", file):
        raise DataError(f"{file}: @timeStamps is true, wanted values without; try to write the values only")
    if "dimension" in said and "dimensions" in said:
        raise DataError(f"{file}: both @dimension and @dimensions are said; try to remove one")
    dimensions = _whole(said, "dimensions" if "dimensions" in said else "dimension", file)
    if _truth(said, "univariate", file):
        if dimensions not in (None, 1):
            raise DataError(
                f"{file}: @univariate is true but @dimensions is {dimensions}; try to mend the header"
            )
        dimensions = 1
    classes, target = _truth(said, "classlabel", file), _truth(said, "targetlabel", file)
    labels = tuple(said["classlabel"][1:]) if classes else ()
    if classes == target or (classes and len(set(labels)) != len(labels)) or (classes and not labels):
        raise DataError(
            f"{file}: wanted @classLabel true with the labels, each once, or @targetLabel true, came "
            f"{' '.join(said.get('classlabel', ['neither']))[:60]!r}; try to mend the header"
        )
    length = _whole(said, "serieslength", file)
    name = " ".join(said.get("problemname", [])) or file
    return _Header(name, labels, dimensions, length, _truth(said, "equallength", file), target)


def _truth(said: dict[str, list[str]], key: str, file: str) -> bool:
    words = said.get(key, ["false"])
    if not words or words[0].lower() not in ("true", "false"):
        raise DataError(f"{file}: wanted @{key} true or false, came {' '.join(words)[:40]!r}; try to mend it")
    return words[0].lower() == "true"


def _whole(said: dict[str, list[str]], key: str, file: str) -> int | None:
    if key not in said:
        return None
    word = " ".join(said[key])
    if not re.fullmatch(r"[1-9]\d{0,8}", word):
        raise DataError(
            f"{file}: wanted @{key} with a number from 1, came {word[:40]!r}; try to mend the header"
        )
    return int(word)


def _case(line: str, header: _Header, place: str) -> tuple[NDArray[np.float64], float]:
    """Return a case as ``[T, I]``, with its label."""
    *dimensions, label = line.split(":")
    if not dimensions or (header.dimensions and len(dimensions) != header.dimensions):
        wanted = header.dimensions or "some"
        raise DataError(
            f"{place}: wanted {wanted} dimensions and a label, separated by ':', came {len(dimensions)} "
            "dimensions; try to mend the line"
        )
    columns = [_values(text, f"{place}, dimension {i}") for i, text in enumerate(dimensions)]
    short = next((i for i, column in enumerate(columns) if len(column) != len(columns[0])), None)
    if short is not None:
        came = f"{len(columns[0])} in dimension 0 and {len(columns[short])} in dimension {short}"
        raise DataError(
            f"{place}: wanted as many values in each dimension, came {came}; try to mend the line"
        )
    return np.stack(columns, axis=1), _label(label.strip(), header, place)


def _values(text: str, place: str) -> NDArray[np.float64]:
    """Return the numbers of one dimension, NaN where one is missing."""
    cells = text.split(",")
    found = [_VALUE.fullmatch(cell) for cell in cells]
    wrong = next((i for i, value in enumerate(found) if value is None), None)
    if wrong is not None:
        came = repr(cells[wrong][:40])
        raise DataError(f"{place}, value {wrong}: wanted a number or '?', came {came}; try to mend the value")
    values = np.array([value[1] or "nan" for value in found if value], np.float64)
    if np.isinf(values).any():
        wrong = int(np.isinf(values).argmax())
        raise DataError(
            f"{place}, value {wrong}: wanted a finite number, came {cells[wrong][:40]!r}; try '?'"
        )
    return values


def _label(label: str, header: _Header, place: str) -> float:
    if not header.target:
        if label not in header.classes:
            known = " ".join(header.classes)[:60]
            raise DataError(
                f"{place}: wanted a label of the header, {known}, came {label[:40]!r}; try to add it"
            )
        return header.classes.index(label)
    number = _VALUE.fullmatch(label)
    if number is None or number[1] is None or np.isinf(float(number[1])):
        raise DataError(f"{place}: wanted a number as target, came {label[:40]!r}; try to mend the line")
    return float(number[1])


def _fill(values: NDArray[np.float64], fill: bool, place: str) -> int:
    """Refuse or fill, in place, the missing values of a case; return how many there were."""
    missing = np.isnan(values)
    count = int(missing.sum())
    if not count:
        return 0
    for index, (column, gaps) in enumerate(zip(values.T, missing.T, strict=True)):
        if gaps.any() and (not fill or gaps.all()):
            hint = "fill, which interpolates" if not gaps.all() else "to leave out the case"
            came = f"{int(gaps.sum())} of {len(gaps)} missing, the first at value {int(gaps.argmax())}"
            raise DataError(f"{place}, dimension {index}: wanted every value, came {came}; try {hint}")
        fill_gaps(column, gaps)
    return count


def _check_alike(x: list[NDArray[np.float64]], numbers: list[int], header: _Header, file: str) -> None:
    """Refuse cases of unlike width, and of unlike length where the header says that they are equal."""
    length = header.length or (len(x[0]) if header.equal else None)
    for values, number in zip(x, numbers, strict=True):
        if values.shape[1] != x[0].shape[1]:
            came = f"{values.shape[1]} dimensions, before {x[0].shape[1]}"
            raise DataError(
                f"{file}, line {number}: wanted all cases alike, came {came}; try to mend the line"
            )
        if length is not None and len(values) != length and (header.equal or header.length):
            raise DataError(
                f"{file}, line {number}: wanted {length} values, as the header and the first case say, came "
                f"{len(values)}; try @equalLength false"
            )
