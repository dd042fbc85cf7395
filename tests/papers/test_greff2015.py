import pytest

from gatelab.cells import get
from gatelab.errors import ConfigError
from gatelab.papers import STUDIES, greff2015
from gatelab.runs import Training, Trial
from gatelab.runs.study import Key, extended
from gatelab.tasks import reopen
from gatelab.train import train


@pytest.fixture(scope="module")
def plan():
    return greff2015.study(["jsb=chorales"], trials=3)


def test_the_protocol(plan):
    assert [c.name for c in plan.cells] == [
        "lstm",
        "nig",
        "nfg",
        "nog",
        "niaf",
        "noaf",
        "np",
        "cifg",
        "fgr",
        "gru",
    ]
    assert len(plan) == 30
    training = plan.of(Key("jsb", "nfg", 1)).training
    assert (training.optimizer, training.normalized_momentum, training.loss) == ("sgd", True, "sum")
    assert (training.batch_size, training.max_norm, training.weight_noise) == (1, None, 0)
    assert (training.init_deviation, training.max_epochs, training.patience) == (0.1, 150, 15)
    assert STUDIES["greff2015"] is greff2015


def test_the_space(plan):
    ends = {name: (d.at(0.0), d.at(1.0)) for name, d in plan.space.items()}
    assert ends == {
        "learning_rate": (1e-6, 1e-2), "hidden_size": (20, 200), "momentum": (0, 0.99), "input_noise": (0, 1),
    }  # fmt: skip
    settings = [plan.of(Key("jsb", cell, 2)) for cell in greff2015.CELLS]
    assert settings == settings[:1] * 10  # cells can be compared in pairs
    assert isinstance(settings[0].hidden_size, int)


def test_vanilla_is_the_one_with_peepholes():
    assert len(get("lstm").parameters) == len(get("np").parameters) + 3


def test_what_is_said_of_the_paper(plan):
    assert plan.paper.reported["jsb/niaf"].test == 8.38
    said = " ".join(plan.paper.differences)
    assert "3 trials a cell" in said
    assert "the user's data, chorales" in said
    assert {t for f in plan.findings for t in f.tasks} == {"jsb"}
    few = greff2015.study(["jsb=chorales"], cells=["nfg", "gru"], trials=1)
    assert {f.reference for f in few.findings} == {None}


def test_findings_are_of_cells_and_settings_that_there_are():
    for finding in greff2015.FINDINGS:
        known = greff2015.CELLS if finding.reference else greff2015.SPACE
        assert set(finding.about) <= set(known)
        assert set(finding.tasks) <= set(greff2015.TASKS)
        assert ("at" in finding.relation.split()) == (finding.bound is not None)


def test_a_study_grows_without_losing_trials(plan):
    more = greff2015.study(["jsb=chorales"], trials=4)
    assert extended(plan, more).of(Key("jsb", "np", 2)) == plan.of(Key("jsb", "np", 2))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"datasets": ["timit"]}, "the paper has no task 'timit'"),
        ({"datasets": ["fones=x"]}, "did you mean phones"),
        ({"datasets": ["jsb="]}, "with your own data"),
        ({"datasets": ["jsb=chorales", "jsb=chorales"]}, "each once"),
        ({"datasets": []}, "each once"),
        ({"datasets": ["jsb=chorales"], "trials": 0}, "at least 1"),
        ({"datasets": ["jsb=chorales"], "cells": ["lsmt"]}, "did you mean lstm"),
    ],
)
def test_impossible_studies(values, said):
    with pytest.raises(ConfigError, match=said):
        greff2015.study(**values)


def test_speech_and_handwriting(real_data):
    plan = greff2015.study(["jsb", "phones", "handwriting"], trials=2)
    jsb, phones, handwriting = plan.tasks
    assert [t.record.sequences for t in plan.tasks] == [(229, 76, 77), (120, 20, 20), (3926, 457, 477)]
    assert not jsb.body.bidirectional
    assert phones.body == handwriting.body
    assert phones.body.bidirectional
    assert phones.body.dropout == 0
    assert (phones.record.headline, handwriting.record.headline) == ("frame error", "character error")
    assert handwriting.record.options == {}
    assert len(plan.findings) == len(greff2015.FINDINGS)
    assert sum("stand in for" in d for d in plan.paper.differences) == 2


def test_a_trial_is_trained(plan):
    settings = plan.of(Key("jsb", "lstm", 0))
    trial = Trial(unit="lstm", stage="search", number=0, learning_rate=3e-3, seed=settings.seed)
    training = settings.training.model_copy(update={"max_epochs": 2})
    outcome = train(None, trial, reopen(plan.tasks[0].record), get("lstm"), 20, training, settings.body)
    assert outcome.status == "finished"
    assert outcome.updates == 2 * plan.tasks[0].record.sequences[0]
    assert outcome.valid < 60.99  # a coin for each key
    assert isinstance(training, Training)
