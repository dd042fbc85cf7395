"""The comparison's training and the same one in plain torch: one loss at the same weights."""

import pytest
import torch

from gatelab.bench import plain, protocol
from gatelab.bench.protocol import Protocol, Timed
from gatelab.data import MusicData, load_music
from gatelab.errors import EngineError
from gatelab.runs import Training
from gatelab.tasks import MusicTask


@pytest.fixture
def few(monkeypatch):
    whole = load_music("chorales")
    data = MusicData(
        "few",
        "few",
        *(tuple(s[:5] for s in getattr(whole, n)[:4]) for n in ("train", "valid", "test")),
        "",
        "",
    )
    monkeypatch.setattr(protocol, "load_music", lambda name: data)
    return data


@pytest.mark.parametrize("unit", protocol.UNITS)
def test_the_same_loss_at_the_same_weights(few, unit):
    loss = protocol.check(MusicTask(few), plain.Split(few.train), unit, 5, 2)
    assert 10 < loss < 100


def test_another_loss_is_refused(few, monkeypatch):
    monkeypatch.setitem(plain.LAYERS, "gru", plain.LAYERS["tanh"])
    monkeypatch.setattr(protocol, "_copy", lambda *_: None)
    with pytest.raises(EngineError, match="wanted the same loss"):
        protocol.check(MusicTask(few), plain.Split(few.train), "gru", 5, 2)


def test_every_way_is_timed_and_scaled(few, tmp_path):
    small = Protocol(parameters=800, training=Training(batch_size=2, max_epochs=7))
    timed = protocol.measure(small, epochs=2, rounds=1)
    assert [(t.unit, t.way) for t in timed] == [(u, w) for u in protocol.UNITS for w in protocol.WAYS]
    assert all(len(t.epochs) == 2 and len(t.ends) == 1 and min(t.epochs + t.ends) > 0 for t in timed)
    columns, rows = protocol.table(small, timed, "{:.1f}".format)
    assert columns[2:] == list(protocol.WAYS)
    assert [r[0] for r in rows] == [*protocol.UNITS, "the whole, one core"]
    assert "2 updates of 2 sequences" in protocol.remark(small)
    protocol.write(tmp_path / "a" / "b.json", {}, small, timed)
    assert torch.get_num_threads() >= 1


def test_scaling():
    timed = Timed("gru", "plain", 5)
    timed.add(plain.Trained([1.0, 3.0, 5.0], 5.5))
    assert (timed.epochs, timed.ends) == ([1.0, 2.0, 2.0], [0.5])
    assert timed.whole(10) == 20.5
    assert Protocol(training=Training(max_epochs=10)).seconds([timed], "plain") == 7 * 20.5
