"""The character model's benchmark: both ways compute the same, and parts add up."""

import itertools

import pytest
import torch

from gatelab.bench import language
from gatelab.bench.table import number
from gatelab.data.text.corpus import load_text
from gatelab.errors import ConfigError, EngineError
from gatelab.nn import LSTM, Categorical
from gatelab.tasks import Network
from gatelab.tasks.blueprint import OneHot
from gatelab.tasks.language import LanguageTask
from gatelab.train.clock import Clock


def _pair(hidden=6):
    task = LanguageTask(load_text("stdlib"), 8)
    network = Network(LSTM(task.symbols, hidden), Categorical(hidden, task.symbols), OneHot(task.symbols))
    plain = language.Plain(task.symbols, hidden)
    plain.recurrent.load_state_dict(network.recurrent.state_dict())
    plain.head.load_state_dict(network.head.affine.state_dict())
    return task, network, plain


def test_after_some_updates_both_still_have_the_same_weights():
    task, network, plain = _pair()
    ours, theirs = language._Ours(task, network), language._Theirs(plain)
    for piece in itertools.islice(language._endless(task, 4), 5):
        ours.step(piece, Clock())
        theirs.step(piece)
    for name, weight in network.recurrent.state_dict().items():
        torch.testing.assert_close(weight, plain.recurrent.state_dict()[name], rtol=2e-3, atol=2e-5)


def test_other_weights_are_found_out():
    task, network, plain = _pair()
    batch = next(task.batches("train", 4, 0, 1))
    assert language.check(task, network, plain, batch) == pytest.approx(5.2, abs=0.5)
    torch.nn.init.ones_(plain.head.bias[:3])
    with pytest.raises(EngineError, match="different losses"):
        language.check(task, network, plain, batch)


def test_parts_add_up():
    timed = language.measure("stdlib", hidden=4, batch=2, unroll=5, steps=1, rounds=2)
    assert [len(seconds) for seconds in (*timed.parts.values(), timed.torch)] == [2] * 6
    assert 0 < timed.share < 1
    columns, rows = language.table(timed, number)
    assert len(columns) == 3
    assert [row[0] for row in rows] == [*language.PARTS, "gatelab, a step", "torch.nn, a step"]
    with pytest.raises(ConfigError, match="wanted at least 1"):
        language.measure("stdlib", rounds=0)
