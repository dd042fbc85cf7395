import math
import re
from dataclasses import replace

import pytest

from gatelab.report.answer import compared, standings
from gatelab.report.details import candidate_table, difference_table, missing, reported_table
from gatelab.report.numbers import NOTHING, count, decimal, rate, seconds, signed, spread
from gatelab.report.page import render
from gatelab.report.table import RESULT_COLUMNS, answer, result_table
from gatelab.runs import Outcome, read_run, write_json
from gatelab.stats import Interval


def set_tests(folder, tests):
    """Give the best trial and the repeats of each unit these test NLLs."""
    run = read_run(folder)
    for unit, values in tests.items():
        trials = [run.best(unit), *run.of(unit, "repeat")]
        for record, value in zip(trials, values, strict=True):
            outcome = Outcome(**(record.outcome.model_dump() | {"test": value}))
            write_json(folder / "trials" / record.trial.name / "outcome.json", outcome)
    return read_run(folder)


def test_result_table(run):
    columns, rows = result_table(run)
    assert columns == RESULT_COLUMNS
    assert [row[0] for row in rows] == ["tanh", "gru", "lstm", "marginal baseline", "Markov baseline"]
    assert all(len(row) == len(columns) for row in rows)
    gru = dict(zip(columns, rows[1], strict=True))
    best = run.best("gru")
    assert gru["test"] == f"{best.outcome.test:.3f}"
    assert gru["learning rate"] == f"{best.trial.learning_rate:.2e}"
    assert gru["updates"] == "3,480"
    assert re.fullmatch(r"8\.\d{3} ± 0\.\d{3} \(3\)", gru["test over seeds"])
    assert rows[-1][-2:] == ["10.491", "–"]


def test_result_table_of_an_empty_run(fabricate):
    _, rows = result_table(read_run(fabricate(ended=0)))
    assert [row[3:] for row in rows] == [["–"] * 7] * 3


def test_a_difference_that_is_shown(fabricate):
    run = set_tests(fabricate(), {
        "tanh": [9.1, 9.2, 9.1, 9.0], "gru": [8.5, 8.6, 8.4, 8.5], "lstm": [8.7, 8.8, 8.7, 8.7],
    })  # fmt: skip
    said = answer(run)
    assert said.startswith("gru has the lowest test NLL, 8.500 nats per step: 0.233 below lstm, the next")
    assert "paired over 3 seeds" in said
    assert [row[-1] for row in difference_table(run).rows] == ["shown"] * 3


def test_a_tie_is_said_as_a_tie(fabricate):
    run = set_tests(fabricate(), {
        "tanh": [9.1, 9.2, 9.1, 9.0], "gru": [8.5, 8.7, 8.4, 8.6], "lstm": [8.6, 8.5, 8.7, 8.6],
    })  # fmt: skip
    said = answer(run)
    assert said.startswith("No difference shown: gru has the lowest test NLL")
    assert "lstm (8.600, [−" in said
    assert "Higher than gru: tanh by 0.533" in said
    assert difference_table(run).rows[0][-1] == "not shown"


def test_one_seed_is_said_as_one_seed(fabricate, comparison):
    run = read_run(fabricate(comparison(repeats=0)))
    assert "there is one seed a unit only" in answer(run)
    assert {row[-1] for row in difference_table(run).rows} == {"one seed only"}
    assert result_table(run).rows[0][-1].endswith(" (1)")


def test_seeds_are_paired_by_seed_not_by_place(fabricate):
    """A repeat that diverged leaves no test NLL; the others keep their partners."""
    folder = fabricate()
    run = set_tests(folder, {
        "tanh": [9.0] * 4, "gru": [1.0, 2.0, 3.0, 4.0], "lstm": [1.5, 2.5, 3.5, 4.5],
    })  # fmt: skip
    diverged = Outcome(status="diverged", reason="diverged", epochs=1, updates=1, seconds=1.0)
    write_json(folder / "trials" / "gru-repeat-00" / "outcome.json", diverged)
    run = read_run(folder)
    by_name = {s.unit: s for s in standings(run)}
    difference = compared(by_name["lstm"], by_name["gru"])
    assert difference.n == 2
    assert "Repeats that diverged: gru 1 of 3." in answer(run)
    assert difference.mean == pytest.approx(0.5)
    assert difference.std == pytest.approx(0.0)


def test_a_single_unit(fabricate, comparison):
    run = read_run(fabricate(comparison(units=("gru",))))
    wanted = r"gru has a test NLL of 8\.\d+ nats per step, below the marginal and the Markov baseline\."
    assert re.fullmatch(wanted, answer(run))


def test_unfinished_runs(fabricate):
    run = read_run(fabricate(ended=1))
    assert answer(run).startswith("So far, with trials still to come: tanh has a test NLL of")
    assert "gru and lstm cannot be compared yet." in answer(run)
    assert missing(run) == [
        "tanh: 1 of 10 learning rates and 0 of 3 repeats have ended",
        "gru: 0 of 10 learning rates and 0 of 3 repeats have ended",
        "lstm: 0 of 10 learning rates and 0 of 3 repeats have ended",
    ]


def test_a_finished_run_misses_nothing(run):
    assert missing(run) == []


def test_reported_numbers(run):
    gru = reported_table(run).rows[1]
    ours = run.best("gru").outcome.test
    assert gru[:5] == ["gru", "48", "46", "19,728", "20.2 × 10³"]
    assert gru[-2:] == ["8.54", signed(ours - 8.54, 2)]


def test_numbers_of_other_data_are_not_compared(run):
    paper = run.config.paper.model_copy(update={"other_data": "Ubisoft A"})
    other = replace(run, config=run.config.model_copy(update={"paper": paper}))
    assert reported_table(other).rows[1][-2:] == ["8.54", NOTHING]
    assert "Ubisoft A, other data" in render([other])


def test_every_candidate_is_listed_with_its_ending(run):
    rows = candidate_table(run).rows
    assert len(rows) == 3 * 13
    assert [r[1] for r in rows].count("chosen") == 3
    assert [r[1] for r in rows].count("repeat") == 9
    assert [r[-1] for r in rows if r[-1].startswith("diverged")] == [
        "diverged: the training NLL became 131.2"
    ]


def test_numbers():
    assert (decimal(math.nan), decimal(-0.5), count(None), rate(None), seconds(None)) == (
        "–",
        "−0.500",
        "–",
        "–",
        "–",
    )
    assert (seconds(3.14159), seconds(1234.5)) == ("3.1", "1,234")
    assert spread(Interval(8.5, math.nan, math.nan, math.nan, 1)) == "8.500 (1)"
