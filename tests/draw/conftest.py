"""Small runs in memory, as read_run would return them."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from gatelab.cells import get
from gatelab.graph.data import to_data
from gatelab.runs import Comparison, Epoch, Outcome, RunRecord, Task, Trial, TrialRecord, Unit

TASK = Task(
    dataset="d", load="d", title="Data", source="s", digest="0" * 64,
    sequences=(1, 1, 1), steps=(9, 9, 9), input_size=88, output_size=88,
)  # fmt: skip
BASELINES = {"marginal": 11.0, "Markov": 10.5}

MakeTrial = Callable[..., TrialRecord]
MakeRun = Callable[..., RunRecord]


@pytest.fixture
def make_trial() -> MakeTrial:
    """Return a function: (unit, number, rate, validation NLL of each epoch, how it ended)."""

    def make(
        unit: str, number: int, rate: float, valid: Sequence[float], status: Any = "finished"
    ) -> TrialRecord:
        epochs = tuple(
            Epoch(epoch=k, updates=10 * k, seconds=0.5 * k, train=v - 0.25, valid=v)
            for k, v in enumerate(valid, start=1)
        )
        nll = {"valid": min(valid), "test": min(valid) + 0.1} if valid else {}
        outcome = status and Outcome(
            status=status, reason=status, epochs=len(valid), updates=10 * len(valid), seconds=1.0, **nll
        )
        trial = Trial(unit=unit, stage="search", number=number, learning_rate=rate, seed=0)
        return TrialRecord(trial, epochs, outcome)

    return make


@pytest.fixture
def make_run() -> MakeRun:
    """Return a function: trials → a run of the units gru and lstm."""

    def make(*trials: TrialRecord, baselines: dict[str, float] = BASELINES) -> RunRecord:
        units = tuple(
            Unit(name=n, cell=to_data(get(n)), hidden_size=9, parameters=99, model_parameters=999)
            for n in ("gru", "lstm")
        )
        config = Comparison(task=TASK, units=units, budget=99, learning_rates=(1e-4, 1e-3))
        values = {k: {"NLL": v} for k, v in baselines.items()}
        return RunRecord(Path("run"), config, {}, values, trials)

    return make
