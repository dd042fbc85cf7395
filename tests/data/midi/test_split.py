"""Splits: by folders, or by groups of versions."""

from __future__ import annotations

import random

import numpy as np
import pytest
from numpy.typing import NDArray

from gatelab.data.midi.folder import Piece
from gatelab.data.midi.rolls import MidiRoll
from gatelab.data.midi.split import Split, melody_intervals, split_pieces
from gatelab.errors import DataError

MELODY = [60, 62, 65, 69, 60, 67, 72, 71, 64, 62, 60, 68, 61, 66, 60, 70, 63, 64, 62, 71]


def roll_of(melody: list[int]) -> NDArray[np.uint8]:
    return np.eye(88, dtype=np.uint8)[[note - 21 for note in melody]]


def piece(name: str, melody: list[int]) -> Piece:
    return Piece(name, MidiRoll(roll_of(melody), 0, 0, 0, 0, (), 1.0))


def others(count: int, start: int = 0) -> list[Piece]:
    draw = random.Random(start)
    return [piece(f"x{n + start}y.mid", draw.choices(range(50, 80), k=30)) for n in range(count)]


def home(split: Split, name: str) -> str:
    return next(part for part, pieces in split.items() for piece in pieces if piece.name == name)


def test_melody() -> None:
    roll = roll_of([60, 60, 64, 62])
    roll[:, 3] = 1
    roll = np.insert(roll, 2, 0, axis=0)
    assert melody_intervals(roll).tolist() == [4, -2]


def test_shares_and_order() -> None:
    pieces = others(200)
    split, moved = split_pieces(pieces, "place")
    assert [len(split[part]) for part in ("train", "valid", "test")] == [140, 30, 30]
    assert moved == 0
    assert sorted(p.name for part in split.values() for p in part) == sorted(p.name for p in pieces)
    shuffled = random.Random(1).sample(pieces, len(pieces))
    again, _ = split_pieces(sorted(shuffled, key=lambda p: p.name), "place")
    assert {part: {p.name for p in split[part]} for part in split} == {
        part: {p.name for p in again[part]} for part in again
    }


@pytest.mark.parametrize("start", range(10))
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("waltz_1", "waltz_2"),
        ("waltz", "waltz-v3"),
        ("waltz", "waltz (1)"),
        ("Waltz", "waltz_alt"),
        ("w.1", "w.12"),
    ],
)
def test_versions_by_name_stay_together(one: str, other: str, start: int) -> None:
    pieces = [*others(6, start), piece(f"{one}.mid", MELODY), piece(f"{other}.mid", MELODY[::-1])]
    split, _ = split_pieces(pieces, "place")
    assert home(split, f"{one}.mid") == home(split, f"{other}.mid")


@pytest.mark.parametrize("start", range(10))
def test_versions_by_melody_stay_together(start: int) -> None:
    transposed = [50, 50, *(note + 5 for note in MELODY), 80]
    split, _ = split_pieces([*others(6, start), piece("a.mid", MELODY), piece("b.mid", transposed)], "place")
    assert home(split, "a.mid") == home(split, "b.mid")


def test_numbers_of_tunes_scales_and_common_turns_are_no_versions() -> None:
    scale = list(range(40, 70)) + list(range(70, 40, -1))
    pieces = [piece(f"jigs{n}.mid", [*MELODY[n:], *scale]) for n in range(6, 20)]
    split, _ = split_pieces(pieces, "place")
    assert all(split.values())


def test_folders_are_splits() -> None:
    names = ["set/Train/a.mid", "set/validation/b.mid", "set/test/deep/c.mid", "set/test/d.mid"]
    pieces = [piece(name, MELODY[n:]) for n, name in enumerate(names)]
    split, moved = split_pieces(pieces, "place")
    assert {part: [p.name for p in split[part]] for part in split} == {
        "train": names[:1],
        "valid": names[1:2],
        "test": names[2:],
    }
    assert moved == 0


def test_exact_copies_go_to_the_first_split() -> None:
    names = ["test/a.mid", "train/b.mid", "valid/c.mid", "train/d.mid", "test/e.mid", "valid/f.mid"]
    pieces = [piece(name, MELODY[: 20 - n // 4 * n]) for n, name in enumerate(names)]
    pieces += [piece("test/g.mid", MELODY[3:]), piece("valid/h.mid", MELODY[4:])]
    split, moved = split_pieces(pieces, "place")
    assert [p.name for p in split["train"]] == ["train/b.mid", "train/d.mid", "valid/c.mid", "test/a.mid"]
    assert [p.name for p in split["test"]] == ["test/e.mid", "test/g.mid"]
    assert moved == 2


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train/a.mid", "b.mid", "test/c.mid"], r"place: wanted every piece in a folder .*, came b\.mid"),
        (["train/a.mid", "test/b.mid"], "wanted pieces in train, valid and test, came none in valid"),
        (
            ["a_1.mid", "a_2.mid", "b.mid"],
            "wanted three or more tunes that are no versions of each other, came 1",
        ),
    ],
)
def test_refuses(names: list[str], message: str) -> None:
    with pytest.raises(DataError, match=message):
        split_pieces([piece(name, MELODY[n:]) for n, name in enumerate(names)], "place")
    with pytest.raises(DataError, match="came none in valid"):
        split_pieces([piece(f"{part}/a.mid", MELODY) for part in ("train", "valid", "test")], "place")


def test_a_hostile_name_costs_no_time() -> None:
    split_pieces([*others(3), piece("_" * 60_000 + "(1" * 2_000 + ".mid", MELODY)], "place")
