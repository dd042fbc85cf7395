"""Arrays as a user gives them to an estimator, checked; and which of them are held out for validation."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gatelab.data.arrays.labelled import hold_out
from gatelab.errors import ConfigError, DataError, ShapeError

Floats = NDArray[np.float64]
Rows = NDArray[np.intp]


def sequences(x: Any, inputs: int | None = None) -> list[Floats]:
    """Return sequences ``[T_i, I]`` of finite numbers.

    Parameters
    ----------
    x
        An array ``[N, T, I]``, or a list of arrays ``[T_i, I]`` of any lengths.
    inputs
        I, where it is known already.

    Raises
    ------
    ShapeError
        Where it is something else; the message names the sequence.
    DataError
        A number is not finite.

    Examples
    --------
    >>> import numpy as np
    >>> [s.shape for s in sequences([np.ones((4, 2)), np.ones((1, 2))])]
    [(4, 2), (1, 2)]
    """
    if is_array(x):
        x = np.asarray(x)
    if is_array(x) and x.ndim != 3:
        hint = "; of one number a step, try X[..., None]" if x.ndim == 2 else ""
        raise ShapeError(f"X: wanted [N, T, I] or a list of arrays [T, I], got {list(x.shape)}{hint}")
    found = [_numbers(f"X[{k}]", part) for k, part in enumerate(x)]
    if not found:
        raise ShapeError("X: wanted at least one sequence, got none")
    wanted = inputs or (found[0].shape[-1] if found[0].ndim == 2 else "any")
    for k, part in enumerate(found):
        if part.ndim != 2 or not len(part) or not part.shape[1] or part.shape[1] != wanted:
            raise ShapeError(f"X[{k}]: wanted [T, I] with T from 1 and I = {wanted}, got {list(part.shape)}")
    return found


def is_array(x: Any) -> bool:
    """Return whether this is one array (or tensor, or table) of numbers, and not a row of arrays."""
    return hasattr(x, "__array__") and str(getattr(x, "dtype", "")) != "object"


def _numbers(name: str, part: Any) -> Floats:
    try:
        found = np.asarray(part, np.float64)
    except (TypeError, ValueError) as error:
        raise ShapeError(f"{name}: wanted an array of numbers ({error})") from None
    if not np.isfinite(found).all():
        raise DataError(f"{name}: wanted finite numbers, got {int((~np.isfinite(found)).sum())} that are not")
    return found


def numbered(labels: ArrayLike, what: str = "y") -> tuple[NDArray[Any], NDArray[np.int64]]:
    """Return the classes, sorted, and the place among them of each label.

    Raises
    ------
    DataError
        There are fewer than two classes, or no labels but other things.

    Examples
    --------
    >>> classes, places = numbered(["b", "a", "b"])
    >>> classes.tolist(), places.tolist()
    (['a', 'b'], [1, 0, 1])
    """
    found = np.asarray(labels)
    if found.dtype.kind in "OT" and all(isinstance(label, str) for label in found.flat):
        found = found.astype(str)  # texts as pandas keeps them
    if found.ndim != 1 or found.dtype.kind not in "biufU":
        raise ShapeError(
            f"{what}: wanted labels, numbers or texts, [N], got {list(found.shape)} of {found.dtype}"
        )
    if found.dtype.kind == "f" and not np.isfinite(found).all():
        raise DataError(f"{what}: wanted labels, got numbers that are not finite")
    classes, places = np.unique(found, return_inverse=True)
    if len(classes) < 2:
        raise DataError(f"{what}: wanted two classes or more, got {len(classes)}")
    return classes, places.astype(np.int64)


def held_out(
    x: Sequence[Floats], strata: NDArray[np.int64], share: float, seed: int, groups: ArrayLike | None = None
) -> tuple[Rows, Rows]:
    """Return which sequences train and which validate, both rising.

    Sequences of a group are in one part, and equal sequences are where no groups are given; so nothing that
    is learned by heart is validated. Of each stratum (a group's is its first sequence's) the same share is
    held out.

    Raises
    ------
    ConfigError
        The share is none.
    DataError
        There is nothing to hold out: no stratum has two groups.
    """
    check_share(share)
    names = np.array([_digest(s) for s in x]) if groups is None else np.asarray(groups)
    if names.shape != (len(x),):
        raise ShapeError(f"groups: wanted one a sequence, [{len(x)}], got {list(names.shape)}")
    _, first, of = np.unique(names, return_index=True, return_inverse=True)
    stay, out = hold_out(strata[first], float(share), seed)
    if not len(out):
        raise DataError(
            f"X: wanted two different sequences (or groups) of some class, one to train on and one to "
            f"validate, got {len(first)} in all; try more data"
        )
    return np.flatnonzero(np.isin(of, stay)), np.flatnonzero(np.isin(of, out))


def check_share(share: float) -> None:
    """Refuse a share of the data that is none, with a ConfigError."""
    if isinstance(share, bool) or not isinstance(share, int | float) or not 0 < share < 1:
        raise ConfigError(f"validation: wanted a share above 0 and below 1, got {share!r}")


def _digest(sequence: Floats) -> str:
    return hashlib.sha256(f"{sequence.shape}".encode() + sequence.tobytes()).hexdigest()


def digest(arrays: Iterable[NDArray[Any]]) -> str:
    """Return the SHA-256 of arrays, their shapes and types."""
    total = hashlib.sha256()
    for array in arrays:
        total.update(f"{array.shape} {array.dtype}".encode() + array.tobytes())
    return total.hexdigest()
