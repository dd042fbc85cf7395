"""Beam search over a step function: the likeliest sentences of a decoder."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from gatelab.errors import ConfigError, ShapeError
from gatelab.nn.border import check_float, check_sizes

State = tuple[Tensor, ...]
Step = Callable[[Tensor, State], tuple[Tensor, State]]


class Sentence(NamedTuple):
    """Symbols that a search found.

    Attributes
    ----------
    symbols
        Without the start, with the end where it was reached.
    log_probability
        Sum over the symbols, in nats.
    score
        What sentences are ranked by: the log-probability over (number of symbols) ** ``length_power``.
    ended
        Whether the end was reached; where it was not, the sentence was cut at ``longest``.
    """

    symbols: tuple[int, ...]
    log_probability: float
    score: float
    ended: bool


@torch.no_grad()
def beam_search(
    step: Step,
    state: State,
    start: int | Tensor,
    end: int,
    width: int,
    longest: int,
    length_power: float = 0.0,
    batch_axis: int = 1,
) -> list[list[Sentence]]:
    """Return the best sentences of each member of a batch.

    1. The ``width`` likeliest continuations of a member's hypotheses are kept at each step.
    2. One that ends leaves the beam, which is then narrower by one; width 1 is greedy search.
    3. It is over when all have ended, or after ``longest`` symbols.

    Parameters
    ----------
    step
        (symbols int64 [R], state) → (logits [R, V], state), for R = B · width rows, those of a member side by
        side. Logits need not be normalised.
    state
        Tensors with B members on ``batch_axis``: the decoder's states, and whatever belongs to a member, such
        as the encoder's output. What ``step`` gives back has the same form, with R instead of B.
    start
        The symbol before the first, or one for each member, int64 [B].
    end
        The symbol that ends a sentence.
    width, longest
        Hypotheses kept, and symbols at most, the end included.
    length_power
        0 ranks by log-probability, 1 by log-probability a symbol; in between as Wu et al. 2016 do it.
    batch_axis
        1 for states [L, B, H], as gatelab's layers give them.

    Returns
    -------
    list of list of Sentence
        For each member up to ``width``, those that ended first, and each of both with the best score first.

    Raises
    ------
    ShapeError, ConfigError
        Where an argument, or what ``step`` gives back, does not fit.

    Sources: Sutskever, Vinyals, Le 2014, section 3.2, for the narrowing beam; Cho et al. 2014, section 4.

    Examples
    --------
    >>> import torch
    >>> table = torch.tensor([[0.1, 0.6, 0.3], [0.5, 0.1, 0.4], [0.9, 0.05, 0.05]]).log()
    >>> step = lambda symbols, state: (table[symbols], state)  # from symbol to symbol
    >>> found = beam_search(step, (torch.ones(1, 1, 2),), start=1, end=0, width=2, longest=5)
    >>> found[0][0].symbols, round(found[0][0].log_probability, 3)
    ((0,), -0.693)
    """
    _check(state, end, width, longest, length_power, batch_axis)
    batch = state[0].shape[batch_axis]
    device = state[0].device
    symbols = _starts(start, batch, device).repeat_interleave(width)
    state = tuple(s.repeat_interleave(width, batch_axis) for s in state)
    score = torch.full((batch, width), -math.inf, dtype=torch.float64, device=device)
    score[:, 0] = 0
    room = torch.full((batch, 1), width, device=device)
    told = torch.zeros((batch, width, 0), dtype=torch.int64, device=device)
    found: list[list[Sentence]] = [[] for _ in range(batch)]
    first = torch.arange(batch, device=device).unsqueeze(1) * width
    for count in range(1, longest + 1):
        logits, state = step(symbols, state)
        logs = _normalised(logits, batch * width, end)
        score, place, added = _best(score, logs.view(batch, width, -1), room)
        told = torch.cat(
            (told.gather(1, place.unsqueeze(-1).expand(-1, -1, count - 1)), added.unsqueeze(-1)), -1
        )
        ended = (added == end) & (score > -math.inf)
        _keep(found, told, score, ended, length_power, True)
        score = score.masked_fill(ended, -math.inf)
        room = room - ended.sum(1, keepdim=True)
        if not bool((score > -math.inf).any()):
            break
        rows = (first + place).flatten()
        state = tuple(s.index_select(batch_axis, rows) for s in _checked(state, batch * width, batch_axis))
        symbols = added.flatten()
    _keep(found, told, score, score > -math.inf, length_power, False)
    return [sorted(some, key=lambda s: (not s.ended, -s.score)) for some in found]


def _best(score: Tensor, logs: Tensor, room: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return the best continuations' scores, the places they come from and their symbols, [B, width]."""
    width, symbols = logs.shape[1:]
    every = (score.unsqueeze(-1) + logs).flatten(1)
    best, chosen = every.topk(min(width, every.shape[1]), 1)
    rank = torch.arange(width, device=score.device)
    best = best.masked_fill(rank >= room, -math.inf)
    return best, chosen.div(symbols, rounding_mode="floor"), chosen % symbols


def _keep(
    found: list[list[Sentence]], told: Tensor, score: Tensor, which: Tensor, power: float, ended: bool
) -> None:
    """Write down the chosen hypotheses."""
    length = told.shape[-1]
    for row, column in which.nonzero().tolist():
        value = float(score[row, column])
        sentence = tuple(told[row, column].tolist())
        found[row].append(Sentence(sentence, value, value / length**power, ended))


def _starts(start: int | Tensor, batch: int, device: torch.device) -> Tensor:
    if isinstance(start, int):
        return torch.full((batch,), start, device=device)
    if start.shape != (batch,) or start.dtype != torch.int64:
        raise ShapeError(f"start: wanted a symbol or int64 [{batch}], got {start.dtype} {tuple(start.shape)}")
    return start.to(device)


def _normalised(logits: Tensor, rows: int, end: int) -> Tensor:
    check_float("the step's logits", logits, rows, "V")
    if logits.shape[-1] <= end:
        raise ConfigError(f"end: wanted a symbol 0 to {logits.shape[-1] - 1}, got {end}")
    return logits.double().log_softmax(-1)


def _checked(state: State, rows: int, axis: int) -> State:
    for place, tensor in enumerate(state):
        if tensor.dim() <= axis or tensor.shape[axis] != rows:
            raise ShapeError(
                f"the step's state[{place}]: wanted {rows} rows on axis {axis}, got {tuple(tensor.shape)}"
            )
    return state


def _check(state: State, end: int, width: int, longest: int, power: float, axis: int) -> None:
    check_sizes(width=width, longest=longest)
    check_sizes(0, end=end, batch_axis=axis)
    if not 0 <= power < math.inf:
        raise ConfigError(f"length_power: wanted a finite number of at least 0, got {power!r}")
    if not isinstance(state, tuple) or not state:
        raise ShapeError(
            "state: wanted a tuple of at least one tensor, whose axis says how many members there are"
        )
    shapes = [tuple(tensor.shape) for tensor in state]
    if len({shape[axis : axis + 1] for shape in shapes}) != 1 or len(shapes[0]) <= axis:
        raise ShapeError(f"state: wanted the same number of members on axis {axis}, got {shapes!r:.120}")
