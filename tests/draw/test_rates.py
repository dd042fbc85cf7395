from gatelab.draw.rates import learning_rates, rate_rows


def test_diverged_chosen_and_far_ones_are_told_apart(make_trial, make_run):
    near = [make_trial("gru", k, 1e-3 + k * 1e-5, [9.0 + 0.1 * k]) for k in range(6)]
    run = make_run(
        *near,
        make_trial("gru", 6, 1e-5, [60.0]),
        make_trial("gru", 7, 1e-2, [], "diverged"),
        make_trial("lstm", 0, 1e-2, [9.05], "diverged"),
        make_trial("lstm", 1, 1e-3, [9.5], None),
    )
    rows = rate_rows(run)
    assert [r["ending"] for r in rows] == ["finished"] * 6 + ["above the axis", "diverged", "diverged"]
    assert [r["chosen"] for r in rows] == [True] + [False] * 7 + [True]
    assert [r["said"] for r in rows[-3:]] == ["60.0000", "none", "9.0500"]
    top = learning_rates(run).to_dict()["layer"][0]["encoding"]["y"]["scale"]["domain"][1]
    assert [r["shown"] for r in rows[-3:]] == [top, top, 9.05]
    assert 9.5 < top < 20


def test_the_axis_is_logarithmic_and_shapes_are_those_met(make_trial, make_run):
    spec = learning_rates(make_run(make_trial("gru", 0, 1e-3, [9.0]))).to_dict()
    line, _, points = spec["layer"]
    assert line["encoding"]["x"]["scale"]["type"] == "log"
    assert line["encoding"]["x"]["title"] == "learning rate"
    assert points["encoding"]["shape"]["scale"] == {"domain": ["finished"], "range": ["circle"]}


def test_nothing_ended(make_run):
    assert rate_rows(make_run()) == []
