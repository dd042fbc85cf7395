"""What a run says, in a sentence computed from its numbers; ties are said as ties."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from gatelab.report.numbers import decimal, range_of, seconds, signed
from gatelab.runs import Measure, RunRecord
from gatelab.stats import Interval, mean_interval, paired_difference
from gatelab.stats.bootstrap import Resampled, paired_bootstrap


@dataclass(frozen=True)
class Standing:
    """A unit's headline measure on test, by the seed that each training began with."""

    unit: str
    tests: dict[int, float]

    @property
    def interval(self) -> Interval:
        """Mean over seeds."""
        return mean_interval(list(self.tests.values()))


@dataclass(frozen=True)
class Words:
    """How a measure is spoken of: NLL per step is the lower, the better, accuracy the higher."""

    measure: Measure

    @property
    def best(self) -> str:
        """The best value of a measure in words."""
        return f"{'lowest' if self.measure.better == 'lower' else 'highest'} test {self.measure.name}"

    @property
    def ahead(self) -> str:
        """Where the better of two values lies."""
        return "below" if self.measure.better == "lower" else "above"

    @property
    def behind(self) -> str:
        """What the worse of two values is."""
        return "Higher" if self.measure.better == "lower" else "Lower"

    def amount(self, value: float) -> str:
        """Return a value with its unit."""
        return f"{decimal(value)} {self.measure.unit}".rstrip()


def standings(run: RunRecord, measure: Measure | None = None) -> list[Standing]:
    """Return the units that have a value on test, the best mean first; of the headline as a rule."""
    measure = measure or run.config.task.measure
    found = []
    for unit in run.config.units:
        tests = run.tests(unit.name, measure.name)
        if tests:
            found.append(Standing(unit.name, tests))
    higher = measure.better == "higher"
    return sorted(found, key=lambda s: s.interval.mean, reverse=higher)


def compared(left: Standing, right: Standing) -> Interval | None:
    """Return the paired difference left − right over the seeds that both have; None without such seeds."""
    seeds = [s for s in left.tests if s in right.tests]
    if not seeds:
        return None
    return paired_difference([left.tests[s] for s in seeds], [right.tests[s] for s in seeds])


def answer(run: RunRecord) -> str:
    """Return the run's answer: which unit is best on test, by how much, and how sure that is."""
    said = _answer(run) + _over_sequences(run) + _cost(run) + _diverged(run)
    return said if run.complete or not standings(run) else f"So far, with trials still to come: {said}"


def over_sequences(run: RunRecord, left: str, right: str) -> Resampled | None:
    """Return the difference of two units over the test sequences, a unit's repeats summed; None without."""
    both = [[np.asarray(s) for s in run.scores(unit)] for unit in (left, right)]
    overlap = run.config.task.overlap
    if not all(both) or len({s.shape for scores in both for s in scores}) > 1:
        return None
    if len(both[0][0]) < 2 * overlap:
        return None  # not two of them are independent
    first, second = (np.sum(scores, axis=0) for scores in both)
    return paired_bootstrap(first, second, run.config.task.measure.formula, block=overlap)


def _over_sequences(run: RunRecord) -> str:
    """Say how sure the best unit's lead is where chance lies in the test sequences, not in the seeds."""
    ranked, words = standings(run), Words(run.config.task.measure)
    if len(ranked) < 2:
        return ""
    found = over_sequences(run, ranked[0].unit, ranked[1].unit)
    if found is None or math.isnan(found.low):
        return ""
    overlap = run.config.task.overlap
    blocks = f" by blocks of {overlap}, as they overlap" if overlap > 1 else ""
    better = found.below if words.measure.better == "lower" else 1 - found.below
    return (
        f" Of these trained networks, over the {found.n:,} test sequences (paired bootstrap{blocks}), the "
        f"difference to {ranked[1].unit} is "
        f"{signed(found.difference)}, 95 % interval [{signed(found.low)}, {signed(found.high)}]; "
        f"{ranked[0].unit} is the better one in {better:.0%} of the draws."
    )


def _cost(run: RunRecord) -> str:
    """Say what each unit's best trial took to train, and takes to run."""
    found = []
    for unit in run.config.units:
        best = run.best(unit.name)
        if best is not None and best.outcome and best.outcome.microseconds is not None:
            spent = best.outcome
            found.append(f"{unit.name} {seconds(spent.seconds)} s and {spent.microseconds:.3g} µs")
    if len(found) < 2:
        return ""
    return f" Cost, one thread, to train and to run a step in batches: {', '.join(found)}."


def _diverged(run: RunRecord) -> str:
    """Say which repeats diverged: a mean over those that did not is a mean over survivors."""
    found = []
    for unit in run.config.units:
        ended = [t.outcome for t in run.of(unit.name, "repeat") if t.outcome]
        diverged = sum(outcome.status == "diverged" for outcome in ended)
        found += [f"{unit.name} {diverged} of {len(ended)}"] * (diverged > 0)
    return f" Repeats that diverged: {', '.join(found)}." if found else ""


def _answer(run: RunRecord) -> str:
    ranked, words = standings(run), Words(run.config.task.measure)
    if not ranked:
        return "No trial has finished yet, so there is no answer."
    if len(ranked) == 1:
        return _alone(run, ranked[0], words)
    best, others = ranked[0], ranked[1:]
    differences = [(other, compared(other, best)) for other in others]
    if any(d is None or not d.known for _, d in differences):
        return _one_seed(best, others, words)
    tied = [(o, d) for o, d in differences if d and d.holds(0)]
    behind = [(o, d) for o, d in differences if d and not d.holds(0)]
    return _shown(best, behind, words) if not tied else _tied(best, tied, behind, words)


def _alone(run: RunRecord, only: Standing, words: Words) -> str:
    sign = 1 if words.measure.better == "lower" else -1
    beaten = [k for k, v in run.baseline(words.measure).items() if sign * only.interval.mean < sign * v]
    missing = [u.name for u in run.config.units if u.name != only.unit]
    said = f"{only.unit} has a test {words.measure.name} of {words.amount(only.interval.mean)}"
    if beaten:
        said += f", {words.ahead} the {' and the '.join(beaten)} baseline"
    return f"{said}." + (f" {' and '.join(missing)} cannot be compared yet." if missing else "")


def _one_seed(best: Standing, others: list[Standing], words: Words) -> str:
    gap = abs(others[0].interval.mean - best.interval.mean)
    return (
        f"{best.unit} has the {words.best}, {words.amount(best.interval.mean)}, {decimal(gap)} "
        f"{words.ahead} {others[0].unit}; there is one seed a unit only, so chance is not excluded."
    )


def _shown(best: Standing, behind: list[tuple[Standing, Interval]], words: Words) -> str:
    other, difference = behind[0]
    return (
        f"{best.unit} has the {words.best}, {words.amount(best.interval.mean)}: "
        f"{decimal(abs(difference.mean))} {words.ahead} {other.unit}, the next, paired over {difference.n} "
        f"seeds, 95 % interval {range_of(difference)}."
    )


def _tied(
    best: Standing,
    tied: list[tuple[Standing, Interval]],
    behind: list[tuple[Standing, Interval]],
    words: Words,
) -> str:
    names = " and ".join(f"{o.unit} ({decimal(o.interval.mean)}, {range_of(d)})" for o, d in tied)
    seeds = min(d.n for _, d in tied)
    said = (
        f"No difference shown: {best.unit} has the {words.best}, {words.amount(best.interval.mean)}, "
        f"but over {seeds} paired seeds the 95 % interval of the difference to {names} holds 0."
    )
    if behind:
        listed = " and ".join(f"{o.unit} by {decimal(abs(d.mean))}, {range_of(d)}" for o, d in behind)
        said += f" {words.behind} than {best.unit}: {listed}."
    return said
