"""What a run was asked to do: frozen, complete, and named by its hash."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import PurePath
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gatelab.errors import ConfigError, near_misses

FORMAT = 1
"""Version of everything in a run folder; a folder of another version is refused."""

Positive = Annotated[int, Field(ge=1)]
UnitName = Annotated[str, Field(pattern=r"^\w[\w+.=-]*$", max_length=100)]
LARGEST_SEED = 2**31 - 1


class Frozen(BaseModel):
    """A part of a configuration: immutable, and closed to unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Training(Frozen):
    """How one network is trained.

    ``momentum`` is Nesterov's and used by sgd only; ``decay`` is RMSProp's. ``patience`` counts epochs
    without a better validation NLL. ``max_norm`` is the norm to which larger gradients are rescaled.
    """

    optimizer: Literal["rmsprop", "sgd", "adam"] = "rmsprop"
    decay: Annotated[float, Field(ge=0, lt=1)] = 0.9
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.0
    weight_noise: Annotated[float, Field(ge=0)] = 0.075
    max_norm: Annotated[float, Field(gt=0)] = 1.0
    batch_size: Positive = 8
    max_epochs: Positive = 100
    patience: Positive = 10


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


class Paper(Frozen):
    """The paper that a run follows, its numbers, and where the run differs from it."""

    key: str
    citation: str
    table: str
    reported: dict[str, Reported] = {}
    differences: tuple[str, ...] = ()


class Task(Frozen):
    """The data and what is asked of the network.

    ``load`` is the name or path that loads the data, ``digest`` the file's SHA-256;
    ``sequences`` and ``steps`` count train, valid, test.
    """

    kind: Literal["music"] = "music"
    dataset: str
    load: str
    title: str
    source: str
    digest: str
    sequences: tuple[int, int, int]
    steps: tuple[int, int, int]
    input_size: Positive
    measure: str = "NLL per step [nats]"


class Comparison(Frozen):
    """A comparison of units at equal budget on one task."""

    format: Literal[1] = 1
    task: Task
    units: Annotated[tuple[Unit, ...], Field(min_length=1)]
    budget: Positive
    count: Literal["recurrent", "all"] = "recurrent"
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
        for place in ("source", "load"):
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
    key = ".".join(str(part) for part in first["loc"]) or "configuration"
    came = repr(first.get("input"))
    hint = near_misses(key.split(".")[-1], known) if first["type"] == "extra_forbidden" else ""
    return f"{key}: {first['msg'].lower()}, got {came[:60]}{hint}"
