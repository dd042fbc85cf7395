import pytest

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
    assert plan.paper.reported["gru"].test == 8.54
    assert PAPERS["chung2014"] is chung2014


def test_the_sizes_of_the_table(music_folder):
    plan = chung2014.plan("nottingham", sizes="table", trials=2)
    assert [u.hidden_size for u in plan.units] == [100, 46, 36]
    assert any("table 1" in said for said in plan.paper.differences)
    assert any("2 learning rate" in said for said in plan.paper.differences)


def test_a_task_that_the_paper_does_not_have():
    with pytest.raises(ConfigError, match="the paper has no task 'chorales'; its music sets are"):
        chung2014.plan("chorales")
    with pytest.raises(ConfigError, match="at least 1 learning rate"):
        chung2014.plan("jsb", trials=0)
