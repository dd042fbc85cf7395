"""The tables of a run: trials, epochs, outcomes; read back without torch."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from gatelab.errors import RunError
from gatelab.runs.config import Comparison, Frozen, Measure, Unit, UnitName, explain
from gatelab.runs.folder import open_run, read_json, read_model


class Trial(Frozen):
    """One training.

    ``stage`` is ``search`` where the learning rate is chosen and ``repeat`` where the chosen one is
    trained again from another seed; ``number`` counts candidates or repeats from 0.
    """

    unit: UnitName
    stage: Literal["search", "repeat"]
    number: Annotated[int, Field(ge=0)]
    learning_rate: Annotated[float, Field(gt=0)]
    seed: Annotated[int, Field(ge=0)]

    @property
    def name(self) -> str:
        """The trial's folder below ``trials``."""
        return f"{self.unit}-{self.stage}-{self.number:02d}"


class Epoch(Frozen):
    """What one epoch ended with: the task's objective, seconds of training since the trial began.

    ``train`` is met during the epoch, under weight noise; ``valid`` is computed after it, without.
    """

    epoch: int
    updates: int
    seconds: float
    train: float
    valid: float


class Outcome(Frozen):
    """How a trial ended: with the weights of the best epoch, without noise, the objective and other measures.

    ``measures`` holds, for train, valid and test, the measures beside the objective by their names;
    ``microseconds`` is what a step of test took to run, in batches and with all measures.
    """

    status: Literal["finished", "diverged"]
    reason: str
    epochs: int
    updates: int
    seconds: float
    best_epoch: int | None = None
    train: float | None = None
    valid: float | None = None
    test: float | None = None
    measures: dict[str, dict[str, float | None]] = Field(default_factory=dict)
    microseconds: float | None = None


@dataclass(frozen=True)
class TrialRecord:
    """A trial as its folder holds it; ``outcome`` is None while it has not ended."""

    trial: Trial
    epochs: tuple[Epoch, ...]
    outcome: Outcome | None


@dataclass(frozen=True)
class RunRecord:
    """A run as its folder holds it."""

    folder: Path
    config: Comparison
    environment: dict[str, Any]
    baselines: dict[str, dict[str, float]]
    trials: tuple[TrialRecord, ...]

    def of(self, unit: str, stage: str) -> list[TrialRecord]:
        """Return the trials of a unit and stage that have an outcome, in their order."""
        chosen = [t for t in self.trials if t.trial.unit == unit and t.trial.stage == stage and t.outcome]
        return sorted(chosen, key=lambda t: t.trial.number)

    def best(self, unit: str) -> TrialRecord | None:
        """Return the searched trial with the lowest objective on validation; None where none has one.

        A trial that diverged after good epochs counts by the best of them.
        """
        finished = [t for t in self.of(unit, "search") if t.outcome and t.outcome.valid is not None]
        return min(finished, key=lambda t: (t.outcome.valid, t.trial.number), default=None)  # type: ignore[union-attr]

    def repeated(self, unit: str) -> list[TrialRecord]:
        """Return the repeats that ended; where there are none, the best trial."""
        best = self.best(unit)
        return self.of(unit, "repeat") or ([best] if best else [])

    def tests(self, unit: str, measure: str | None = None) -> dict[int, float]:
        """Return a measure on test of each repeat by its seed; of the best trial if none ended.

        Without a name, the headline. Repeats that have no such measure are not there.
        """
        ended = {t.trial.seed: t.outcome for t in self.repeated(unit) if t.outcome}
        name = measure or self.config.task.headline
        values = {seed: self._test(outcome, name) for seed, outcome in ended.items()}
        return {seed: value for seed, value in values.items() if value is not None}

    def scores(self, unit: str) -> list[list[list[float]]]:
        """Return the headline measure's numbers of each test sequence, [repeats, sequences, numbers].

        Of the unit's repeats that have them, or of its best trial; empty where there are none.
        """
        found = []
        for record in self.repeated(unit):
            path = self.folder / "trials" / record.trial.name / "scores.json"
            numbers = _numbers(path, self.config.task.headline) if path.exists() else None
            found += [numbers] if numbers else []
        return found

    def _test(self, outcome: Outcome, measure: str) -> float | None:
        if measure == self.config.task.objective.name:
            return outcome.test
        return outcome.measures.get("test", {}).get(measure)

    def baseline(self, measure: Measure) -> dict[str, float]:
        """Return what the baselines that have this measure reach on test."""
        return {k: values[measure.name] for k, values in self.baselines.items() if measure.name in values}

    @property
    def complete(self) -> bool:
        """Whether every trial of the configuration has ended."""
        return all(
            len(self.of(u.name, "search")) == len(self.config.learning_rates)
            and (self.best(u.name) is None or len(self.of(u.name, "repeat")) == self.config.repeats)
            for u in self.config.units
        )


@dataclass(frozen=True)
class UnitResult:
    """A unit's row in the result table: its best searched trial, and the headline measure on test over seeds.

    ``test_seeds`` holds that of its repeats, in order of their number; of the best trial where there
    are no repeats. The best trial, which was chosen by its own numbers, is no random draw and so not among
    them.
    """

    unit: Unit
    best: TrialRecord | None
    test_seeds: tuple[float, ...]


def results(run: RunRecord) -> list[UnitResult]:
    """Return the result table of a run, a row a unit, in the configuration's order."""
    units = run.config.units
    return [UnitResult(u, run.best(u.name), tuple(run.tests(u.name).values())) for u in units]


def read_run(folder: Path) -> RunRecord:
    """Return everything that a run folder says, finished or not.

    Raises
    ------
    RunError
        Where the folder is no run, damaged, or of another version.
    """
    config = open_run(folder)
    trials = [read_trial(p) for p in sorted((folder / "trials").glob("*")) if (p / "trial.json").exists()]
    return RunRecord(
        folder=folder,
        config=config,
        environment=_facts(folder / "environment.json", str | int),
        baselines=_baselines(folder / "baselines.json"),
        trials=tuple(trials),
    )


def has_ended(folder: Path, trial: Trial) -> bool:
    """Return whether this trial has an outcome in its folder.

    Raises
    ------
    RunError
        Where the folder holds another trial, as after a change of the run's configuration by hand.
    """
    if not (folder / "trial.json").exists():
        return False
    record = read_trial(folder)
    if record.trial != trial:
        raise RunError(
            f"{folder} holds another trial than the run's configuration asks for; was config.json changed by "
            f"hand? put it back, or move {folder.name} away"
        )
    return record.outcome is not None


def _numbers(path: Path, measure: str) -> list[list[float]] | None:
    """Return a measure's numbers of each sequence; None where the file has none of this measure."""
    found = read_json(path)
    rows = found.get(measure) if isinstance(found, dict) else None
    if rows is None:
        return None
    plain = isinstance(rows, list) and all(isinstance(r, list) for r in rows)
    if not plain or not all(isinstance(v, int | float) for r in rows for v in r):
        raise RunError(f"{path} is damaged: wanted lists of numbers for {measure}, got {str(rows)[:60]}")
    return [list(r) for r in rows]


def _baselines(path: Path) -> dict[str, dict[str, float]]:
    """Return the measures of each baseline by their names."""
    found = _facts(path, dict)
    for values in found.values():
        if not all(isinstance(v, int | float) for v in values.values()):
            raise RunError(f"{path} is damaged: wanted names with numbers, got {str(values)[:60]}")
    return found


def _facts(path: Path, kind: Any) -> dict[str, Any]:
    """Return a file of names and values of a kind; nothing where it is not there yet."""
    if not path.exists():
        return {}
    facts = read_json(path)
    if not isinstance(facts, dict) or not all(isinstance(v, kind) for v in facts.values()):
        raise RunError(f"{path} is damaged: wanted names with values, got {str(facts)[:60]}")
    return facts


def read_trial(folder: Path) -> TrialRecord:
    """Return what a trial's folder says."""
    outcome = folder / "outcome.json"
    return TrialRecord(
        trial=read_model(folder / "trial.json", Trial),
        epochs=tuple(read_epochs(folder / "metrics.jsonl")),
        outcome=read_model(outcome, Outcome) if outcome.exists() else None,
    )


def read_epochs(path: Path) -> Iterator[Epoch]:
    """Yield the epochs of a metrics file; a last line that was cut off does not count."""
    if not path.exists():
        return
    lines = path.read_text(encoding="utf-8", errors="replace").split("\n")
    for number, line in enumerate(lines[:-1], start=1):
        try:
            yield Epoch.model_validate(json.loads(line))
        except ValidationError as error:
            raise RunError(f"{path}, line {number}, is damaged: {explain(error, [])}") from None
        except ValueError as error:
            raise RunError(f"{path}, line {number}, is no JSON: {error}") from None
