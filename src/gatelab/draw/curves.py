"""Learning curves: the objective of each unit's best trial against updates, or against seconds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import altair as alt

from gatelab.draw.scale import Domain, robust_domain
from gatelab.draw.style import HEIGHT, unit_legend
from gatelab.runs import Epoch, RunRecord, TrialRecord

Against = Literal["updates", "seconds"]
Chart = alt.LayerChart | alt.FacetChart
TITLES = {"updates": "updates", "seconds": "seconds of training"}
SPLITS = ("validation", "train")
MOST = 400  # epochs drawn of a curve


def shown_trial(run: RunRecord, unit: str) -> TrialRecord | None:
    """Return the unit's best searched trial; where none has finished, the one that is best so far."""
    best = run.best(unit)
    if best is not None:
        return best
    begun = [t for t in run.trials if t.trial.unit == unit and t.trial.stage == "search" and t.epochs]
    return min(begun, key=lambda t: min(e.valid for e in t.epochs), default=None)


def curve_rows(run: RunRecord) -> list[dict[str, Any]]:
    """Return what the figure shows: a row for each unit, epoch and split."""
    rows = []
    for unit in run.config.units:
        trial = shown_trial(run, unit.name)
        for epoch in _thinned(trial.epochs) if trial else ():
            place = {"epoch": epoch.epoch, "updates": epoch.updates, "seconds": epoch.seconds}
            for split, value in zip(SPLITS, (epoch.valid, epoch.train), strict=True):
                rows.append({"unit": unit.name, "split": split, "value": round(value, 5), **place})
    return rows


def _thinned(epochs: Sequence[Epoch]) -> Sequence[Epoch]:
    """Return at most about as many epochs as a curve has pixels; the first and last are kept."""
    every = -(-len(epochs) // MOST)
    return [e for k, e in enumerate(epochs) if k % every == 0 or k == len(epochs) - 1]


def learning_curves(run: RunRecord, against: Against = "updates") -> Chart:
    """Return the learning curves of a run as a chart.

    Colour is the unit, a dashed line is training; pointing at a curve shows the numbers, a click in the
    legend shows one unit alone. Baselines are rules. Values far above all others are cut off, which the
    chart says.

    Parameters
    ----------
    run
        A run, finished or not.
    against
        What the horizontal axis counts.
    """
    rows = curve_rows(run)
    domain = robust_domain([r["value"] for r in rows], _baselines(run))
    rules = [_rules(run, domain)] if _on_axis(run, domain) else []
    chart = alt.layer(*rules, *_lines(run, rows, against, domain)).properties(
        width="container", height=HEIGHT
    )
    said = _said(run, domain)
    return chart.properties(title=alt.TitleParams(text=said, fontSize=12)) if said else chart


def _baselines(run: RunRecord) -> dict[str, float]:
    return run.baseline(run.config.task.objective)


def _said(run: RunRecord, domain: Domain) -> list[str]:
    said = []
    if domain.cut:
        said.append(f"cut off above {domain.high:.2f}; highest value {domain.highest:.2f}")
    said += [
        f"{n} baseline, not on the axis: {v:.3f}" for n, v in _baselines(run).items() if not domain.holds(v)
    ]
    return said


def _lines(run: RunRecord, rows: list[dict[str, Any]], against: Against, domain: Domain) -> list[alt.Chart]:
    chosen = alt.selection_point(fields=["unit"], bind="legend", name="unit_of_legend")
    # Not nearest=True: in the cells that it lays over the chart, tooltips lose their nominal fields.
    near = alt.selection_point(
        on="pointerover", clear="pointerout", fields=["unit", "split", "epoch"], empty=False,
        name="near_pointer",
    )  # fmt: skip
    bottom, top = domain.low, domain.high
    names = [u.name for u in run.config.units]
    base = alt.Chart(alt.InlineData(values=rows)).encode(
        x=alt.X(f"{against}:Q", title=TITLES[against], axis=alt.Axis(tickCount=6, labelOverlap=True)),
        y=alt.Y(
            "value:Q",
            title=run.config.task.objective.title,
            scale=alt.Scale(domain=[bottom, top], zero=False),
        ),
        color=alt.Color("unit:N", sort=None, scale=alt.Scale(domain=names), legend=unit_legend(names)),
        opacity=alt.condition(chosen, alt.value(1), alt.value(0.08)),
    )
    dash = alt.StrokeDash(
        "split:N", title="split", sort=None, scale=alt.Scale(domain=list(SPLITS), range=[[1, 0], [5, 4]])
    )
    line = base.mark_line(clip=True, strokeWidth=2).encode(strokeDash=dash).add_params(chosen)
    tooltip = [
        alt.Tooltip("unit:N", title="unit"),
        alt.Tooltip("split:N", title="split"),
        alt.Tooltip("value:Q", title=run.config.task.objective.title, format=".4f"),
        alt.Tooltip("epoch:Q", title="epoch"),
        alt.Tooltip("updates:Q", title="updates", format=","),
        alt.Tooltip("seconds:Q", title="seconds", format=".1f"),
    ]
    point = base.mark_point(clip=True, size=150, filled=True).encode(
        opacity=alt.condition(near, alt.value(1), alt.value(0)), tooltip=tooltip
    )
    return [line, point.add_params(near)]


def _on_axis(run: RunRecord, domain: Domain) -> list[dict[str, Any]]:
    return [
        {"baseline": n, "value": v, "label": f"{n} {v:.3f}"}
        for n, v in _baselines(run).items()
        if domain.holds(v)
    ]


def _rules(run: RunRecord, domain: Domain) -> Chart:
    base = alt.Chart(alt.InlineData(values=_on_axis(run, domain)))
    y = alt.Y("value:Q", title=run.config.task.objective.title)
    rule = base.mark_rule(strokeDash=[2, 2], strokeWidth=1).encode(y=y)
    label = base.mark_text(align="right", baseline="bottom", dy=-3).encode(
        y=y, x=alt.value("width"), text="label:N"
    )
    return alt.layer(rule, label)
