"""jax.lax.scan under jit: XLA compiles the loop and its derivative. Ragged batches stay padded."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from gatelab.bench.answers import Answers
from gatelab.bench.peers.packing import packed, unpacked
from gatelab.bench.problem import Problem

# Weights are held transposed, [I, G H] and [H, G H]: the form in which XLA's products are fastest.


def _cells(jax: Any) -> dict[str, Any]:
    """Return cell → function (a, states, weights) → states; see ``loops`` for the equations."""
    np_, sigmoid, tanh = jax.numpy, jax.nn.sigmoid, jax.numpy.tanh

    def lstm(a: Any, s: Any, U: Any) -> Any:
        h, c = s
        i, f, g, o = np_.split(a + h @ U, 4, 1)
        c = sigmoid(f) * c + sigmoid(i) * tanh(g)
        return sigmoid(o) * tanh(c), c

    def lstm_with_peepholes(a: Any, s: Any, U: Any, V: Any) -> Any:
        h, c = s
        Vi, Vf, Vo = np_.split(V, 3)
        i, f, g, o = np_.split(a + h @ U, 4, 1)
        c = sigmoid(f + Vf * c) * c + sigmoid(i + Vi * c) * tanh(g)
        return sigmoid(o + Vo * c) * tanh(c), c

    def gru(a: Any, s: Any, U: Any) -> Any:
        (h,) = s
        size = h.shape[1]
        z, r = np_.split(sigmoid(a[:, : 2 * size] + h @ U[:, : 2 * size]), 2, 1)
        candidate = tanh(a[:, 2 * size :] + (r * h) @ U[:, 2 * size :])
        return (h + z * (candidate - h),)

    def gru_after(a: Any, s: Any, U: Any, d: Any) -> Any:
        (h,) = s
        size = h.shape[1]
        product = h @ U
        r, z = np_.split(sigmoid(a[:, : 2 * size] + product[:, : 2 * size]), 2, 1)
        candidate = tanh(a[:, 2 * size :] + r * (product[:, 2 * size :] + d))
        return (candidate + z * (h - candidate),)

    def plain(a: Any, s: Any, U: Any) -> Any:
        return (tanh(a + s[0] @ U),)

    return {"lstm-np": lstm, "lstm": lstm_with_peepholes, "gru": gru, "gru-after": gru_after, "tanh": plain}


class ScanStep:
    """Forward and derivative of a scan, compiled together for each shape."""

    def __init__(self, problem: Problem) -> None:
        jax = importlib.import_module("jax")
        self.engine, self.wait = f"jax {jax.__version__}", jax.block_until_ready
        self.name = problem.cell.name
        cell, states = _cells(jax)[self.name], len(problem.cell.states)
        device = jax.numpy.asarray
        W, U, b, *further = packed(problem.weights, self.name)
        self.weights = [device(v) for v in (W.T, U.T, b, *further)]
        # One shape for all batches: a compiled program serves one shape only.
        steps = max(max(batch.lengths) for batch in problem.batches)
        self.batches = [
            (device(_padded(batch.x, steps)), device(_padded(batch.cotangent, steps)), max(batch.lengths))
            for batch in problem.batches
        ]

        def forward(x: Any, W: Any, U: Any, b: Any, *further: Any) -> Any:
            start = (jax.numpy.zeros((x.shape[1], U.shape[0])),) * states

            def step(carried: Any, a: Any) -> Any:
                carried = cell(a, carried, U, *further)
                return carried, carried[0]

            return jax.lax.scan(step, start, x @ W + b)[1]

        def both(cotangent: Any, *arguments: Any) -> Any:
            output, pull = jax.vjp(forward, *arguments)
            return output, pull(cotangent)

        self.run = jax.jit(both)

    def __call__(self) -> None:
        """Run the step and wait for it."""
        for x, cotangent, _ in self.batches:
            self.wait(self.run(cotangent, x, *self.weights))

    def answers(self) -> list[Answers]:
        """Run the step and return what it gives."""
        found: list[Answers] = []
        for x, cotangent, length in self.batches:
            output, (by_x, *by_weights) = self.run(cotangent, x, *self.weights)
            W, U, *vectors = (np.asarray(v, np.float64) for v in by_weights)
            live = np.asarray(cotangent)[:length].any(-1, keepdims=True)
            named = unpacked([W.T, U.T, *vectors], self.name)
            found.append(
                {"output": np.asarray(output)[:length] * live, "x": np.asarray(by_x)[:length], **named}
            )
        return found


def _padded(value: Any, steps: int) -> Any:
    return np.pad(value, [(0, steps - len(value)), (0, 0), (0, 0)])


def make(problem: Problem, variant: str) -> ScanStep:
    """Prepare a step."""
    return ScanStep(problem)
