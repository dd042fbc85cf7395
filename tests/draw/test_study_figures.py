"""The figures of a study: their tables, and what their charts say."""

import json
from itertools import pairwise

import pytest
import vl_convert

from gatelab.draw.best_boxes import REFERENCE, TIED, WORSE, best_boxes, box_rows
from gatelab.draw.best_curves import MOST, best_curve_rows, best_curves
from gatelab.draw.best_of_n import best_of_n
from gatelab.draw.importances import POOLED, study_importance
from gatelab.draw.marginal import marginal, marginal_rows
from gatelab.draw.pair_map import pair_map, pair_rows
from gatelab.draw.rank_diagram import rank_diagram, rank_rows
from gatelab.draw.share_bars import MORE, PAIRS, share_bars, share_rows
from gatelab.draw.style import LIGHT_PALETTE, cell_colour, cell_dash
from gatelab.draw.task_trials import TaskTrials
from gatelab.draw.trial_scatter import scatter_domain, scatter_rows, trial_scatter
from made_studies import CELLS, made_study

SAID = {"lstm": (None, REFERENCE), "nig": (0.2, TIED), "nfg": (0.001, WORSE)}


@pytest.fixture(scope="module")
def trials():
    return TaskTrials(made_study(trials=60), "jsb")


@pytest.fixture(scope="module")
def found(trials):
    cells = {c: study_importance(trials, c, trees=6, seeds=2) for c in trials.cells}
    return {**cells, POOLED: study_importance(trials, trees=6, seeds=2)}


@pytest.fixture(scope="module")
def charts(trials, found):
    values = [{"cell": c, "n": n, "value": 9 - 0.1 * n} for c in trials.cells for n in (1, 2, 3)]
    return {
        "boxes": best_boxes(trials, SAID),
        "marginal": marginal(trials, found, "learning_rate", found[POOLED]),
        "pairs": pair_map(trials, found, "learning_rate", "hidden_size"),
        "shares": share_bars(found),
        "best of n": best_of_n(values, trials.cells, trials.title),
        "curves": best_curves(trials),
        "ranks": rank_diagram({"lstm": 1.0, "nig": 2.5, "nfg": 2.5}, [("lstm", "nig"), ("nig", "nfg")], 1.2),
        "scatter": trial_scatter(trials, "learning_rate"),
    }


def test_boxes_are_those_of_the_best(trials):
    rows = box_rows(trials, SAID)
    assert [r["label"] for r in rows] == ["lstm", "nig", "nfg ▼"]
    for row in rows:
        best = trials.best(row["cell"])
        assert row["values"] == [round(t.test, 5) for t in best]
        assert (row["n"], row["of"]) == (6, 60)
        assert row["low"] <= row["q1"] <= row["median"] <= row["q3"] <= row["high"]
        assert row["parameters"] == round(sum(t.parameters for t in best) / 6)
    assert box_rows(trials)[0]["verdict"] == TIED


def test_a_cell_without_results_has_no_box():
    trials = TaskTrials(made_study(ended=1, broken=False), "jsb")
    assert [r["cell"] for r in box_rows(trials)] == ["lstm"]
    assert len(best_boxes(trials).to_dict()["layer"]) == 2
    none = TaskTrials(made_study(ended=0), "jsb")
    assert box_rows(none) == []
    assert vl_convert.vegalite_to_svg(best_boxes(none).to_dict() | {"width": 300})


def test_marginals_have_a_band(trials, found):
    rows = marginal_rows(trials, found, "hidden_size")
    assert [r["cell"] for r in rows] == [*CELLS[:3], POOLED]
    for row in rows:
        assert len({len(row[k]) for k in ("place", "said", "mean", "low", "high")}) == 1
        assert all(a <= b <= c for a, b, c in zip(row["low"], row["mean"], row["high"], strict=True))
    assert rows[0]["said"][0] in ("20", "21")
    assert rows[0]["mean"][-1] < rows[0]["mean"][0]  # larger networks learn more


def test_pairs_are_in_the_order_of_the_first(found):
    row = pair_rows(found, "learning_rate", "hidden_size")[0]
    values = found["lstm"].pairs["learning_rate", "hidden_size"]
    assert len(row["values"]) == values.size
    assert row["values"][1] == pytest.approx(values[0, 1], rel=1e-3)
    assert 0 < row["share"] < 100


def test_shares_fill_the_bar(found):
    rows = share_rows(found)
    lstm = [r for r in rows if r["cell"] == "lstm"]
    assert [r["part"] for r in lstm] == [
        "learning rate", "hidden size", "momentum", "input noise", PAIRS, MORE,
    ]  # fmt: skip
    assert lstm[0]["begin"] == 0
    assert lstm[-1]["end"] == pytest.approx(100, abs=0.01)
    assert all(a["end"] == b["begin"] for a, b in pairwise(lstm))
    assert all(r["begin"] <= r["low"] <= r["end"] <= r["high"] for r in lstm)
    assert "cell" in {r["part"] for r in rows if r["cell"] == POOLED}


def test_curves_are_thinned():
    trials = TaskTrials(made_study(trials=10, epochs=700), "jsb")
    rows = best_curve_rows(trials)
    assert [(r["cell"], r["split"]) for r in rows[:2]] == [("lstm", "validation"), ("lstm", "train")]
    assert len(rows[0]["epoch"]) <= MOST + 1
    assert (rows[0]["epoch"][0], rows[0]["epoch"][-1]) == (1, 700)
    assert rows[0]["value"][-1] == pytest.approx(trials.best("lstm")[0].curve[-1][1], rel=1e-4)


def test_groups_that_join_nothing_new_are_left_out():
    ranks = {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    rows = rank_rows(ranks, [("b", "a"), ("a", "b", "c"), ("d",), ("c", "d"), ("d", "c")])
    assert [(r["first"], r["last"], r["at"]) for r in rows] == [("a", "c", 0), ("c", "d", 1)]


def test_trials_without_a_value_lie_at_the_upper_end(trials):
    rows, domain = scatter_rows(trials, "learning_rate"), scatter_domain(trials)
    number = sum(len(r["place"]) for r in rows)
    ended = [t for c in trials.cells for t in trials.of(c)]
    assert number == sum(t.status == "diverged" or t.test is not None for t in ended)
    diverged = [v for r in rows if r["ending"] == "diverged" for v in r["shown"]]
    assert max(diverged) == pytest.approx(domain.high, rel=1e-4)
    assert all(0 <= p <= 1 for r in rows for p in r["place"])


def titles(spec):
    if isinstance(spec, dict):
        if "field" in spec and isinstance(spec.get("title"), str):
            yield spec["title"]
        for value in spec.values():
            yield from titles(value)
    elif isinstance(spec, list):
        for value in spec:
            yield from titles(value)


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        (
            "boxes",
            {"test NLL [nats per step], best trials", "mean parameters of the recurrent layers (bars)"},
        ),
        ("marginal", {"learning rate", "mean test NLL [nats per step]", "seconds of training (dotted)"}),
        ("pairs", {"learning rate", "hidden units a layer and direction", "mean test NLL [nats per step]"}),
        ("shares", {"share of the forest's variance [%]"}),
        ("best of n", {"trials in the search", "test NLL [nats per step]"}),
        ("curves", {"epoch", "NLL [nats per step]"}),
        ("ranks", {"mean rank over tasks (1 is best)"}),
        ("scatter", {"learning rate", "test NLL [nats per step]"}),
    ],
)
def test_charts_are_drawn_and_axes_have_units(charts, name, wanted):
    spec = charts[name].to_dict()
    assert wanted <= set(titles(spec))
    assert spec["width"] == "container"
    spec["width"] = 400
    svg = vl_convert.vegalite_to_svg(spec)
    assert "NaN" not in svg
    assert "undefined" not in svg
    assert len(json.dumps(spec)) < 60_000


def test_no_two_cells_look_the_same():
    names = [f"cell{k}" for k in range(20)]
    dashes = cell_dash(names).to_dict()["scale"]["range"]
    looks = [(k % len(LIGHT_PALETTE), tuple(d)) for k, d in enumerate(dashes)]
    assert len(set(looks)) == 20
    assert cell_colour(names).to_dict()["scale"]["domain"] == names
