from gatelab.train import clock as module
from gatelab.train import train
from gatelab.train.clock import UNTIMED, Clock

from .test_loop import GRU, TRAINING, _trial


def test_every_moment_is_in_a_part(monkeypatch):
    moments = iter([10.0, 11.0, 13.0, 16.0])
    monkeypatch.setattr(module.time, "perf_counter", lambda: next(moments))
    clock = Clock(waited=0.5)
    for part in ("data", "forward", "data"):
        clock.lap(part)
    assert clock.seconds == {"data": 4.5, "forward": 2.0}


def test_nobody_s_clock_stands_still():
    UNTIMED.lap("data")
    assert UNTIMED.seconds == {}


def test_a_timed_training_gives_the_same_numbers(tmp_path, task):
    clock = Clock()
    timed = train(tmp_path / "a", _trial(), task, GRU, 5, TRAINING, clock=clock)
    plain = train(tmp_path / "b", _trial(), task, GRU, 5, TRAINING)
    clocks = {"seconds": 0.0, "microseconds": None}
    assert timed.model_copy(update=clocks) == plain.model_copy(update=clocks)
    assert all(s > 0 for s in clock.seconds.values())
