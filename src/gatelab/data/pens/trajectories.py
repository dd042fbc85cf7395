"""The path of a pen, and what a network reads of it at each point.

What a network reads follows Greff et al. 2015, section III, for IAM-OnDB: the movement since the point
before, the time since the stroke began, and whether the pen is lifted.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gatelab.errors import DataError

FEATURES = ("delta x", "delta y", "time in stroke", "pen up")
POINT_LIMIT = 1_000_000
"""The most points of one trajectory."""
NUMBER = r"-?[0-9]{1,12}(?:\.[0-9]{1,12})?"
"""How a coordinate or a time is written: digits enough for any pen, and never infinite."""
_NUMBERS = re.compile(rf"(?:{NUMBER}(?: |$))*", re.ASCII)
_ONE = re.compile(NUMBER, re.ASCII)


@dataclass(frozen=True)
class Trajectory:
    """The points of one piece of writing, in the order in which they were written.

    Attributes
    ----------
    id
        A name of its own, ``"3000300/1427036394944_disagreement"``.
    group
        Its page, form or writer: what must not be torn apart between training and test.
    text
        What was written.
    points
        x and y ``[T, 2]``, in the units of the device, y pointing up; T ≥ 1.
    times
        Seconds ``[T]``, or None where the data has none.
    lifted
        Whether the pen was lifted after the point ``[T]``; the last is always True.
    """

    id: str
    group: str
    text: str
    points: NDArray[np.float64]
    times: NDArray[np.float64] | None
    lifted: NDArray[np.bool_]


@dataclass(frozen=True)
class PenScale:
    """What movements and times are divided by, measured on training data.

    It is the deviation over the training set and not the height of each sample, because the height depends on
    what is written ("are" is lower than "by"), and because a network that reads along has not seen it yet.

    Attributes
    ----------
    movement
        Root mean square of all delta x and delta y, in the units of the device: one number for both axes, so
        that directions and slant stay as they are.
    time
        Root mean square of the times since the stroke began: seconds, or points where there are no times.
    """

    movement: float
    time: float

    def apply(self, features: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return features ``[T, 4]`` divided; nothing is subtracted: 0 stays "did not move"."""
        scales = np.array([self.movement, self.movement, self.time, 1], np.float32)
        return np.asarray(features / scales, dtype=np.float32)


def pen_features(trajectory: Trajectory, every: int = 1) -> NDArray[np.float32]:
    """Return what a network reads at each point, in the units of the device.

    1. Of each stroke keep each ``every``-th point, from its first, and its last.
    2. delta x, delta y: the movement since the point before; 0 at the first point. Between two strokes it is
       the jump of the lifted pen.
    3. Time since the first point of the stroke: seconds, or the number of points where there are no times.
    4. Pen up: 1 at the last point of a stroke, else 0.

    Parameters
    ----------
    trajectory
        The path of the pen, T points.
    every
        2 halves the sequences, as Greff et al. did.

    Returns
    -------
    ndarray
        ``[T', 4]`` in float32, T' = T where ``every`` is 1; to be divided by a :class:`PenScale`.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.data.pens.trajectories import Trajectory, pen_features
    >>> points = np.array([[5.0, 0.0], [6.0, 2.0], [9.0, 2.0]])
    >>> pen_features(Trajectory("a", "page", "i", points, None, np.array([False, True, True])))
    array([[0., 0., 0., 0.],
           [1., 2., 1., 1.],
           [3., 0., 0., 1.]], dtype=float32)

    Notes
    -----
    K. Greff et al., "LSTM: A Search Space Odyssey", arXiv:1503.04069, section III.
    """
    lifted, start = trajectory.lifted, _stroke_starts(trajectory.lifted)
    time = (
        np.arange(len(start)) - start
        if trajectory.times is None
        else trajectory.times - trajectory.times[start]
    )
    points = trajectory.points
    if every > 1:
        kept = np.flatnonzero(((np.arange(len(start)) - start) % every == 0) | lifted)
        points, lifted, time = points[kept], lifted[kept], time[kept]
        if trajectory.times is None:  # points are counted as they are read
            time = np.arange(len(kept)) - _stroke_starts(lifted)
    features = np.zeros((len(points), len(FEATURES)), np.float32)
    features[1:, :2] = points[1:] - points[:-1]
    features[:, 2] = time
    features[:, 3] = lifted
    return features


def measure_scale(train: Sequence[NDArray[np.float32]]) -> PenScale:
    """Return what movements and times are divided by, from the features of the training split alone.

    Parameters
    ----------
    train
        Features ``[T, 4]`` of :func:`pen_features`. The first movement of each, 0 by definition,
        is not counted.

    Raises
    ------
    DataError
        No pen moved, or there are no features.

    Examples
    --------
    >>> import numpy as np
    >>> from gatelab.data.pens.trajectories import measure_scale
    >>> scale = measure_scale([np.array([[0, 0, 0, 0], [3, 4, 1, 1], [0, 5, 0, 1]], np.float32)])
    >>> round(scale.movement, 3), round(scale.time, 3)  # square roots of 50 / 4 and 1 / 3
    (3.536, 0.577)
    """
    rows = np.concatenate([np.zeros((0, len(FEATURES))), *train])  # [N, 4] in float64
    squares = np.square(rows[:, :3]).sum(axis=0)
    if not squares[:2].any():
        raise DataError(
            "pen trajectories: wanted a pen that moves in the training split, came none; try more"
        )
    movement = math.sqrt((squares[0] + squares[1]) / (2 * (len(rows) - len(train))))
    return PenScale(movement, math.sqrt(squares[2] / len(rows)) or 1.0)


def read_numbers(texts: Sequence[str]) -> NDArray[np.float64] | int:
    """Return decimal numbers as an array, or the place of the first text that is none."""
    joined = " ".join(texts)
    if all(texts) and joined.count(" ") == len(texts) - 1 and _NUMBERS.fullmatch(joined):
        return np.array(texts, dtype=np.float64)
    return next(place for place, text in enumerate(texts) if not _ONE.fullmatch(text))


def _stroke_starts(lifted: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Return for each point the place of the first point of its stroke ``[T]``."""
    begins = np.empty(len(lifted), np.bool_)
    begins[0], begins[1:] = True, lifted[:-1]
    starts: NDArray[np.intp] = np.flatnonzero(begins)[begins.cumsum() - 1]
    return starts
