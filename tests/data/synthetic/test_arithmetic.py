"""Every answer is the right one."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.synthetic import Arithmetic


@settings(max_examples=300, deadline=None)
@given(st.integers(0, 2**63), st.integers(0, 2**60), st.integers(1, 15), st.integers(0, 9))
def test_the_answer_is_the_sum_of_what_stands_between_the_letters(
    seed: int, place: int, digits: int, distractors: int
) -> None:
    task = Arithmetic(seed, digits, distractors)
    one = task.examples("train", place, 1)[0]
    line = task.decode(one.inputs)
    question, _, answer = line.partition("=")
    found = re.fullmatch(r"(\d+)([+-])(\d+)", re.sub("[a-k]", "", question))
    assert found is not None
    first, sign, second = found.groups()
    assert int(answer) == (int(first) + int(second) if sign == "+" else int(first) - int(second))
    assert all(n == str(int(n)) and len(n) <= digits for n in (first, second))
    assert max(map(len, re.findall("[a-k]+", question)), default=0) <= distractors
    assert question[0].isdigit()
    assert task.decode(one.targets) == line[1:] + "\n"
    assert task.decode(one.targets[one.mask]) == answer
    assert one.inputs[one.mask][0] == task.symbols.index("=")


def test_all_lengths_signs_and_gaps_come_up() -> None:
    task = Arithmetic(seed=5)
    lines = [task.decode(one.inputs).partition("=")[0] for one in task.examples("train", 0, 2000)]
    plain = [re.sub("[a-k]", "", line) for line in lines]
    for side in (0, 1):
        lengths = [len(re.split("[+-]", line)[side]) for line in plain]
        assert all(180 < lengths.count(n) < 320 for n in range(1, 9))
    assert 900 < sum("-" in line for line in plain) < 1100
    gaps = [len(gap) for line in lines for gap in re.findall(r"[^a-k]([a-k]*)", line)]
    assert all(0.23 < gaps.count(n) / len(gaps) < 0.27 for n in range(4))
