"""What a study says of its cells, in a sentence a task, computed from its numbers."""

from __future__ import annotations

from gatelab.report.frame import listed
from gatelab.report.numbers import decimal, probability, signed
from gatelab.report.study_numbers import StudyNumbers, TaskNumbers
from gatelab.stats.reference import Comparison


def study_answers(numbers: StudyNumbers) -> list[str]:
    """Return a sentence for each task: which cells differ from the reference; without one, which is best."""
    return [_against(numbers, t) if t.comparisons else _alone(numbers, t) for t in numbers.tasks]


def _against(numbers: StudyNumbers, task: TaskNumbers) -> str:
    rows = list(task.comparisons.values())
    of = {
        v: [r for r in rows if r.verdict == v]
        for v in ("better", "worse", "no difference shown", "not tested")
    }
    said = [
        f"{v} {'is' if len(of[v]) == 1 else 'are'} {_differing(of[v])}" for v in ("better", "worse") if of[v]
    ]
    if of["no difference shown"]:
        said.append(f"no difference is shown for {listed(r.cell for r in of['no difference shown'])}")
    if of["not tested"]:
        said.append(f"not tested: {listed(r.cell for r in of['not tested'])}")
    return (
        f"{task.trials.name}, against {numbers.reference} by {task.trials.title}: {'; '.join(said)} "
        f"({_test(rows)})."
    )


def _differing(rows: list[Comparison]) -> str:
    return listed(
        f"{r.cell} ({signed(r.found.difference.value)}, p = {probability(r.p)})" for r in rows if r.found
    )


def _test(rows: list[Comparison]) -> str:
    tested = [r for r in rows if r.found is not None]
    if not tested:
        return "fewer than two pairs of trials with results"
    best, trials = ({getattr(r, k) for r in tested} for k in ("best", "trials"))
    return (
        f"best {_between(best)} of {_between(trials)} trials a cell; permutation test of pairs, p by Holm "
        f"over {tested[0].family} comparisons"
    )


def _between(counts: set[int]) -> str:
    return f"{max(counts)}" if len(counts) == 1 else f"{min(counts)} to {max(counts)}"


def _alone(numbers: StudyNumbers, task: TaskNumbers) -> str:
    trials = task.trials
    means = {}
    for cell in trials.cells:
        tests = trials.tests(trials.best(cell, numbers.share))
        if tests:
            means[cell] = (sum(tests) / len(tests), len(tests))
    if not means:
        return f"{trials.name}: no trial has given a result yet."
    sign = 1 if trials.lower else -1
    best = min(means, key=lambda c: sign * means[c][0])
    mean, n = means[best]
    return (
        f"{trials.name}: {best} has the best mean of its best {n} trials, {trials.title} {decimal(mean)}; "
        "no cell was named as reference, so no difference was tested."
    )
