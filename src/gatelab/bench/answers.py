"""What a step gives, by name, and how far two of them are apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Answers = Mapping[str, NDArray[Any]]
"""Of one batch: ``output`` [T, B, H], ``x`` ∂L/∂x [T, B, I], and ∂L/∂weight by each weight's name."""

LIMIT = 1e-5
"""The largest distance from float64 at which a float32 peer computes the same thing."""


def write(path: Path, answers: Sequence[Answers]) -> None:
    """Write the answers of all batches to one file."""
    flat = {f"{k}/{name}": value for k, batch in enumerate(answers) for name, value in batch.items()}
    with path.open("wb") as file:
        np.savez(file, **flat)  # type: ignore[arg-type]


def read(path: Path) -> list[Answers]:
    """Return what :func:`write` wrote."""
    found: dict[int, dict[str, NDArray[Any]]] = {}
    with np.load(path) as stored:
        for key in stored.files:
            batch, _, name = key.partition("/")
            found.setdefault(int(batch), {})[name] = stored[key]
    return [found[k] for k in sorted(found)]


def distance(ours: Sequence[Answers], truth: Sequence[Answers]) -> tuple[float, str]:
    """Return the largest relative distance ‖a − b‖ / ‖b‖ of a tensor, and that tensor's name.

    A tensor that is missing, of another shape or not finite is infinitely far.
    """
    worst, where = 0.0, ""
    for batch, right in zip(ours, truth, strict=True):
        for name, value in right.items():
            far = _far(batch.get(name), value)
            if not far <= worst:
                worst, where = far, name
    return worst, where


def _far(ours: NDArray[Any] | None, truth: NDArray[Any]) -> float:
    if ours is None or ours.shape != truth.shape or not np.isfinite(ours).all():
        return float("inf")
    size = float(np.linalg.norm(truth))
    return float(np.linalg.norm(ours - truth)) / size if size else float(np.abs(ours).max(initial=0.0))
