"""Every text is well-formed, and the closed forms are what counting finds."""

from __future__ import annotations

import math

import defusedxml.ElementTree as ElementTree
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gatelab.data.synthetic import Tags
from gatelab.data.synthetic.tags import LONGEST_NAME, SHORTEST


def texts(task: Tags, count: int, first: int = 0) -> list[str]:
    return ["<" + task.decode(one.targets) for one in task.examples("train", first, count)]


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 2**63), st.integers(0, 2**60), st.integers(1, 80))
def test_every_text_is_well_formed_xml(seed: int, place: int, steps: int) -> None:
    task = Tags(seed, steps)
    one = task.examples("train", place, 1)[0]
    text = "<" + task.decode(one.targets)
    root = ElementTree.fromstring(f"<root>{text}</root>")
    names = [element.tag for element in root.iter()][1:]
    assert steps / 2 <= len(names) <= steps
    assert all(2 <= len(name) <= 10 for name in names)
    assert task.decode(one.inputs) == text[:-1]
    assert one.mask.all()


def test_every_cut_leaves_a_beginning_that_only_needs_closing() -> None:
    text = texts(Tags(2), 1)[0]
    for cut in (k + 1 for k, character in enumerate(text) if character == ">"):
        open_tags: list[str] = []
        for tag in text[1 : cut - 1].replace(">", "").split("<"):
            if tag.startswith("/"):
                assert open_tags.pop() == tag[1:]
            else:
                open_tags.append(tag)


def ideal_nll(text: str) -> list[float]:
    """Return the cost of each character but the first for who knows the rules, in nats."""
    costs: list[float] = []
    depth = 0
    for step, tag in enumerate(text[1:].split("<")):
        chosen = math.log(2) if depth and step < 50 else 0.0
        name = tag.strip("/>")
        costs += [0.0] if step else []  # the < before it
        if tag.startswith("/"):
            depth -= 1
            costs += [chosen, *([0.0] * (len(name) + 1))]
        else:
            depth += 1
            costs += [chosen + math.log(26), *_name_costs(len(name))]
    return costs


def _name_costs(length: int) -> list[float]:
    """Return the costs of the second to the last letter of an opening tag, and of the > behind them."""
    ends = [1 / (LONGEST_NAME + 1 - j) if j >= SHORTEST else 0.0 for j in range(1, length + 1)]
    return [math.log(26) - math.log1p(-p) for p in ends[:-1]] + [-math.log(ends[-1])]


def test_the_closed_forms_are_what_counting_finds() -> None:
    task = Tags(seed=3)
    costs = [ideal_nll(text) for text in texts(task, 1500)]
    assert [len(c) for c in costs] == [len(one.targets) for one in task.examples("train", 0, 1500)]
    counted = sum(map(sum, costs)) / sum(map(len, costs))
    assert counted == pytest.approx(task.baselines()["best possible NLL"], rel=5e-3)


def guessed(text: str) -> list[bool]:
    """Guess each character but the first by the rules: where it is open, / or else a, and > in a name."""
    found = []
    depth = 0
    for step, tag in enumerate(text[1:].split("<")):
        if step:
            found.append(True)  # <
        name = tag.strip("/>")
        if tag.startswith("/"):
            found += [True] * (len(tag))
            depth -= 1
        else:
            may_close = depth and step < 50
            found.append(False if may_close else name[0] == "a")
            found.append(name[1] == "a")
            found += [character == ">" for character in tag[2:]]
            depth += 1
    return found


def test_the_best_accuracy_is_what_guessing_by_the_rules_reaches() -> None:
    right = [hit for text in texts(Tags(seed=4), 1500) for hit in guessed(text)]
    assert np.mean(right) == pytest.approx(Tags().baselines()["best possible accuracy"], abs=2e-3)


def test_one_step_has_a_text_of_one_tag() -> None:
    best = Tags(steps=1).baselines()
    assert best["best possible NLL"] == pytest.approx((6 * np.log(26) + np.log(9)) / 16)
