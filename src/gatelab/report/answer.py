"""What a run says, in a sentence computed from its numbers; ties are said as ties."""

from __future__ import annotations

from dataclasses import dataclass

from gatelab.report.numbers import nll, range_of
from gatelab.runs import RunRecord
from gatelab.stats import Interval, mean_interval, paired_difference


@dataclass(frozen=True)
class Standing:
    """A unit's test NLL, by the seed that each training began with."""

    unit: str
    tests: dict[int, float]

    @property
    def interval(self) -> Interval:
        """Mean over seeds."""
        return mean_interval(list(self.tests.values()))


def standings(run: RunRecord) -> list[Standing]:
    """Return the units that have a test NLL, the lowest mean first."""
    found = []
    for unit in run.config.units:
        tests = run.tests(unit.name)
        if tests:
            found.append(Standing(unit.name, tests))
    return sorted(found, key=lambda s: s.interval.mean)


def compared(left: Standing, right: Standing) -> Interval | None:
    """Return the paired difference left − right over the seeds that both have; None without such seeds."""
    seeds = [s for s in left.tests if s in right.tests]
    if not seeds:
        return None
    return paired_difference([left.tests[s] for s in seeds], [right.tests[s] for s in seeds])


def answer(run: RunRecord) -> str:
    """Return the run's answer: which unit has the lowest test NLL, by how much, and how sure that is."""
    said = _answer(run) + _diverged(run)
    return said if run.complete or not standings(run) else f"So far, with trials still to come: {said}"


def _diverged(run: RunRecord) -> str:
    """Say which repeats diverged: a mean over those that did not is a mean over survivors."""
    found = []
    for unit in run.config.units:
        ended = [t.outcome for t in run.of(unit.name, "repeat") if t.outcome]
        diverged = sum(outcome.status == "diverged" for outcome in ended)
        found += [f"{unit.name} {diverged} of {len(ended)}"] * (diverged > 0)
    return f" Repeats that diverged: {', '.join(found)}." if found else ""


def _answer(run: RunRecord) -> str:
    ranked = standings(run)
    if not ranked:
        return "No trial has finished yet, so there is no answer."
    if len(ranked) == 1:
        return _alone(run, ranked[0])
    best, others = ranked[0], ranked[1:]
    differences = [(other, compared(other, best)) for other in others]
    if any(d is None or not d.known for _, d in differences):
        return _one_seed(best, others)
    tied = [(o, d) for o, d in differences if d and d.holds(0)]
    higher = [(o, d) for o, d in differences if d and not d.holds(0)]
    return _shown(best, higher) if not tied else _tied(best, tied, higher)


def _alone(run: RunRecord, only: Standing) -> str:
    beaten = [name for name, value in run.baselines.items() if only.interval.mean < value]
    missing = [u.name for u in run.config.units if u.name != only.unit]
    said = f"{only.unit} has a test NLL of {nll(only.interval.mean)} nats per step"
    if beaten:
        said += f", below the {' and the '.join(beaten)} baseline"
    return f"{said}." + (f" {' and '.join(missing)} cannot be compared yet." if missing else "")


def _one_seed(best: Standing, others: list[Standing]) -> str:
    gap = others[0].interval.mean - best.interval.mean
    return (
        f"{best.unit} has the lowest test NLL, {nll(best.interval.mean)} nats per step, {nll(gap)} below "
        f"{others[0].unit}; there is one seed a unit only, so chance is not excluded."
    )


def _shown(best: Standing, higher: list[tuple[Standing, Interval]]) -> str:
    other, difference = higher[0]
    return (
        f"{best.unit} has the lowest test NLL, {nll(best.interval.mean)} nats per step: "
        f"{nll(difference.mean)} below {other.unit}, the next, paired over {difference.n} seeds, "
        f"95 % interval {range_of(difference)}."
    )


def _tied(
    best: Standing, tied: list[tuple[Standing, Interval]], higher: list[tuple[Standing, Interval]]
) -> str:
    names = " and ".join(f"{o.unit} ({nll(o.interval.mean)}, {range_of(d)})" for o, d in tied)
    seeds = min(d.n for _, d in tied)
    said = (
        f"No difference shown: {best.unit} has the lowest test NLL, {nll(best.interval.mean)} nats per step, "
        f"but over {seeds} paired seeds the 95 % interval of the difference to {names} holds 0."
    )
    if higher:
        listed = " and ".join(f"{o.unit} by {nll(d.mean)}, {range_of(d)}" for o, d in higher)
        said += f" Higher than {best.unit}: {listed}."
    return said
