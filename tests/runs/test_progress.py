import pytest

from gatelab.runs.progress import progress
from gatelab.runs.store import Running
from gatelab.runs.study import Key, StudyTrial
from small_study import PLAN

NOW = 1_000_000.0


def trial(task="a", cell="lstm", number=0, status="finished", valid=1.0, ago=0.0, took=10.0):
    end = NOW - ago
    return StudyTrial(
        task=task, cell=cell, number=number, status=status, valid=valid, began=end - took, ended=end
    )


def test_counts_and_the_best():
    trials = [
        trial(number=0, valid=2.0),
        trial(number=1, valid=1.0, status="diverged"),
        trial(number=2, valid=None, status="failed"),
        trial(cell="gru", valid=None, status="diverged"),
    ]
    found = progress(PLAN, trials, [Running(Key("b", "lstm", 1), "x", NOW)], NOW)
    first, second, third, fourth = found.rows
    assert (first.task, first.cell, first.total, first.ended) == ("a", "lstm", 3, 3)
    assert (first.finished, first.diverged, first.failed, first.pruned) == (1, 1, 1, 0)
    assert first.best.number == 1
    assert (second.ended, second.best) == (1, None)
    assert (third.running, fourth.running) == (1, 0)
    assert (found.ended, found.total) == (4, 12)


def test_the_rate_is_that_since_the_last_pause():
    trials = [trial(number=0, ago=50_000), trial(number=1, ago=500), trial(number=2, ago=20, took=30)]
    trials += [trial(cell="gru", number=k, ago=10 * k) for k in range(2)]
    running = [Running(Key("b", "lstm", 0), "x", NOW - 5)]
    assert progress(PLAN, trials, running, NOW).rate == pytest.approx(3 * 3600 / 50)
    assert progress(PLAN, trials[:1], running, NOW).rate is None
    assert progress(PLAN, [], [], NOW).rate is None


def test_what_is_left_is_the_rest_of_each_cell_by_its_own_times():
    slow, fast = [trial(number=0, took=100), trial(cell="gru", number=0, took=10)]
    found = progress(PLAN, [slow, fast], [Running(Key("a", "lstm", 1), "x", NOW - 40)], NOW, workers=2)
    other_task = 6 * (100 + 10) / 2  # nothing is known of it but what trials took elsewhere
    assert found.left == pytest.approx((2 * 100 + 2 * 10 + other_task - 40) / 2)
    assert progress(PLAN, [], [], NOW, workers=2).left is None
    assert progress(PLAN, [slow], [], NOW).left is None  # nobody works on it
    everything = [trial(*key) for key in PLAN.keys()]  # noqa: SIM118
    assert progress(PLAN, everything, [], NOW).left == 0


def test_who_is_gone_does_not_count_as_running():
    gone = Running(Key("a", "gru", 0), "x", NOW - 40, lost=True)
    found = progress(PLAN, [trial()], [gone], NOW)
    assert found.running == (gone,)
    assert sum(r.running for r in found.rows) == 0
    assert found.left is None
