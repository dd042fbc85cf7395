import pytest

from gatelab.bench.workers import Carried, table
from gatelab.runs.study import StudyTrial


def trial(number, began, ended, cpu):
    return StudyTrial(
        task="a", cell="b", number=number, status="finished", began=began, ended=ended, cpu_seconds=cpu
    )


def test_what_a_round_says():
    carried = Carried(2)
    carried.add([trial(0, 10, 13, 3), trial(1, 10, 12, 2), trial(2, 12.5, 14, 1), trial(3, 13.5, 15, 1)])
    assert carried.hours == [3600 * 4 / 5]
    assert carried.busy == [pytest.approx(7 / 10)]
    assert carried.overhead == [pytest.approx(2 / 2)]
    columns, rows = table([Carried(1, [100.0], [0.9], [0.01]), carried], "{:.4g}".format)
    assert rows[1] == ["2", "2880", "28.8", "70", "1000"]
    assert len(columns) == len(rows[0])
