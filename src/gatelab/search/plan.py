"""From what a user asks for to a frozen comparison."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gatelab.cells import get
from gatelab.cells.budget import Count
from gatelab.errors import ConfigError
from gatelab.graph.cell import Cell
from gatelab.graph.data import to_data
from gatelab.runs import Body, Comparison, Paper, Training, Unit, build
from gatelab.search.space import check_seed, spread_log_uniform
from gatelab.tasks import Task, open_task

FAR = 0.1
"""How far from the budget a unit's count may be, as a part of the budget."""


def comparison(
    dataset: str = "chorales",
    cells: Sequence[str | Cell] = ("tanh", "lstm", "gru"),
    *,
    task: str | None = None,
    options: Mapping[str, Any] | None = None,
    body: Mapping[str, Any] | None = None,
    parameters: int = 20_000,
    count: Count = "recurrent",
    hidden_sizes: Sequence[int] | None = None,
    trials: int = 10,
    learning_rates: Sequence[float] | None = None,
    repeats: int = 0,
    seed: int = 0,
    training: Training | Mapping[str, Any] | None = None,
    paper: Paper | None = None,
) -> Comparison:
    """Return a comparison of units at equal parameter counts on one task.

    Parameters
    ----------
    dataset
        Name of a set, or path of a file.
    cells
        Cells or their names; each once.
    task, options
        Kind of the task, one of :data:`gatelab.tasks.KINDS`, and what it is told beside the data. None: the
        kind that the name or the file means.
    body
        What is to be changed of the task's layers, directions and dropout, the same for all units.
    parameters, count
        The budget and what it counts; see :func:`gatelab.hidden_size_for`.
    hidden_sizes
        Sizes to take instead of those that the budget gives, one a cell.
    trials
        Number of learning rates, the same for all units: exp U(a, b) drawn from ``seed``, one from each of as
        many equal parts of the interval; a and b are the task's, −12 and −6 for music.
    learning_rates
        Rates to try instead of drawn ones.
    training
        How networks are trained, or what is to be changed of how the task trains them.
    repeats
        How often each unit's best trial is trained again, from seeds of its own.

    Raises
    ------
    ConfigError, DataError
        Where a name, a number or a file is impossible.

    Examples
    --------
    >>> from gatelab.search import comparison
    >>> plan = comparison("chorales", ["tanh", "gru"], parameters=2_000, trials=2)
    >>> [(u.name, u.hidden_size, u.parameters) for u in plan.units]
    [('tanh', 19, 2052), ('gru', 7, 2016)]
    """
    check_seed(seed)
    posed = open_task(dataset, task, options)
    shape = build(Body, **(posed.body.model_dump() | dict(body or {})))
    chosen = _distinct([get(c) for c in cells])
    if hidden_sizes is not None and len(hidden_sizes) != len(chosen):
        raise ConfigError(f"hidden sizes: wanted {len(chosen)}, one a cell; got {len(hidden_sizes)}")
    sizes = hidden_sizes or [posed.size_for(c, parameters, count, shape) for c in chosen]
    if learning_rates is None:
        if trials < 1:
            raise ConfigError(f"trials: wanted at least 1 learning rate, got {trials}")
        learning_rates = spread_log_uniform(trials, seed, posed.rates)
    units = tuple(_unit(posed, c, size, shape) for c, size in zip(chosen, sizes, strict=True))
    if hidden_sizes is None:
        _check_equal(units, parameters, count)
    return build(
        Comparison,
        task=posed.record(),
        units=units,
        body=shape,
        budget=parameters,
        count=count,
        sizes="budget" if hidden_sizes is None else "given",
        learning_rates=tuple(learning_rates),
        repeats=repeats,
        seed=seed,
        training=_training(posed, training),
        paper=paper,
    )


def _check_equal(units: Sequence[Unit], parameters: int, count: Count) -> None:
    """Refuse a budget so small that no hidden size comes near it: the comparison would not be equal."""
    for unit in units:
        has = unit.parameters if count == "recurrent" else unit.model_parameters
        if abs(has - parameters) > FAR * parameters:
            raise ConfigError(
                f"impossible budget: the nearest that {unit.name} comes to {parameters:,} parameters is "
                f"{has:,} ({unit.hidden_size} units); wanted within {FAR:.0%}; try a larger --parameters"
            )


def _training(task: Task, asked: Training | Mapping[str, Any] | None) -> Training:
    """Return how networks are trained: as asked, or as the task does it but for what is asked."""
    if isinstance(asked, Training):
        return asked
    return build(Training, **(task.training.model_dump() | dict(asked or {})))


def _unit(task: Task, cell: Cell, hidden_size: int, body: Body) -> Unit:
    recurrent, whole = task.counted(cell, hidden_size, body)
    return build(
        Unit,
        name=cell.name,
        cell=to_data(cell),
        hidden_size=hidden_size,
        parameters=recurrent,
        model_parameters=whole,
    )


def _distinct(cells: Sequence[Cell]) -> list[Cell]:
    if not cells:
        raise ConfigError("cells: wanted at least one, such as tanh,lstm,gru; got none")
    names = [c.name for c in cells]
    twice = sorted({n for n in names if names.count(n) > 1})
    if twice:
        raise ConfigError(f"cells: {', '.join(twice)} is named twice; every unit is trained once")
    return list(cells)
