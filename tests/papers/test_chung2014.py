import numpy as np
import pytest

from gatelab.data.speech.audio import write_wav
from gatelab.errors import ConfigError
from gatelab.papers import PAPERS, chung2014
from gatelab.search import log_uniform


def test_the_protocol(music_folder):
    plan = chung2014.plan("jsb")
    assert plan.learning_rates == log_uniform(10, 0)
    assert [u.name for u in plan.units] == ["tanh", "gru", "lstm"]
    assert all(abs(u.parameters - 20_000) <= 300 for u in plan.units)
    assert plan.training.weight_noise == 0.075
    assert plan.training.max_norm == 1.0
    assert plan.training.max_epochs == 200
    assert plan.paper.reported["gru"].test == 8.54
    assert PAPERS["chung2014"] is chung2014


def test_the_sizes_of_the_table(music_folder):
    plan = chung2014.plan("Nottingham", sizes="table", trials=2, training={"patience": 3})
    assert [u.hidden_size for u in plan.units] == [100, 46, 36]
    assert plan.training.patience == 3
    said = plan.paper.differences
    assert any("table 1" in s for s in said)
    assert any("2 learning rate" in s for s in said)
    assert "Changed by options of the command: patience." in said


@pytest.mark.parametrize(("dataset", "samples"), [("speech-500", 500), ("speech-8000", 8000)])
def test_speech(dataset, samples, tmp_path):
    for k in range(10):
        wave = np.sin(np.arange(samples) / (5 + k)).astype(np.float32)
        write_wav(tmp_path / f"{k}.wav", wave, 8000)
    plan = chung2014.plan(f"{dataset}={tmp_path}", sizes="table")
    assert [u.parameters for u in plan.units] == [168_400, 168_888, 169_065]  # table 1
    assert plan.task.options == {"length": samples}
    assert (plan.task.input_size, plan.task.output_size) == (20, 10)
    assert (plan.training.weight_noise, plan.training.max_norm, plan.training.patience) == (0.075, 1.0, 10)
    assert plan.paper.reported["lstm"].test == {500: 2.70, 8000: 1.26}[samples]
    assert any("values cannot be compared" in said for said in plan.paper.differences)


def test_read_speech_stands_in(real_data):
    first, second = (chung2014.plan(name).task for name in ("speech-500", "speech-8000"))
    assert first.digest == second.digest
    assert sum(first.sequences) == pytest.approx(7230, rel=0.15)
    assert sum(second.sequences) == pytest.approx(800, rel=0.25)
    assert "one of 4 sequences is kept" in first.notes


@pytest.mark.parametrize("dataset", ["chorales", "speech", "speech-500=", "jsb=x"])
def test_a_task_that_the_paper_does_not_have(dataset):
    with pytest.raises(ConfigError, match=f"the paper has no task '{dataset}'.* its tasks are nottingham"):
        chung2014.plan(dataset)


def test_no_learning_rates():
    with pytest.raises(ConfigError, match="at least 1 learning rate"):
        chung2014.plan("jsb", trials=0)
