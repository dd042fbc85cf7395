"""What a run was asked to do: frozen, complete, and named by its hash."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import PurePath
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from gatelab.errors import ConfigError, near_misses

FORMAT = 2
"""Version of everything in a run folder; a folder of another version is refused."""

Positive = Annotated[int, Field(ge=1, lt=2**53)]
Size = Annotated[int, Field(ge=0, lt=2**31)]
"""Of a vector or a vocabulary; held in 32 bits."""
Scaling = Annotated[float, Field(ge=1e-30, le=1e30)]
"""What numbers are divided by; float32 holds it, and its inverse."""
Level = Annotated[float, Field(ge=-1e30, le=1e30)]
"""A mean of numbers; float32 holds it."""
UnitName = Annotated[str, Field(pattern=r"^\w[\w+.=-]*$", max_length=100)]
LARGEST_SEED = 2**31 - 1


class Frozen(BaseModel):
    """A part of a configuration: immutable, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Training(Frozen):
    """How one network is trained.

    ``momentum`` is Nesterov's and used by sgd only; with ``normalized_momentum`` the learning rate is
    multiplied by 1 − momentum, so that what a gradient moves in the end does not grow with it. ``decay`` is
    RMSProp's. ``patience`` counts epochs without a better validation objective. ``max_norm`` is the norm to
    which larger gradients are rescaled; None rescales none. ``init_deviation`` is the standard deviation of
    the normal distribution that all weights and biases are drawn from; None leaves that to each layer.
    ``loss`` is what is descended: the mean over the terms of a batch, such as steps or labels, or the sum
    over those of a sequence, averaged over sequences, with which longer sequences move weights further.
    ``weight_noise`` and ``input_noise`` are the standard deviations of Gaussian noise on weights, and on
    inputs that are vectors. The learning rate is multiplied by ``annealing`` before each epoch after
    ``anneal_after`` epochs.
    """

    optimizer: Literal["rmsprop", "sgd", "adam"] = "rmsprop"
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.9
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    normalized_momentum: bool = False
    weight_noise: Annotated[float, Field(ge=0)] = 0.075
    input_noise: Annotated[float, Field(ge=0)] = 0.0
    max_norm: Annotated[float, Field(gt=0)] | None = 1.0
    init_deviation: Annotated[float, Field(gt=0)] | None = None
    loss: Literal["mean", "sum"] = "mean"
    batch_size: Positive = 8
    max_epochs: Positive = 100
    patience: Positive = 10
    annealing: Annotated[float, Field(gt=0, le=1)] = 1.0
    anneal_after: Annotated[int, Field(ge=0)] = 0


class Body(Frozen):
    """The recurrent part of a network, beside cell and size: layers, directions, dropout between layers."""

    layers: Annotated[int, Field(ge=1, le=1000)] = 1
    bidirectional: bool = False
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0


ONE_LAYER = Body()


class Unit(Frozen):
    """One of the compared units: its equations as data, and its size."""

    name: UnitName
    cell: dict[str, Any]
    hidden_size: Annotated[int, Field(ge=1, le=1 << 20)]
    parameters: Positive
    model_parameters: Positive


class Reported(Frozen):
    """What a paper reports of a unit; never used in a computation."""

    hidden_size: int | None = None
    parameters: str | None = None
    train: float | None = None
    test: float | None = None


class Effort(Frozen):
    """What a paper's own trainings cost, as it reports: trials of each task, years of one processor."""

    trials: dict[str, Positive]
    years: Annotated[float, Field(gt=0)]


class Paper(Frozen):
    """The paper that a run follows, its numbers, and where the run differs from it.

    ``other_data`` is what the reported numbers are of, where it is not the run's data, so that no difference
    is taken; else nothing.
    """

    key: str
    citation: str
    table: str
    reported: dict[str, Reported] = {}
    other_data: str = ""
    differences: tuple[str, ...] = ()
    effort: Effort | None = None


class Measure(Frozen):
    """What is said of a network on held-out sequences.

    ``formula`` names the one in :data:`gatelab.stats.measures.FORMULAS` that makes it of sums over sequences.
    """

    name: str
    unit: str = ""
    better: Literal["lower", "higher"] = "lower"
    formula: str = "ratio"

    @property
    def title(self) -> str:
        """Name and unit, as an axis has them."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


NLL = Measure(name="NLL", unit="nats per step")


class Task(Frozen):
    """The data and what is asked of the network.

    ``load`` is the name or path that loads the data, ``options`` what else was said of it, ``digest`` the
    SHA-256 of the data; ``notes`` say how it was split and what was left out; ``sequences`` and ``steps``
    count train, valid, test. The first of the ``measures`` is the objective: what is trained, and what
    learning rate and best epoch are chosen by; ``headline`` names the one by which units are compared.
    ``overlap`` is how many test sequences in a row share data, as windows of a series do.
    """

    kind: str = "music"
    dataset: str
    load: str
    options: dict[str, str | int | float | bool] = {}
    title: str
    source: str
    digest: str
    notes: tuple[str, ...] = ()
    sequences: tuple[int, int, int]
    steps: tuple[int, int, int]
    input_size: Positive
    output_size: Positive
    overlap: Positive = 1
    measures: Annotated[tuple[Measure, ...], Field(min_length=1)] = (NLL,)
    headline: str = NLL.name

    @property
    def objective(self) -> Measure:
        """What is trained."""
        return self.measures[0]

    @property
    def measure(self) -> Measure:
        """What units are compared by."""
        return next(m for m in self.measures if m.name == self.headline)

    @field_validator("headline")
    @classmethod
    def _measured(cls, headline: str, info: ValidationInfo) -> str:
        if headline not in {m.name for m in info.data.get("measures", ())}:
            raise ValueError("no measure has this name")
        return headline


class Comparison(Frozen):
    """A comparison of units at equal budget on one task.

    ``sizes`` says whether hidden sizes were solved for the budget or given by the user.
    """

    format: Literal[2] = 2
    task: Task
    units: Annotated[tuple[Unit, ...], Field(min_length=1)]
    body: Body = Body()
    budget: Positive
    count: Literal["recurrent", "all"] = "recurrent"
    sizes: Literal["budget", "given"] = "budget"
    learning_rates: Annotated[tuple[Annotated[float, Field(gt=0)], ...], Field(min_length=1)]
    repeats: Annotated[int, Field(ge=0, le=10_000)] = 0
    seed: Annotated[int, Field(ge=0, le=LARGEST_SEED)] = 0
    training: Training = Training()
    paper: Paper | None = None

    @field_validator("units")
    @classmethod
    def _distinct(cls, units: tuple[Unit, ...]) -> tuple[Unit, ...]:
        if len({u.name for u in units}) < len(units):
            raise ValueError("two units of the same name")
        return units

    @property
    def name(self) -> str:
        """The run's name: what it is about, and eight digits of the hash of all of it."""
        about = self.paper.key if self.paper else "compare"
        dataset = re.sub(r"[^A-Za-z0-9]+", "-", PurePath(self.task.dataset).stem).strip("-")[:40] or "data"
        return f"{about}-{dataset}-{self.digest[:8]}"

    @property
    def digest(self) -> str:
        """SHA-256 of all that decides the numbers: not where the data lay, nor what is said of a paper."""
        data = self.model_dump(mode="json", exclude={"paper"})
        for place in ("source", "load", "notes"):
            data["task"].pop(place)
        return hashlib.sha256(json.dumps(data, sort_keys=True).encode()).hexdigest()


M = TypeVar("M", bound=Frozen)


def build(model: type[M], **values: Any) -> M:
    """Return a part of a configuration made of these values.

    Raises
    ------
    ConfigError
        One line that names the key, what was wanted and what came.
    """
    try:
        return model(**values)
    except ValidationError as error:
        raise ConfigError(explain(error, list(model.model_fields))) from None


def explain(error: ValidationError, known: list[str]) -> str:
    """Return the first fault that pydantic found as one line."""
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "value_error":  # one of ours, which says what came
        said = str(first["ctx"]["error"])
        return f"{key}: {said}" if key else said
    key = key or "configuration"
    came = repr(first.get("input"))
    hint = near_misses(key.split(".")[-1], known) if first["type"] == "extra_forbidden" else ""
    return f"{key}: {first['msg'].lower()}, got {came[:60]}{hint}"
