import gzip
import json

import pytest

from gatelab.errors import ConfigError, RunError
from gatelab.runs import Training
from gatelab.runs.study import StudyTrial, extended
from gatelab.runs.study_table import StudyRecord, merged, read_study, write_study
from small_study import PLAN, SPACE, TASK, VALUES, changed


def test_every_trial_has_a_key_and_cells_share_their_settings():
    keys = list(PLAN.keys())
    assert len(keys) == len(set(keys)) == len(PLAN) == 12
    lstm, gru = (PLAN.of(k) for k in keys[:2])
    assert keys[0].cell != keys[1].cell
    assert lstm == gru
    assert PLAN.of(keys[2]).seed != lstm.seed  # another task


def test_settings_are_put_together():
    plan = changed(settings={"momentum": 0.5, "layers": 2}, space=SPACE)
    settings = plan.of(next(iter(plan.keys())))
    assert settings.training == Training(momentum=0.5)
    assert settings.body.layers == 2
    assert 20 <= settings.hidden_size <= 200


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"space": {**SPACE, "momentun": SPACE["learning_rate"]}}, "did you mean momentum"),
        ({"space": {"learning_rate": SPACE["learning_rate"]}}, "wanted one of hidden_size and parameters"),
        ({"space": {"hidden_size": SPACE["hidden_size"]}}, "wanted a learning_rate"),
        ({"settings": {"hidden_size": 3}}, "wanted one of both"),
        ({"settings": {"parameters": 3000}}, "got hidden_size and parameters"),
        ({"space": {**SPACE, "hidden_size": {"kind": "uniform", "low": 0, "high": 2}}}, "could become 0"),
        (
            {"space": {**SPACE, "momentum": {"kind": "uniform", "low": 0, "high": 1}}},
            "momentum could become 1",
        ),
        ({"space": {**SPACE, "optimizer": {"kind": "choice", "values": ["sgd", "sdg"]}}}, "'sdg'"),
        ({"space": {**SPACE, "momentum": {"kind": "uniform", "low": 1, "high": 0}}}, "wanted low < high"),
        ({"tasks": VALUES["tasks"][:1] * 2}, "two of the same name"),
        ({"trials": 0}, "greater than or equal to 1"),
        ({"settings": {"patience": 0}}, "no hyper-parameter"),
    ],
)
def test_plans_that_contradict_themselves(values, said):
    with pytest.raises(ConfigError, match=said):
        changed(**values)


def test_a_study_can_grow():
    more = changed(
        trials=5, cells=(*VALUES["cells"], {"name": "tanh", "cell": {}}),
        tasks=(*VALUES["tasks"], {"name": "c", "record": TASK}),
    )  # fmt: skip
    assert extended(PLAN, more) == more
    before = set(PLAN.keys())
    assert before < set(more.keys())
    assert all(PLAN.of(k) == more.of(k) for k in before)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"trials": 2}, "has 3 trials a cell, got 2"),
        ({"cells": VALUES["cells"][:1]}, "leaves out"),
        ({"seed": 1}, "seed differ"),
        ({"cells": ({"name": "lstm", "cell": {"x": 1}}, VALUES["cells"][1])}, "cell lstm is not the one"),
        (
            {"tasks": ({"name": "a", "record": TASK, "training": {"max_epochs": 3}}, VALUES["tasks"][1])},
            "task a",
        ),
    ],
)
def test_a_study_cannot_change(values, said):
    with pytest.raises(ConfigError, match=said):
        extended(PLAN, changed(**values))


def test_data_may_lie_elsewhere():
    moved = {**VALUES["tasks"][0], "record": TASK.model_copy(update={"load": "there"})}
    extended(PLAN, changed(tasks=(moved, VALUES["tasks"][1])))


def some_trials():
    return tuple(
        StudyTrial(
            task=k.task, cell=k.cell, number=k.number, status="finished", settings=PLAN.drawn(k), valid=1.5,
            curve=((2.0, 1.5),), measures={"test": {"error": 2.0}},
        )
        for k in list(PLAN.keys())[:5]
    )  # fmt: skip


def test_a_table_is_read_as_it_was_written(tmp_path):
    record = StudyRecord(PLAN, some_trials(), {"here": {"cores": 2}})
    write_study(tmp_path / "a.study.json.gz", record)
    found = read_study(tmp_path / "a.study.json.gz")
    assert found.plan == PLAN
    assert {t.key: t for t in found.trials} == {t.key: t for t in record.trials}
    assert found.environments == record.environments
    assert len(found.missing) == 7
    shuffled = StudyRecord(PLAN, record.trials[::-1], record.environments)
    write_study(tmp_path / "b.study.json.gz", shuffled)
    assert (tmp_path / "a.study.json.gz").read_bytes() == (tmp_path / "b.study.json.gz").read_bytes()


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c.pop("plan"),
        lambda c: c.update(format=99),
        lambda c: c["columns"]["task"].pop(),
        lambda c: c["columns"].pop("task"),
        lambda c: c["columns"]["number"].__setitem__(0, "x"),
        lambda c: c["columns"]["cell"].__setitem__(0, "other"),
        lambda c: c["columns"].update({k: v[:1] * 2 for k, v in c["columns"].items()}),
        lambda c: c.update(environments=[]),
        lambda c: c.update(columns=None),
    ],
)
def test_a_damaged_table_is_refused(tmp_path, change):
    path = tmp_path / "a.study.json.gz"
    write_study(path, StudyRecord(PLAN, some_trials(), {}))
    content = json.loads(gzip.decompress(path.read_bytes()))
    change(content)
    path.write_bytes(gzip.compress(json.dumps(content).encode()))
    with pytest.raises(RunError, match="study"):
        read_study(path)


def test_no_table_at_all(tmp_path):
    with pytest.raises(RunError, match="is missing"):
        read_study(tmp_path / "a.study.json.gz")
    (tmp_path / "a.study.json.gz").write_bytes(b"not this")
    with pytest.raises(RunError, match="cannot be read"):
        read_study(tmp_path / "a.study.json.gz")


def test_studies_of_one_space_are_one():
    parts = [changed(tasks=(t,), trials=n) for t, n in zip(VALUES["tasks"], (3, 2), strict=True)]
    records = [StudyRecord(p, tuple(t for t in some_trials() if t.task == p.tasks[0].name)) for p in parts]
    whole = merged(records)
    assert [t.name for t in whole.plan.tasks] == ["a", "b"]
    assert whole.plan.trials == 3
    assert {t.key for t in whole.trials} == {t.key for t in some_trials()}
    assert len(whole.missing) == 12 - 5
    assert all(whole.plan.of(t.key) == PLAN.of(t.key) for t in whole.trials)


def test_studies_that_are_not_one():
    with pytest.raises(ConfigError, match="seed differ"):
        merged([StudyRecord(PLAN, ()), StudyRecord(changed(seed=1), ())])
    other = tuple(t.model_copy(update={"valid": 9.0}) for t in some_trials())
    with pytest.raises(ConfigError, match="another outcome"):
        merged([StudyRecord(PLAN, some_trials()), StudyRecord(PLAN, other)])


def test_a_table_does_not_say_where_the_data_lay(tmp_path):
    here = TASK.model_copy(update={"source": "/home/me/data/x.mat"})
    plan = changed(tasks=({"name": "a", "record": here},))
    write_study(tmp_path / "a.study.json.gz", StudyRecord(plan, ()))
    found = read_study(tmp_path / "a.study.json.gz").plan
    assert found.tasks[0].record.source == "x.mat"
    assert extended(plan, found) == found
