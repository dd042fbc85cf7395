"""What a user says of a study → its plan: what is not said is put in, what cannot be trained refused."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath
from typing import Any, Literal

from gatelab.cells import get
from gatelab.errors import ConfigError
from gatelab.graph.cell import Cell
from gatelab.graph.data import to_data
from gatelab.runs import Body, Training, build
from gatelab.runs.space import AnyDimension, Choice, Dimension, LogUniform, Value
from gatelab.runs.study import OF_BODY, SIZES, StudyCell, StudyPlan, StudyTask, settled, study_plan
from gatelab.search.plan import FAR
from gatelab.search.space import check_seed
from gatelab.tasks import Task, open_task

MOST_TRIALS = 100_000
"""Of a cell on a task."""
PARAMETERS = 20_000
"""Budget of the recurrent layers where a study says nothing of their size."""
NAME = r"\w[\w+.=-]{0,99}"
QUIET = ("weight_noise", "input_noise")
OF_A_TASK = ("data", "task", "name", "options")


def declare(
    tasks: Sequence[Mapping[str, Any]],
    cells: Sequence[str | Cell],
    *,
    name: str | None = None,
    trials: int = 50,
    space: Mapping[str, AnyDimension] | None = None,
    settings: Mapping[str, Value] | None = None,
    seed: int = 0,
    pruner: Literal["none", "median"] = "none",
) -> StudyPlan:
    """Return a study's plan, with what is not said put in.

    Parameters
    ----------
    tasks
        Of each its ``data``, and ``task``, ``name``, ``options``, and how its networks are trained, where
        that is to be another way than the task's own.
    cells
        Cells or their names; each once.
    name
        None: those of the tasks.
    space, settings
        The hyper-parameters that each trial draws, and those that all share.

    Raises
    ------
    ConfigError, DataError
        What is asked for contradicts itself, or cannot be trained.
    """
    check_seed(seed)
    if not 1 <= trials <= MOST_TRIALS:
        raise ConfigError(f"trials: wanted 1 to {MOST_TRIALS:,} a cell, got {trials:,}")
    if not tasks:
        raise ConfigError("tasks: wanted at least one, such as jsb; got none")
    if not cells:
        raise ConfigError("cells: wanted at least one, such as tanh,lstm,gru; got none")
    for what, called in (("name", name), *(("tasks: name", t.get("name")) for t in tasks)):
        if called is not None and not re.fullmatch(NAME, called):
            raise ConfigError(
                f"{what}: wanted a letter or digit, then these and any of + - . = _, at most 100; got "
                f"{called!r:.60}"
            )
    posed = [open_task(t["data"], t.get("task"), t.get("options")) for t in tasks]
    drawn, fixed = dict(space or {}), dict(settings or {})
    own = {k for t in tasks for k in t if k not in OF_A_TASK}
    if twice := sorted(own & {*drawn, *fixed}):
        raise ConfigError(
            f"{', '.join(twice)}: said of a task, and of all in the space or the settings; wanted one of both"
        )
    _fill(drawn, fixed, own, posed)
    found = [_study_task(asked, task) for asked, task in zip(tasks, posed, strict=True)]
    _check_distinct([t.name for t in found])
    known = [get(c) for c in cells]
    if twice := sorted({c.name for c in known if [d.name for d in known].count(c.name) > 1}):
        raise ConfigError(f"cells: {', '.join(twice)} is named twice; wanted each once")
    plan = study_plan(
        name=name or as_name("-".join(t.name for t in found)),
        tasks=tuple(found),
        cells=tuple(StudyCell(name=c.name, cell=to_data(c)) for c in known),
        space=drawn,
        settings=fixed,
        trials=trials,
        seed=seed,
        pruner=pruner,
    )
    _check_types(plan)
    _check_used(plan)
    for task, whole in zip(found, posed, strict=True):
        _check_trainable(plan, task, whole, known)
    return plan


def _fill(drawn: dict[str, Any], fixed: dict[str, Value], own: set[str], posed: Sequence[Task]) -> None:
    """Put in what is not said: the learning rate's bounds, the size, and that nothing is noisy."""
    said = {*drawn, *fixed, *own}
    if "learning_rate" not in said:
        bounds = [math.exp(end) for task in posed for end in task.rates]
        low, high = (float(f"{end:.4g}") for end in (min(bounds), max(bounds)))
        drawn["learning_rate"] = LogUniform(low=low, high=high)
    if not said & set(SIZES):
        fixed["parameters"] = PARAMETERS
    fixed.update({name: 0.0 for name in QUIET if name not in said})


def _study_task(asked: Mapping[str, Any], task: Task) -> StudyTask:
    name = asked.get("name") or as_name(PurePath(task.about.name).stem)
    own = {k: v for k, v in asked.items() if k not in OF_A_TASK}
    body = {k: v for k, v in own.items() if k in OF_BODY}
    training = {k: v for k, v in own.items() if k not in OF_BODY}
    try:
        return build(
            StudyTask,
            name=name,
            record=task.record(),
            body=build(Body, **(task.body.model_dump() | body)),
            training=build(Training, **(task.training.model_dump() | training)),
        )
    except ConfigError as error:
        raise ConfigError(f"task {name}: {error}") from None


def as_name(text: str) -> str:
    """Return a text as a name that studies and tasks can have."""
    return re.sub(r"[^\w+.=-]+", "-", text).strip("-+.=")[:100] or "study"


def _check_distinct(names: Sequence[str]) -> None:
    if twice := sorted({n for n in names if names.count(n) > 1}):
        raise ConfigError(
            f"tasks: two are called {twice[0]}; give each a name of its own, such as name = "
            f'"{twice[0]}-long", or leave one out'
        )


def _check_types(plan: StudyPlan) -> None:
    """Refuse "0.9" or true where a number is wanted, and numbers where a text is."""
    values: dict[str, tuple[Value, ...]] = {name: (value,) for name, value in plan.settings.items()}
    values |= {name: d.values for name, d in plan.space.items() if isinstance(d, Choice)}
    middle = _middle(plan)
    for name, several in values.items():
        for value in several:
            settings = settled(plan.tasks[0], {**middle, name: value}, 0)
            held = settings.model_dump(mode="python")
            became = {**held["training"], **held["body"], **held}[name]
            if any(isinstance(value, kind) != isinstance(became, kind) for kind in (bool, str)):
                wanted = type(became).__name__.replace("float", "number").replace("int", "number")
                raise ConfigError(
                    f"{name}: wanted a {wanted.replace('bool', 'true or false')}, got {value!r}"
                )


def _check_used(plan: StudyPlan) -> None:
    """Refuse hyper-parameters that no trial's optimizer has."""
    drawn = plan.space.get("optimizer")
    fixed = plan.settings.get("optimizer")
    own = {t.training.optimizer for t in plan.tasks}
    there = set(_extremes(drawn)) if drawn else {fixed} if fixed else own
    for name, optimizer in (("momentum", "sgd"), ("normalized_momentum", "sgd"), ("decay", "rmsprop")):
        if (name in plan.space or plan.settings.get(name)) and optimizer not in there:
            raise ConfigError(
                f"{name}: belongs to the optimizer {optimizer}, but trials are trained with "
                f"{', '.join(sorted(map(str, there)))}; set or draw optimizer, too"
            )


def _middle(plan: StudyPlan) -> dict[str, Value]:
    return {**plan.settings, **{name: d.at(0.5) for name, d in plan.space.items()}}


def _check_trainable(plan: StudyPlan, task: StudyTask, posed: Task, cells: Sequence[Cell]) -> None:
    """Refuse what no trial could be trained with: directions of a task, budgets of a cell."""
    middle = _middle(plan)
    try:
        for name, drawn in plan.space.items():
            if name in OF_BODY:
                for end in _extremes(drawn):
                    posed.counted(cells[0], cells[0].block, settled(task, {**middle, name: end}, 0).body)
        body = settled(task, middle, 0).body
        for cell in cells:
            posed.counted(cell, cell.block, body)
            if "parameters" in plan.settings:
                _check_budget(posed, cell, int(plan.settings["parameters"]), body)
            elif "parameters" in plan.space:
                posed.size_for(cell, int(plan.space["parameters"].at(0.0)), "recurrent", body)
    except ConfigError as error:
        raise ConfigError(f"task {task.name}: {error}") from None


def _extremes(drawn: Dimension) -> Sequence[Value]:
    return drawn.values if isinstance(drawn, Choice) else (drawn.at(0.0), drawn.at(1.0))


def _check_budget(posed: Task, cell: Cell, parameters: int, body: Body) -> None:
    size = posed.size_for(cell, parameters, "recurrent", body)
    has = posed.counted(cell, size, body)[0]
    if abs(has - parameters) > FAR * parameters:
        raise ConfigError(
            f"impossible budget: the nearest that {cell.name} comes to {parameters:,} parameters is {has:,} "
            f"({size} units), wanted within {FAR:.0%}; try more parameters"
        )
