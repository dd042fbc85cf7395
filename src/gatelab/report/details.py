"""The other tables of a report: differences, reported numbers, candidates, what is missing, settings."""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import combinations
from typing import Any

from gatelab.report.answer import compared, standings
from gatelab.report.numbers import NOTHING, Table, count, decimal, range_of, rate, seconds, signed
from gatelab.runs import Epoch, Outcome, Reported, RunRecord, TrialRecord, Unit


def difference_table(run: RunRecord) -> Table:
    """Return every pair of units with the paired difference of the headline measure on test over seeds."""
    rows = []
    for lower, higher in combinations(standings(run), 2):
        difference = compared(higher, lower)
        if difference is None:
            continue
        shown = "one seed only" if not difference.known else "not shown" if difference.holds(0) else "shown"
        rows.append(
            [
                f"{higher.unit} − {lower.unit}",
                signed(difference.mean),
                range_of(difference),
                str(difference.n),
                shown,
            ]
        )
    return Table(
        (f"difference in test {run.config.task.headline}", "mean", "95 % interval", "seeds", "difference"),
        rows,
    )


def reported_table(run: RunRecord) -> Table:
    """Return this run's numbers beside those that the paper reports."""
    columns = (
        "unit", "hidden units", "reported", "parameters", "reported",
        "train", "reported", "difference", "test", "reported", "difference",
    )  # fmt: skip
    paper = run.config.paper
    if paper is None:
        return Table(columns, [])
    return Table(
        columns, [_reported_row(run, u, paper.reported.get(u.name, Reported())) for u in run.config.units]
    )


def _reported_row(run: RunRecord, unit: Unit, reported: Reported) -> list[str]:
    best = run.best(unit.name)
    outcome = best.outcome if best else None
    train, test = (outcome.train, outcome.test) if outcome else (None, None)
    comparable = not (run.config.paper and run.config.paper.other_data)
    return [
        unit.name,
        count(unit.hidden_size),
        count(reported.hidden_size),
        count(unit.parameters),
        reported.parameters or NOTHING,
        *_beside(train, reported.train, comparable),
        *_beside(test, reported.test, comparable),
    ]


def _beside(ours: float | None, reported: float | None, comparable: bool) -> list[str]:
    both = comparable and ours is not None and reported is not None
    difference = signed(ours - reported, 2) if both else NOTHING  # type: ignore[operator]
    return [decimal(ours), NOTHING if reported is None else f"{reported:.2f}", difference]


def candidate_table(run: RunRecord) -> Table:
    """Return every candidate and repeat with its learning rate, seed, objective and ending."""
    columns = (
        "unit", "stage", "learning rate", "seed", "epochs", "best epoch", "updates", "seconds",
        "train", "valid", "test", "ending",
    )  # fmt: skip
    order = {u.name: k for k, u in enumerate(run.config.units)}

    def place(record: TrialRecord) -> tuple[int, bool, float, int]:
        trial = record.trial
        return order.get(trial.unit, len(order)), trial.stage != "search", trial.learning_rate, trial.number

    return Table(columns, [_candidate_row(run, record) for record in sorted(run.trials, key=place)])


def _candidate_row(run: RunRecord, record: TrialRecord) -> list[str]:
    trial, best = record.trial, run.best(record.trial.unit)
    stage = "chosen" if best is not None and best.trial == trial else trial.stage
    rest = _ended(record.outcome) if record.outcome else _going_on(record.epochs)
    return [trial.unit, stage, rate(trial.learning_rate), str(trial.seed), *rest]


def _ended(outcome: Outcome) -> list[str]:
    said = outcome.reason
    if outcome.status == "diverged" and "diverged" not in said:
        said = f"diverged: {said}"
    whole = [
        count(outcome.epochs),
        count(outcome.best_epoch),
        count(outcome.updates),
        seconds(outcome.seconds),
    ]
    return [*whole, decimal(outcome.train), decimal(outcome.valid), decimal(outcome.test), said]


def _going_on(epochs: Sequence[Epoch]) -> list[str]:
    if not epochs:
        return [*[NOTHING] * 7, "not ended yet"]
    best = min(epochs, key=lambda e: e.valid)
    whole = [count(len(epochs)), count(best.epoch), count(epochs[-1].updates), seconds(epochs[-1].seconds)]
    return [*whole, NOTHING, decimal(best.valid), NOTHING, "not ended yet"]


def missing(run: RunRecord) -> list[str]:
    """Return what the run has not done yet, a sentence a unit; empty where it is complete."""
    config, said = run.config, []
    if run.complete:
        return []
    for unit in config.units:
        searched, repeated = len(run.of(unit.name, "search")), len(run.of(unit.name, "repeat"))
        wanted = len(config.learning_rates)
        lacks = [f"{searched} of {wanted} learning rates"] if searched < wanted else []
        if repeated < config.repeats and (lacks or run.best(unit.name) is not None):
            lacks.append(f"{repeated} of {config.repeats} repeats")
        if lacks:
            said.append(f"{unit.name}: {' and '.join(lacks)} have ended")
    return said


def setting_table(run: RunRecord) -> Table:
    """Return how every network was trained, the same for all units."""
    config = run.config
    rows = [[key.replace("_", " "), _plain(value)] for key, value in config.training]
    rows += [
        [
            "parameter budget",
            f"{count(config.budget)} ({'recurrent layers' if config.count == 'recurrent' else 'all'})",
        ],
        ["learning rates", ", ".join(rate(r) for r in config.learning_rates)],
        ["repeats of each unit's best", str(config.repeats)],
        ["seed", str(config.seed)],
        ["digest of the configuration", config.digest],
    ]
    return Table(("setting", "value"), rows)


def environment_table(run: RunRecord) -> Table:
    """Return the machine and the versions that the numbers depend on."""
    return Table(
        ("environment", "value"), [[k.replace("_", " "), _plain(v)] for k, v in run.environment.items()]
    )


def data_table(run: RunRecord) -> Table:
    """Return where the data comes from and how much of it there is."""
    task = run.config.task
    rows = [
        ["data", task.title],
        ["source", task.source],
        *(["note", note] for note in task.notes),
        ["SHA-256 of the data", task.digest],
        ["sequences (train / validation / test)", " / ".join(count(n) for n in task.sequences)],
        ["steps (train / validation / test)", " / ".join(count(n) for n in task.steps)],
        ["inputs a step", count(task.input_size)],
        ["measures", ", ".join(m.title for m in task.measures)],
    ]
    return Table(("data", "value"), rows)


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
