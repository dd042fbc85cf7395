"""Trials of gatelab as trials of optuna, one for each attempt; and what these say of a key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.trial import FrozenTrial, TrialState

from gatelab.runs.space import Choice, Dimension, Interval, LogUniform
from gatelab.runs.study import Key, StudyPlan, StudyTrial

Loss = Literal["worker", "gone", "stop"]
"""How an attempt ended without an outcome: its own worker died, more was lost, or a stop was wanted."""

STATES = {
    "finished": TrialState.COMPLETE,
    "diverged": TrialState.COMPLETE,
    "pruned": TrialState.PRUNED,
    "failed": TrialState.FAIL,
}


@dataclass
class Attempts:
    """What was tried.

    Of attempts without an outcome, ``begun`` counts all, ``lost`` those that nobody wanted to end, and
    ``blamed`` those whose own worker died, so that the trial may be the reason.
    """

    ended: set[Key] = field(default_factory=set)
    running: set[Key] = field(default_factory=set)
    begun: Counter[Key] = field(default_factory=Counter)
    lost: Counter[Key] = field(default_factory=Counter)
    blamed: Counter[Key] = field(default_factory=Counter)


def attempts(trials: Iterable[FrozenTrial]) -> Attempts:
    """Return what was tried by keys, from all trials of a study."""
    found = Attempts()
    for trial in trials:
        key = key_of(trial)
        if "outcome" in trial.user_attrs:
            found.ended.add(key)
        elif not trial.state.is_finished():
            found.running.add(key)
        else:
            why = trial.user_attrs.get("lost", "gone")
            found.begun[key] += 1
            found.lost[key] += why != "stop"
            found.blamed[key] += why == "worker"
    return found


def attempt_at(plan: StudyPlan, key: Key, number: int, owner: str, began: float) -> FrozenTrial:
    """Return an attempt that begins now, as optuna keeps it; ``number`` counts from 1."""
    drawn = plan.drawn(key)
    trial = optuna.trial.create_trial(
        state=TrialState.RUNNING,
        params=drawn,
        distributions={k: _distribution(plan.space[k]) for k in drawn},
        user_attrs={"key": list(key), "owner": owner, "attempt": number, "began": began},
    )
    trial.datetime_start = datetime.now()
    return trial


def kept_attempt(plan: StudyPlan, outcome: StudyTrial, owner: str) -> FrozenTrial:
    """Return an attempt that has ended, with its outcome, as optuna keeps it."""
    trial = attempt_at(plan, outcome.key, outcome.attempts, owner, outcome.began)
    trial.state, values = ending(outcome)
    trial.values = values
    trial.set_user_attr("outcome", outcome.model_dump(mode="json"))
    trial.datetime_start = datetime.fromtimestamp(outcome.began)
    trial.datetime_complete = datetime.fromtimestamp(max(outcome.began, outcome.ended))
    return trial


def ending(outcome: StudyTrial) -> tuple[TrialState, list[float] | None]:
    """Return what optuna calls an outcome, and its value if it has one."""
    state = STATES[outcome.status]
    if state is TrialState.COMPLETE and outcome.valid is None:
        state = TrialState.FAIL
    return state, [outcome.valid] if state is TrialState.COMPLETE and outcome.valid is not None else None


def key_of(trial: FrozenTrial) -> Key:
    """Return which trial an attempt is at."""
    return Key(*trial.user_attrs.get("key", ("", "", trial.number)))


def _distribution(dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.values)
    assert isinstance(dimension, Interval)
    log = isinstance(dimension, LogUniform)
    if dimension.whole:
        return IntDistribution(int(dimension.at(0.0)), int(dimension.at(1.0)), log=log)
    return FloatDistribution(float(dimension.at(0.0)), float(dimension.at(1.0)), log=log)
