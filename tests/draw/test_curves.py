import pytest

from gatelab.draw.curves import MOST, curve_rows, learning_curves, shown_trial
from gatelab.draw.style import DARK_PALETTE, LIGHT_PALETTE, theme


@pytest.fixture
def run(make_trial, make_run):
    return make_run(
        make_trial("gru", 0, 1e-4, [60.0, 30, 12, 11, 10, 9.8, 9.7, 9.6, 9.5, 9.4, 9.4, 9.4]),
        make_trial("gru", 1, 1e-3, [50.0, 20, 10, 9.5, 9.0, 8.9, 8.8, 8.7, 8.7, 8.6, 8.6, 8.6]),
        make_trial("lstm", 0, 1e-4, [55.0, 25, 11, 10.5, 9.9, 9.0, 8.9, 8.8, 8.8, 8.8, 8.7, 8.7]),
        make_trial("lstm", 1, 1e-3, [], "diverged"),
    )


def layers(chart):
    return chart.to_dict()["layer"]


def values(chart, layer):
    spec = chart.to_dict()
    return spec["datasets"][spec["layer"][layer]["data"]["name"]]


def test_best_trial_is_shown(run):
    assert shown_trial(run, "gru").trial.number == 1
    assert {r["value"] for r in curve_rows(run) if r["unit"] == "gru" and r["epoch"] == 12} == {8.6, 8.35}
    assert len(curve_rows(run)) == 2 * 2 * 12


def test_an_unfinished_unit_shows_its_best_so_far(make_trial, make_run):
    run = make_run(
        make_trial("gru", 0, 1e-4, [12.0, 11.0], None),
        make_trial("gru", 1, 1e-3, [12.0, 10.0], None),
    )
    assert shown_trial(run, "gru").trial.number == 1
    assert shown_trial(run, "lstm") is None


@pytest.mark.parametrize(("against", "title"), [("updates", "updates"), ("seconds", "seconds of training")])
def test_axes_have_units(run, against, title):
    line = layers(learning_curves(run, against))[1]["encoding"]
    assert (line["x"]["field"], line["x"]["title"]) == (against, title)
    assert line["y"]["title"] == "NLL [nats per step]"
    assert line["strokeDash"]["scale"]["domain"] == ["validation", "train"]
    assert line["color"]["scale"]["domain"] == ["gru", "lstm"]


def test_first_epochs_are_cut_off_and_it_says_so(run):
    spec = learning_curves(run).to_dict()
    low, high = spec["layer"][1]["encoding"]["y"]["scale"]["domain"]
    assert low < 8.35
    assert 11 < high < 25
    assert spec["layer"][1]["mark"]["clip"] is True
    assert any("cut off" in said and "55.00" in said for said in spec["title"]["text"])


def test_no_word_of_cutting_where_nothing_is_cut(make_trial, make_run):
    run = make_run(make_trial("gru", 0, 1e-3, [11.0, 10.8, 10.6]), make_trial("lstm", 0, 1e-3, [11.0, 10.7]))
    assert "title" not in learning_curves(run).to_dict()


def test_baselines_are_labelled_rules(run):
    chart = learning_curves(run)
    rules = layers(chart)[0]
    assert [r["label"] for r in values(chart, 0)] == ["marginal 11.000", "Markov 10.500"]
    assert [part["mark"]["type"] for part in rules["layer"]] == ["rule", "text"]


def test_a_baseline_far_off_is_told_not_drawn(make_trial, make_run):
    run = make_run(make_trial("gru", 0, 1e-3, [3.3, 3.2, 3.1]), baselines={"marginal": 10.25})
    spec = learning_curves(run).to_dict()
    assert spec["title"]["text"] == ["marginal baseline, not on the axis: 10.250"]
    assert len(spec["layer"]) == 2


def test_long_curves_are_thinned(make_trial, make_run):
    run = make_run(make_trial("gru", 0, 1e-3, [10.0] * 5 * MOST))
    epochs = sorted({r["epoch"] for r in curve_rows(run)})
    assert len(epochs) <= MOST + 1
    assert (epochs[0], epochs[-1]) == (1, 5 * MOST)


def test_an_empty_run_is_an_empty_chart(make_run):
    chart = learning_curves(make_run(baselines={}))
    assert curve_rows(make_run()) == []
    assert [part["mark"]["type"] for part in layers(chart)] == ["line", "point"]


def test_charts_name_no_colours(run):
    assert "#" not in str(
        {k: v for k, v in learning_curves(run).to_dict().items() if k not in ("config", "$schema")}
    )
    assert theme(dark=True)["range"]["category"] == list(DARK_PALETTE)
    assert len(set(LIGHT_PALETTE)) == len(LIGHT_PALETTE)
