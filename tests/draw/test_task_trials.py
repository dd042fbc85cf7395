import pytest

from gatelab.draw.task_trials import TaskTrials
from gatelab.errors import ConfigError
from gatelab.runs.study import StudyTrial
from gatelab.runs.study_table import StudyRecord
from made_studies import made_plan, made_study, task_record


def test_the_best_are_chosen_on_validation():
    trials = TaskTrials(made_study(trials=40), "jsb")
    best = trials.best("nfg")
    assert len(best) == 4
    valid = [t.valid for t in best]
    assert valid == sorted(valid)
    assert valid[-1] <= min(t.valid for t in trials.with_result("nfg") if t not in best)
    assert all(t.test is not None for t in best)
    assert trials.title == "test NLL [nats per step]"


def test_the_headline_measure_is_taken():
    trials = TaskTrials(made_study(("speech",)), "speech")
    one = trials.best("lstm")[0]
    assert trials.value(one) == one.measures["test"]["frame error"] != one.test
    assert trials.chosen_by(one) == one.measures["valid"]["frame error"]
    only_tested = one.model_copy(update={"measures": {"test": {"frame error": 9.0}}})
    assert trials.chosen_by(only_tested) == one.valid


def test_where_higher_is_better():
    task = task_record(
        "jsb", measures=({"name": "NLL"}, {"name": "accuracy", "better": "higher"}), headline="accuracy"
    )
    plan = made_plan(trials=4)
    plan = plan.model_copy(update={"tasks": (plan.tasks[0].model_copy(update={"record": task}),)})
    made = [
        StudyTrial(task="jsb", cell="lstm", number=k, status="finished", valid=1.0, test=1.0,
                   measures={s: {"accuracy": v} for s in ("valid", "test")})
        for k, v in enumerate([0.2, 0.9, 0.5, 0.7])
    ]  # fmt: skip
    trials = TaskTrials(StudyRecord(plan, tuple(made)), "jsb")
    assert [t.number for t in trials.best("lstm")] == [1, 3]
    assert not trials.lower
    assert trials.drawn(made[0]) == plan.drawn(made[0].key)


def test_another_task_is_refused():
    with pytest.raises(ConfigError, match="no task 'jbs'; did you mean jsb"):
        TaskTrials(made_study(ended=3), "jbs")
