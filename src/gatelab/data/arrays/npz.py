"""Sequences and labels as NumPy arrays in one ``.npz`` file, such as features of the frames of videos.

The file is what ``numpy.savez`` writes from numbers and texts; objects (pickles) are refused. Its arrays:

- **x**, sequences of T frames of I numbers, in one of three forms:
  ``x_0``, ``x_1`` … each ``[T, I]``, T may differ; or ``x`` as ``[N, T, I]``; or ``x`` as the rows of all
  sequences one below the other, ``[sum of T, I]``, with ``lengths`` ``[N]``. Where I is 1, its axis may be
  left out of ``x_0``, ``x_1`` …
- **y**, labels, whole numbers or texts (classes), or floating-point numbers (targets, per sequence only):
  per sequence, ``y`` as ``[N]``; or per frame, in the form that x has: ``y_0``, ``y_1`` … each ``[T]``, or
  ``y`` as ``[N, T]``, or ``y`` as ``[sum of T]``.
- **split** (optional), ``[N]`` of the texts ``train``, ``valid`` and ``test``. Without it, 15 % of each class
  test and 15 % validate, drawn from a seed.

::

    import numpy as np

    arrays = {f"x_{k}": features for k, features in enumerate(videos)}  # [T, I] each
    np.savez("videos.npz", **arrays, y=np.array(["wave", "clap", …]), split=np.array(["train", "test", …]))
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gatelab.data.arrays.labelled import Labelled, LabelledData, Labels, hold_out
from gatelab.data.splits import SPLITS
from gatelab.data.tree import Tree
from gatelab.errors import DataError, near_misses
from gatelab.npy import read_npy

BYTES = 2 * 2**30
"""The most bytes of all arrays together."""
HELD_OUT = 0.15
"""The share of each class for validation, and for test, where the file does not say."""
KEYS = ("x", "y", "lengths", "split", "x_0", "y_0")

Arrays = Mapping[str, NDArray[Any]]


def load_arrays(path: str | os.PathLike[str], *, seed: int = 0) -> LabelledData:
    """Return the labelled sequences of a ``.npz`` file; the module says what it holds.

    Parameters
    ----------
    path
        The file, of at most 2 GiB of arrays.
    seed
        Of the draw, where the file does not say which sequences validate and test.

    Returns
    -------
    LabelledData
        Sequences in float64, or float32 where the file has it; classes in ascending order.

    Raises
    ------
    DataError
        With the array, sequence and frame (from 0): the file is damaged, carries objects, arrays do not fit
        each other, a number is not finite, a split is empty, a class of the test was never in training.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from gatelab.data.arrays.npz import load_arrays
    >>> draw = np.random.default_rng(0)
    >>> videos = {f"x_{k}": draw.normal(size=(5 + k, 3)) for k in range(6)}
    >>> labels, split = ["wave", "clap"] * 3, ["train", "train", "valid", "valid", "test", "test"]
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.savez(pathlib.Path(folder, "videos.npz"), **videos, y=labels, split=split)
    ...     data = load_arrays(pathlib.Path(folder, "videos.npz"))
    >>> data.classes, data.train.y, [x.shape for x in data.test.x]
    (('clap', 'wave'), array([1, 0]), [(9, 3), (10, 3)])
    """
    place = Path(os.path.expanduser(path))
    if not place.is_file():
        raise DataError(f"{place}: wanted a .npz file, came no file; try its path")
    tree = Tree(place)
    arrays = _read(tree)
    x = _sequences(arrays, str(place))
    y, classes = _labels(arrays, [len(sequence) for sequence in x], str(place))
    rows, notes = _rows(arrays, x, y, seed, str(place))
    whole = Labelled(x, y)
    train, valid, test = (whole.take(rows[split]) for split in SPLITS)
    if classes:
        _check_classes(train, {"validation": valid, "the test": test}, classes, str(place))
    name, digest = place.stem, tree.digest()
    return LabelledData(name, name, classes, train, valid, test, str(place), digest, notes)


def read_sequences(path: Path) -> tuple[NDArray[np.floating[Any]], ...]:
    """Return the sequences ``[T, I]`` of a ``.npz`` file, labelled or not.

    Raises
    ------
    DataError
        As :func:`load_arrays`.
    """
    return _sequences(_read(Tree(path)), str(path))


def _read(tree: Tree) -> Arrays:
    """Return all arrays by their names."""
    total = sum(tree.size(name) for name in tree.names())
    if total > BYTES:
        raise DataError(
            f"{tree.path}: wanted at most {BYTES >> 20} MiB of arrays, came {total >> 20}; try fewer"
        )
    arrays = {}
    for name in tree.names():
        key = name.removesuffix(".npy")
        if key == name or not re.fullmatch(r"x|y|lengths|split|[xy]_(0|[1-9]\d{0,8})", key):
            hint = near_misses(key, KEYS) or ";"
            raise DataError(f"{tree.place(name)}: is no array known here{hint} try {', '.join(KEYS)}")
        arrays[key] = read_npy(tree.read(name, BYTES), tree.place(name))
    return arrays


def _some(arrays: Arrays) -> str:
    names = list(arrays)
    return f"{', '.join(names[:4])} … ({len(names)} arrays)" if len(names) > 4 else ", ".join(names) or "none"


def _numbered(arrays: Arrays, letter: str, file: str) -> list[NDArray[Any]]:
    """Return ``x_0``, ``x_1`` …, of which none may be missing."""
    found = {int(key[2:]): array for key, array in arrays.items() if key.startswith(f"{letter}_")}
    missing = next((k for k in range(len(found)) if k not in found), None)
    if missing is not None:
        raise DataError(
            f"{file}: {letter}_{missing} is missing, of {len(found)} arrays; try to number from 0"
        )
    return [found[k] for k in range(len(found))]


def _sequences(arrays: Arrays, file: str) -> tuple[NDArray[np.floating[Any]], ...]:
    """Return the sequences, ``[T, I]`` each, whichever form they have."""
    numbered = _numbered(arrays, "x", file)
    if bool(numbered) == ("x" in arrays):
        raise DataError(f"{file}: wanted either x or x_0, x_1 …, came {_some(arrays)}; try one of both")
    if numbered:
        parts = [array[:, None] if array.ndim == 1 else array for array in numbered]
    else:
        parts = _parts(arrays, "x", arrays["x"].ndim == 3, file)
    width = parts[0].shape[1] if parts[0].ndim == 2 else "I"
    for index, part in enumerate(parts):
        place = f"{file}: x, sequence {index}"
        if part.ndim != 2 or not part.size or part.shape[1] != width:
            came = " x ".join(map(str, part.shape))
            raise DataError(
                f"{place}: wanted T x {width} numbers, T from 1, came {came}; try to leave it out"
            )
        _check_finite(part, place)
    wanted = np.float32 if all(part.dtype == np.float32 for part in parts) else np.float64
    return tuple(np.ascontiguousarray(part, wanted) for part in parts)


def _parts(arrays: Arrays, key: str, stacked: bool, file: str) -> list[NDArray[Any]]:
    """Return the sequences of one array: its first axis, or its rows by ``lengths``."""
    array = arrays[key]
    if stacked:
        if "lengths" in arrays or not len(array):
            came = "lengths as well" if len(array) else "none"
            raise DataError(
                f"{file}: {key}: wanted N sequences of one length, came {came}; try the rows of all"
            )
        return list(array)
    lengths = arrays.get("lengths")
    if lengths is None or lengths.ndim != 1 or lengths.dtype.kind not in "iu" or not len(lengths):
        came = "x " + " x ".join(map(str, arrays[key].shape)) + (" without it" if lengths is None else "")
        raise DataError(
            f"{file}: wanted lengths as [N] whole numbers beside x as rows, came {came}; try x_0, x_1 …"
        )
    ends = [0]
    for length in lengths.tolist():
        ends.append(ends[-1] + length)
    rows = len(array) if array.ndim else 0
    if min(lengths.tolist()) < 1 or ends[-1] != rows:
        came = f"{ends[-1]:,} for {rows:,} rows of {key}, the least {min(lengths.tolist())}"
        raise DataError(
            f"{file}: lengths: wanted numbers from 1 whose sum is that of rows, came {came}; try x_0, …"
        )
    return [array[a:b] for a, b in pairwise(ends)]


def _check_finite(part: NDArray[Any], place: str) -> None:
    if part.dtype.kind not in "fiub":
        raise DataError(f"{place}: wanted numbers, came {part.dtype}; try to convert them")
    finite = np.isfinite(part)
    if not finite.all():
        frame, number = np.argwhere(~finite)[0]
        came = part[frame, number]
        raise DataError(
            f"{place}, frame {frame}: wanted finite numbers, came {came} at {number}; try to mend it"
        )


def _labels(arrays: Arrays, lengths: list[int], file: str) -> tuple[Labels, tuple[str, ...]]:
    """Return the labels, and what the indices of classes mean."""
    numbered = _numbered(arrays, "y", file)
    if bool(numbered) == ("y" in arrays):
        raise DataError(f"{file}: wanted either y or y_0, y_1 …, came {_some(arrays)}; try one of both")
    if not numbered and arrays["y"].shape == (len(lengths),) and "lengths" not in arrays:
        return _of_sequences(arrays["y"], file)
    if not numbered and arrays["y"].shape == (len(lengths),) and sum(lengths) != len(lengths):
        return _of_sequences(arrays["y"], file)
    if not numbered and "lengths" not in arrays and arrays["y"].ndim != 2:
        shape = " x ".join(map(str, arrays["y"].shape)) or "a single one"
        raise DataError(
            f"{file}: y: wanted {len(lengths)} labels, one a sequence, came {shape}; try y as [N]"
        )
    parts = numbered or _parts(arrays, "y", arrays["y"].ndim == 2, file)
    came = [part.shape for part in parts]
    if came != [(length,) for length in lengths]:
        index = next((k for k, (a, b) in enumerate(zip(came, lengths, strict=False)) if a != (b,)), 0)
        raise DataError(
            f"{file}: y: wanted {len(lengths)} labels, or one for each frame of each sequence, came "
            f"{len(parts)} arrays, sequence {index} of shape {came[index] if came else ()}; try y as [N]"
        )
    return _of_frames(parts, lengths, file)


def _of_sequences(y: NDArray[Any], file: str) -> tuple[Labels, tuple[str, ...]]:
    if y.dtype.kind != "f":
        classes, indices = np.unique(y, return_inverse=True)
        return indices.astype(np.int64), _names(classes)
    if not np.isfinite(y).all():
        index = int((~np.isfinite(y)).argmax())
        raise DataError(
            f"{file}: y, sequence {index}: wanted a finite target, came {y[index]}; try to mend it"
        )
    return y.astype(np.float64), ()


def _of_frames(parts: list[NDArray[Any]], lengths: list[int], file: str) -> tuple[Labels, tuple[str, ...]]:
    if any(part.dtype.kind == "f" for part in parts) or len({part.dtype.kind in "US" for part in parts}) > 1:
        raise DataError(
            f"{file}: y: wanted whole numbers or texts as labels of frames, came others; try classes"
        )
    classes, indices = np.unique(np.concatenate(parts), return_inverse=True)
    return tuple(np.split(indices.astype(np.int64), np.cumsum(lengths)[:-1])), _names(classes)


def _names(classes: NDArray[Any]) -> tuple[str, ...]:
    """Return classes as texts; bytes are read as Latin-1, which knows every byte."""
    return tuple(c.decode("latin-1") if isinstance(c, bytes) else str(c) for c in classes.tolist())


def _rows(
    arrays: Arrays, x: tuple[NDArray[Any], ...], y: Labels, seed: int, file: str
) -> tuple[dict[str, NDArray[np.intp]], tuple[str, ...]]:
    """Return the sequences of each split, as the file says or as drawn."""
    if "split" not in arrays:
        classes = isinstance(y, np.ndarray) and y.dtype.kind == "i"
        strata = np.asarray(y, np.int64) if classes else np.zeros(len(x), np.int64)
        rest, test = hold_out(strata, HELD_OUT, seed)
        stay, out = hold_out(strata[rest], HELD_OUT / (1 - HELD_OUT), seed)
        rows = {"train": rest[stay], "valid": rest[out], "test": test}
        note = f"the file names no split: {', '.join(f'{len(r)} {s}' for s, r in rows.items())}, seed {seed}"
    else:
        names = np.array(_names(arrays["split"].ravel()))
        if len(names) != len(x) or not np.isin(names, SPLITS).all():
            came = f"{len(names)} of {', '.join(sorted(set(names.tolist()))[:5])}"[:80]
            raise DataError(
                f"{file}: split: wanted {len(x)} of train, valid and test, came {came}; try these texts"
            )
        rows, note = {split: np.flatnonzero(names == split) for split in SPLITS}, ""
    empty = next((split for split in SPLITS if not len(rows[split])), None)
    if empty:
        raise DataError(f"{file}: no sequence is left to {empty}; try more sequences, or split")
    return rows, (note,) if note else ()


def _check_classes(
    train: Labelled, others: Mapping[str, Labelled], classes: tuple[str, ...], file: str
) -> None:
    """Refuse a class of validation or test that training never had."""
    seen = np.concatenate([np.ravel(y) for y in train.y])
    for what, part in others.items():
        strange = np.setdiff1d(np.concatenate([np.ravel(y) for y in part.y]), seen)
        if len(strange):
            name = classes[int(strange[0])]
            raise DataError(
                f"{file}: y: the class {name!r} of {what} is in no sequence for training; try to move some"
            )
