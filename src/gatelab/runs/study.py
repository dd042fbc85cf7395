"""A study: tasks × cells × trials over a space of hyper-parameters; its plan, and what came of each trial."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import Field, ValidationError, field_validator, model_validator

from gatelab.errors import ConfigError, near_misses
from gatelab.runs.config import (
    LARGEST_SEED,
    Body,
    Frozen,
    Paper,
    Positive,
    Task,
    Training,
    UnitName,
    build,
    explain,
)
from gatelab.runs.findings import Finding
from gatelab.runs.space import AnyDimension, Choice, Dimension, Interval, Value, draw, trial_seed

STUDY_FORMAT = 1
"""Version of plans and trials of studies; those of another version are refused."""

SIZES = ("hidden_size", "parameters")
"""How large a network is: units of a layer and direction, or the budget that its size is solved for."""
OF_TRAINING = tuple(k for k in Training.model_fields if k not in ("max_epochs", "patience"))
OF_BODY = tuple(Body.model_fields)
KNOWN = ("learning_rate", *SIZES, *OF_TRAINING, *OF_BODY)
"""Every hyper-parameter that a space can name."""


class Key(NamedTuple):
    """Which trial: names of task and cell, and the number among theirs, from 0."""

    task: str
    cell: str
    number: int

    @property
    def name(self) -> str:
        """As one word."""
        return f"{self.task}/{self.cell}/{self.number}"


class StudyTask(Frozen):
    """One of a study's tasks: the data, and how networks are trained where the space says nothing else."""

    name: UnitName
    record: Task
    body: Body = Body()
    training: Training = Training()


class StudyCell(Frozen):
    """One of a study's cells: its equations as data."""

    name: UnitName
    cell: dict[str, Any]


class Settings(Frozen):
    """What one trial trains: the hyper-parameters drawn, put together with the task's own.

    Exactly one of ``hidden_size`` and ``parameters``, the budget of the recurrent layers, is there.
    """

    learning_rate: Annotated[float, Field(gt=0)]
    hidden_size: Annotated[int, Field(ge=1, le=1 << 20)] | None = None
    parameters: Positive | None = None
    training: Training
    body: Body
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)]


class StudyPlan(Frozen):
    """What a study was asked to do.

    ``trials`` are those of each cell on each task; ``settings`` the hyper-parameters that all trials share,
    ``space`` those that are drawn. The ``pruner`` stops trials that promise little: with ``median`` those
    that are worse than the median of the trials before at the same epoch. ``findings`` are those of the
    ``paper`` whose study it repeats.
    """

    format: Literal[1] = 1
    name: UnitName
    tasks: Annotated[tuple[StudyTask, ...], Field(min_length=1)]
    cells: Annotated[tuple[StudyCell, ...], Field(min_length=1)]
    space: dict[str, AnyDimension]
    settings: dict[str, Value] = Field(default_factory=dict)
    trials: Positive
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] = 0
    pruner: Literal["none", "median"] = "none"
    paper: Paper | None = None
    findings: tuple[Finding, ...] = ()

    @field_validator("tasks", "cells")
    @classmethod
    def _distinct(cls, named: tuple[Any, ...]) -> tuple[Any, ...]:
        if len({n.name for n in named}) < len(named):
            raise ValueError("two of the same name")
        return named

    @model_validator(mode="after")
    def _sane(self) -> StudyPlan:
        for name in (*self.space, *self.settings):
            if name not in KNOWN:
                raise ValueError(
                    f"no hyper-parameter is called {name!r}{near_misses(name, KNOWN)}; "
                    f"known are {', '.join(KNOWN)}"
                )
        if twice := sorted(set(self.space) & set(self.settings)):
            raise ValueError(f"{', '.join(twice)}: drawn from the space and set for all; wanted one of both")
        sizes = [s for s in SIZES if s in self.space or s in self.settings]
        if len(sizes) != 1:
            raise ValueError(f"wanted one of {' and '.join(SIZES)}, got {' and '.join(sizes) or 'neither'}")
        if "learning_rate" not in {*self.space, *self.settings}:
            raise ValueError("wanted a learning_rate, drawn or set; got none")
        return self

    def keys(self) -> Iterator[Key]:
        """Yield every trial in the order in which they are run: cells and tasks side by side."""
        for number in range(self.trials):
            for task in self.tasks:
                for cell in self.cells:
                    yield Key(task.name, cell.name, number)

    def __len__(self) -> int:
        return self.trials * len(self.tasks) * len(self.cells)

    def task(self, name: str) -> StudyTask:
        """Return the task of this name."""
        return next(t for t in self.tasks if t.name == name)

    def cell(self, name: str) -> StudyCell:
        """Return the cell of this name."""
        return next(c for c in self.cells if c.name == name)

    def drawn(self, key: Key) -> dict[str, Value]:
        """Return the hyper-parameters that a trial draws; the same for every cell."""
        return draw(self.space, key.task, key.number, self.seed)

    def of(self, key: Key) -> Settings:
        """Return what a trial trains."""
        task = self.task(key.task)
        return settled(
            task, {**self.settings, **self.drawn(key)}, trial_seed(key.task, key.number, self.seed)
        )

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides a trial's numbers, whichever tasks, cells and trials the study has."""
        said = self.model_dump(mode="json", include={"space", "settings", "seed", "pruner"})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def settled(task: StudyTask, values: dict[str, Value], seed: int) -> Settings:
    """Return what is trained on a task with these hyper-parameters.

    Raises
    ------
    ConfigError
        A value that its hyper-parameter cannot have.
    """
    training = {k: v for k, v in values.items() if k in OF_TRAINING}
    body = {k: v for k, v in values.items() if k in OF_BODY}
    return build(
        Settings,
        training=build(Training, **(task.training.model_dump() | training)),
        body=build(Body, **(task.body.model_dump() | body)),
        seed=seed,
        **{k: v for k, v in values.items() if k in ("learning_rate", *SIZES)},
    )


def study_plan(**values: Any) -> StudyPlan:
    """Return a plan whose space holds nothing that a trial could not be trained with.

    Raises
    ------
    ConfigError
        One line that says what contradicts what.
    """
    try:
        plan = StudyPlan(**values)
    except ValidationError as error:
        raise ConfigError(f"study: {explain(error, list(StudyPlan.model_fields))}") from None
    for task in plan.tasks:
        middle = {n: d.at(0.5) for n, d in plan.space.items()}
        try:
            settled(task, {**plan.settings, **middle}, 0)
        except ConfigError as error:
            if str(error).partition(":")[0] not in plan.space:
                raise ConfigError(f"settings: {error}") from None
        for name, dimension in plan.space.items():
            for value in _ends(dimension):
                try:
                    settled(task, {**plan.settings, **middle, name: value}, 0)
                except ConfigError as error:
                    raise ConfigError(f"space: {name} could become {value!r}, but {error}") from None
    return plan


def _ends(dimension: Dimension) -> Sequence[Value]:
    if isinstance(dimension, Choice):
        return dimension.values
    assert isinstance(dimension, Interval)
    return (dimension.at(0.0), dimension.at(1.0))


class StudyTrial(Frozen):
    """What came of one trial.

    ``status`` is ``finished``; ``diverged``, where numbers became too large (then ``valid`` is there if an
    epoch before was good); ``pruned``; or ``failed``, where it raised an error or was lost with its worker
    too often. ``objective`` values are those of the best epoch on validation. ``curve`` holds a training and
    a validation objective for each epoch, ``seconds`` the wall-clock time of updates, ``cpu_seconds`` the
    processor time of everything, ``began`` and ``ended`` are seconds since 1970; ``attempts`` counts how
    often it was begun.
    """

    task: UnitName
    cell: UnitName
    number: Annotated[int, Field(ge=0)]
    status: Literal["finished", "diverged", "pruned", "failed"]
    reason: str = ""
    settings: dict[str, Value] = Field(default_factory=dict)
    hidden_size: int | None = None
    parameters: int | None = None
    epochs: int = 0
    best_epoch: int | None = None
    updates: int = 0
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    train: float | None = None
    valid: float | None = None
    test: float | None = None
    measures: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    curve: tuple[tuple[float, float], ...] = ()
    worker: str = ""
    began: float = 0.0
    ended: float = 0.0
    attempts: Positive = 1

    @property
    def key(self) -> Key:
        """Which trial it is."""
        return Key(self.task, self.cell, self.number)

    def value(self, split: str, measure: str | None = None) -> float | None:
        """Return the objective or another measure on ``train``, ``valid`` or ``test``, if any."""
        if measure is None:
            return {"train": self.train, "valid": self.valid, "test": self.test}[split]
        return self.measures.get(split, {}).get(measure)


def extended(before: StudyPlan, after: StudyPlan) -> StudyPlan:
    """Return the plan of a study that is to have more tasks, cells or trials.

    Raises
    ------
    ConfigError
        The new plan leaves something out or changes what decides the numbers of trials that were run.
    """
    if before.digest != after.digest:
        changed = [
            k for k in ("space", "settings", "seed", "pruner") if getattr(before, k) != getattr(after, k)
        ]
        raise ConfigError(
            f"study {before.name}: {', '.join(changed)} differ from what its trials were run with; a study "
            "can be extended by tasks, cells and trials; for another space give the study another name"
        )
    if after.trials < before.trials:
        raise ConfigError(
            f"study {before.name} has {before.trials} trials a cell, got {after.trials}; "
            "wanted as many or more"
        )
    for what, old, new in (("task", before.tasks, after.tasks), ("cell", before.cells, after.cells)):
        named = {n.name: n for n in new}
        for item in old:
            if item.name not in named:
                raise ConfigError(
                    f"study {before.name} has a {what} {item.name}, which the new plan leaves out; "
                    "name it, too"
                )
            if _deciding(item) != _deciding(named[item.name]):
                raise ConfigError(
                    f"study {before.name}: {what} {item.name} is not the one that its trials were run with "
                    "(other data, options, training or equations); give the study another name"
                )
    return after


def _deciding(item: Frozen) -> dict[str, Any]:
    """Return what of a task or a cell decides numbers: not where the data lay, nor what is said of it."""
    data = item.model_dump(mode="json")
    for place in ("source", "load", "notes"):
        data.get("record", {}).pop(place, None)
    return data
