"""What each head of ``gatelab.nn`` is in ONNX: its affine map, and how the numbers become its answers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from torch import nn

from gatelab.errors import ConfigError
from gatelab.export.network import affine_map
from gatelab.export.rules import Scope
from gatelab.nn import (
    CTC,
    AdaptiveSoftmax,
    Bernoulli,
    Categorical,
    Gaussian,
    GaussianMixture,
    Quantiles,
    SampledSoftmax,
    StudentT,
)
from gatelab.nn.heads.affine import affine_of
from gatelab.nn.heads.student import LEAST

Rule = Callable[[Scope, Any, str, int], str]


def head_answers(scope: Scope, head: nn.Module, hidden: str, width: int, rank: int) -> tuple[str, list[int]]:
    """Write a head's answers; return their name and the axes that stand in place of hidden's last one.

    Parameters
    ----------
    hidden
        The name of hidden rows [..., width], of ``rank`` axes.

    Raises
    ------
    ConfigError, ShapeError
        Where the head is none of those below, or reads another number of inputs.
    """
    if isinstance(head, AdaptiveSoftmax):
        return _clusters(scope, head, hidden), [head.output_size]
    if type(head) not in RULES:
        known = ", ".join(kind.__name__ for kind in (*RULES, AdaptiveSoftmax))
        raise ConfigError(f"ONNX: wanted a head of {known}, got {type(head).__name__}")
    affine = affine_of(head, width)
    answers = RULES[type(head)](scope, head, affine_map(scope.graph, affine, hidden), rank)
    return answers, _axes(head, affine)


def _axes(head: Any, affine: nn.Linear) -> list[int]:
    rows = {Gaussian: 2, StudentT: 3}.get(type(head), len(getattr(head, "levels", ())))
    return [rows, head.output_size] if rows else [affine.out_features]


def _as_they_are(scope: Scope, head: Any, free: str, rank: int) -> str:
    return free


def _gaussian(scope: Scope, head: Gaussian, free: str, rank: int) -> str:
    means, scales = _split(scope, free, head.output_size, head.output_size)
    return _beside(scope, [means, _log_scale(scope, scales, head.floor)])


def _student(scope: Scope, head: StudentT, free: str, rank: int) -> str:
    places, scales, tails = _split(scope, free, *[head.output_size] * 3)
    freedom = scope.graph.add("Add", _softplus(scope, tails), scope.number(LEAST))
    return _beside(scope, [places, _log_scale(scope, scales, head.floor), freedom])


def _mixture(scope: Scope, head: GaussianMixture, free: str, rank: int) -> str:
    scales = head.components * head.output_size
    linear, last = _split(scope, free, head.components + scales, scales)
    return scope.graph.add("Concat", linear, _log_scale(scope, last, head.floor), axis=-1)


def _quantiles(scope: Scope, head: Quantiles, free: str, rank: int) -> str:
    graph, count = scope.graph, len(head.levels)
    if count > 1:
        lowest, others = _split(scope, free, head.output_size, (count - 1) * head.output_size)
        free = graph.add("Concat", lowest, _softplus(scope, others), axis=-1)
    steps = graph.add("Reshape", free, graph.whole(*[0] * (rank - 1), count, head.output_size))
    return graph.add("CumSum", steps, graph.whole(rank - 1))


def _clusters(scope: Scope, head: AdaptiveSoftmax, hidden: str) -> str:
    """Write log p of every class: of the frequent ones, and of those in each cluster with its own."""
    graph, softmax = scope.graph, head.softmax
    top = graph.add("LogSoftmax", affine_map(graph, softmax.head, hidden), axis=-1)
    frequent, *clusters = _split(scope, top, softmax.shortlist_size, *[1] * softmax.n_clusters)
    logs = [frequent]
    for cluster, maps in zip(clusters, softmax.tail, strict=True):
        shrunk, spread = (part for part in maps.children() if isinstance(part, nn.Linear))
        rows = affine_map(graph, spread, affine_map(graph, shrunk, hidden))
        logs.append(graph.add("Add", graph.add("LogSoftmax", rows, axis=-1), cluster))
    return graph.add("Concat", *logs, axis=-1)


def _split(scope: Scope, value: str, *widths: int) -> list[str]:
    """Cut the last axis into pieces of these widths."""
    names = [scope.graph.fresh("part") for _ in widths]
    return list(scope.graph.add_several("Split", [value, scope.graph.whole(*widths)], names, axis=-1))


def _beside(scope: Scope, rows: list[str]) -> str:
    """Return rows [..., D] beside each other, [..., rows, D]."""
    lifted = [scope.graph.add("Unsqueeze", row, scope.graph.whole(-2)) for row in rows]
    return scope.graph.add("Concat", *lifted, axis=-2)


def _log_scale(scope: Scope, free: str, floor: float) -> str:
    """Write what :func:`gatelab.nn.heads.scale.log_scale` computes."""
    low = scope.number(math.log(floor))
    return scope.graph.add("Add", _softplus(scope, scope.graph.add("Sub", free, low)), low)


def _softplus(scope: Scope, value: str) -> str:
    """Write max(x, 0) + log(1 + exp(−|x|)): onnxruntime's own Softplus knows float32 only."""
    add = scope.graph.add
    small = add("Exp", add("Neg", add("Abs", value)))
    return add("Add", add("Relu", value), add("Log", add("Add", small, scope.number(1.0))))


RULES: Mapping[type[nn.Module], Rule] = MappingProxyType(
    {
        nn.Linear: _as_they_are,
        Bernoulli: _as_they_are,
        Categorical: _as_they_are,
        CTC: _as_they_are,
        Gaussian: _gaussian,
        StudentT: _student,
        Quantiles: _quantiles,
        GaussianMixture: _mixture,
        SampledSoftmax: _as_they_are,
    }
)
"""Writes what follows a head's affine map: rule(scope, head, its name, number of axes) → name."""
