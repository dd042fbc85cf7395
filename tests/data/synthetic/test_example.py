"""What all kinds of made-up sequences have in common."""

from __future__ import annotations

import dataclasses
import hashlib

import numpy as np
import pytest

from gatelab.data.synthetic import (
    Adding,
    Arithmetic,
    Brackets,
    Copying,
    Example,
    Memorisation,
    Parity,
    Synthetic,
    Tags,
)
from gatelab.errors import ConfigError

KINDS: dict[str, Synthetic] = {
    "8bd7aa709f64c161": Arithmetic(3),
    "a3bed5ae81816b7a": Tags(3),
    "0da8868808a243f3": Memorisation(3),
    "5cdd66c0ddffe2fc": Adding(3),
    "58ed87c1b1002f72": Copying(3),
    "59085c02e366a9b9": Parity(3),
    "f0c11b42c8c5ba1c": Brackets(3),
    "c5f8c2a813501360": Brackets(3, asks="next"),
    "16c26097931e162d": Brackets(3, asks="membership"),
}
every_kind = pytest.mark.parametrize(
    "kind", KINDS.values(), ids=lambda kind: f"{kind.name} {kind.classes[:1]}"
)


def same(first: Example, second: Example) -> bool:
    return all(
        np.array_equal(getattr(first, f.name), getattr(second, f.name)) for f in dataclasses.fields(Example)
    )


@pytest.mark.parametrize("digest", KINDS)
def test_sequences_are_the_same_on_every_machine(digest: str) -> None:
    total = hashlib.sha256()
    for example in KINDS[digest].examples("test", 5, 20):
        for array in (example.inputs, example.targets, example.mask):
            total.update(array.astype(array.dtype.newbyteorder("<")).tobytes())
    assert total.hexdigest()[:16] == digest


@every_kind
def test_a_part_needs_none_of_the_rest(kind: Synthetic) -> None:
    many = kind.examples("train", 40, 6)
    assert all(same(many[k], kind.examples("train", 40 + k, 1)[0]) for k in range(6))
    assert kind.examples("train", 40, 0) == ()


@every_kind
def test_forms_and_ranges(kind: Synthetic) -> None:
    for one in kind.examples("valid", 0, 50):
        steps = len(one.inputs)
        assert one.mask.shape == (steps,)
        assert one.mask.dtype == np.bool_
        assert one.mask.any()
        assert len(one.targets) == steps
        if kind.symbols:
            assert one.inputs.dtype == np.int64
            assert one.inputs.shape == (steps,)
            assert 0 <= one.inputs.min() <= one.inputs.max() < len(kind.symbols)
        if kind.answer == "class":
            assert one.targets.dtype == np.int64
            assert 0 <= one.targets.min() <= one.targets.max() < len(kind.classes)


@every_kind
def test_splits_and_seeds_differ(kind: Synthetic) -> None:
    other = dataclasses.replace(kind, seed=4)
    here = kind.examples("train", 0, 20)
    for there in (
        kind.examples("valid", 0, 20),
        kind.examples("test", 0, 20),
        other.examples("train", 0, 20),
    ):
        assert sum(same(a, b) for a, b in zip(here, there, strict=True)) < 5


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Arithmetic(digits=0), "wanted 1 to 15 digits, came 0"),
        (lambda: Arithmetic(distractors=-1), "arithmetic: distractors: wanted at least 0"),
        (lambda: Tags(steps=0), "xml: steps: wanted at least 1"),
        (lambda: Tags(steps=10**7), "at most 1,000,000, came 10000000"),
        (lambda: Copying(kinds=27), "wanted at least 1, rising, and at most 1,000,000, came 27, 26"),
        (lambda: Copying(blanks=0), "copy: blanks"),
        (lambda: Memorisation(length=0), "memorisation: length"),
        (lambda: Adding(steps=1), "adding: steps: wanted at least 2"),
        (lambda: Parity(shortest=9, longest=8), "parity: shortest and longest.* came 9, 8"),
        (lambda: Brackets(kinds=5), "dyck: kinds and 4: .* came 5, 4"),
        (lambda: Brackets(shortest=0), "dyck: shortest"),
    ],
)
def test_refuses_impossible_sizes(make: type[Synthetic], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()
