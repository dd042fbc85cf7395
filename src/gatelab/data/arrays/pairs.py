"""Sets of labelled time series: a pair of ``_TRAIN.ts`` and ``_TEST.ts``, and the known ones by name."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from gatelab.data.arrays.labelled import LabelledData, hold_out
from gatelab.data.arrays.ts import TimeSeriesFile, read_timeseries
from gatelab.data.places import find
from gatelab.data.tree import read_file
from gatelab.errors import ConfigError, DataError

HELD_OUT = 0.2
"""The share of each class of the training file that validates."""


class Source(NamedTuple):
    """A known set: its title, folder, training file, cases for training and test, and home."""

    title: str
    folder: str
    file: str
    cases: tuple[int, int]
    home: str


LABELLED: Mapping[str, Source] = MappingProxyType(
    {
        "japanese-vowels": Source(
            "Japanese Vowels",
            "japanese_vowels",
            "JapaneseVowels_TRAIN.ts",
            (270, 370),
            "https://www.timeseriesclassification.com",
        )
    }
)
"""The known sets by their names."""


def load_labelled(
    name_or_path: str | os.PathLike[str], *, fill: bool = False, held_out: float = HELD_OUT, seed: int = 0
) -> LabelledData:
    """Return a set of labelled time series by its name, or from the path of either file of a pair.

    1. ``X_TRAIN.ts`` and ``X_TEST.ts`` are read; either path finds both.
    2. ``held_out`` of each class of the training file validates, drawn from ``seed``; the test file stays.

    Parameters
    ----------
    name_or_path
        ``"japanese-vowels"``, or a path.
    fill
        Fill missing values by linear interpolation within each dimension.
    held_out
        Share of the training file for validation, between 0 and 1.
    seed
        Of the draw; for numbers as targets, cases are drawn from ten strata of equal size.

    Raises
    ------
    ConfigError
        ``held_out`` is no share.
    DataError
        A file is missing or broken, the two do not fit, or a class of the test was never in training.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> case = "1,2:{0}\\n3,4:{0}\\n".format
    >>> text = "@univariate true\\n@classLabel true a b\\n@data\\n" + case("a") + case("b")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for split in ("TRAIN", "TEST"):
    ...         _ = pathlib.Path(folder, f"Two_{split}.ts").write_text(text)
    ...     data = load_labelled(pathlib.Path(folder, "Two_TEST.ts"))
    >>> len(data.train), len(data.valid), len(data.test), data.classes
    (2, 2, 4, ('a', 'b'))
    """
    source = LABELLED.get(os.fspath(name_or_path))
    if source is not None:
        path = find(source.title, source.folder, [source.file], source.home)
        return _load(path, os.fspath(name_or_path), source, fill, held_out, seed)
    path = Path(os.path.expanduser(name_or_path))
    return _load(path, re.sub(r"_(TRAIN|TEST)$", "", path.stem), None, fill, held_out, seed)


def _load(
    path: Path, name: str, source: Source | None, fill: bool, held_out: float, seed: int
) -> LabelledData:
    """Read both files and split the first."""
    if not 0 < held_out < 1:
        raise ConfigError(f"held_out: wanted a share between 0 and 1, came {held_out}; try {HELD_OUT}")
    both = [_read(place, fill) for place in _pair(path)]
    (train, first), (test, second) = both
    _check_pair(train, test, _pair(path))
    if source and (len(train.cases), len(test.cases)) != source.cases:
        came = len(train.cases), len(test.cases)
        raise DataError(
            f"{path}: is not {source.title}: wanted {source.cases} cases, came {came}; try its path"
        )
    stay, out = hold_out(_strata(train), held_out, seed)
    if not len(out):
        raise DataError(f"{path}: no class has two cases, of which one could validate; try a larger set")
    notes = [f"{len(out)} of {len(stay) + len(out)} training cases validate, drawn by class from seed {seed}"]
    if filled := train.filled + test.filled:
        notes.append(f"{filled:,} missing values were filled by linear interpolation")
    digest = hashlib.sha256(first + second).hexdigest()
    cases = train.cases
    title = source.title if source else train.name
    splits = cases.take(stay), cases.take(out), test.cases
    return LabelledData(name, title, train.classes, *splits, str(path), digest, tuple(notes))


def _pair(path: Path) -> tuple[Path, Path]:
    """Return the paths of the training and the test file from either."""
    split = re.search(r"_(train|test)\.ts$", path.name, re.IGNORECASE)
    if not split:
        raise DataError(f"{path}: wanted a file whose name ends in _TRAIN.ts or _TEST.ts; try to rename it")
    at = slice(split.start() + 1, split.end() - 3)
    lower = split[1].islower()
    names = [
        path.name[: at.start] + (s.lower() if lower else s) + path.name[at.stop :] for s in ("TRAIN", "TEST")
    ]
    return path.with_name(names[0]), path.with_name(names[1])


def _read(path: Path, fill: bool) -> tuple[TimeSeriesFile, bytes]:
    data = read_file(path, wanted="a pair of files that end in _TRAIN.ts and _TEST.ts")
    return read_timeseries(data, str(path), fill), hashlib.sha256(data).digest()


def _check_pair(train: TimeSeriesFile, test: TimeSeriesFile, places: tuple[Path, Path]) -> None:
    wide = [found.cases.x[0].shape[1] for found in (train, test)]
    if wide[0] != wide[1] or train.classes != test.classes:
        came = f"{wide[0]} and {wide[1]} dimensions, {len(train.classes)} and {len(test.classes)} classes"
        raise DataError(
            f"{places[1]}: wanted the header of {places[0].name}, came {came}; try files of one set"
        )
    if train.classes:
        strange = sorted(set(test.cases.y) - set(train.cases.y))
        if strange:
            label = train.classes[int(strange[0])]
            raise DataError(
                f"{places[1]}: the class {label!r} is in no case of {places[0].name}, so that nothing could "
                "learn it; try to move cases"
            )


def _strata(found: TimeSeriesFile) -> np.typing.NDArray[np.int64]:
    """Return the class of each case; for numbers, the tenth of the sorted targets it is in."""
    y = np.asarray(found.cases.y)
    if found.classes:
        return y.astype(np.int64)
    return np.argsort(np.argsort(y, kind="stable")) * 10 // len(y)
