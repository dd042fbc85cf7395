"""What is written is read again as it was."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from gatelab.data.midi.notes import read_notes
from gatelab.data.midi.rolls import PLAIN, Grid, read_midi
from gatelab.data.midi.write import write_midi
from gatelab.errors import ConfigError, ShapeError

ROLLS = arrays(
    np.uint8, st.tuples(st.integers(1, 40), st.just(88)), elements=st.sampled_from([0, 0, 1]), fill=st.just(0)
)


@given(
    roll=ROLLS,
    restrike=st.booleans(),
    kind=st.sampled_from([0, 1]),
    steps_per_beat=st.integers(1, 96),
    beats_per_minute=st.floats(4, 1000),
)
@settings(max_examples=150, deadline=None)
def test_reading_gives_the_same_roll(
    roll: np.ndarray, restrike: bool, kind: Any, steps_per_beat: int, beats_per_minute: float
) -> None:
    data = write_midi(roll, beats_per_minute, steps_per_beat, restrike, kind=kind)
    grid = Grid(steps_per_beat, first=0, overlaps="joined", to_c=False)
    assert np.array_equal(read_midi(data, "a.mid", grid).roll, roll)
    assert np.array_equal(read_midi(data, "a.mid", Grid(steps_per_beat, 0, "later", False)).roll, roll)


def test_neighbouring_cells_are_one_note_or_many() -> None:
    steps = [[60, 64], [60], [60], [], [60]]
    tied, struck = (read_notes(write_midi(steps, restrike=again), "a.mid") for again in (False, True))
    assert sorted((tied.end - tied.start).tolist()) == [240, 240, 720]
    assert (struck.end - struck.start).tolist() == [240] * 5


def test_note_sets_and_rolls_are_alike() -> None:
    roll = np.zeros((3, 88), np.uint8)
    roll[[0, 0, 2], [0, 87, 39]] = 1, 1, 1
    assert write_midi([{21, 108}, (), [60]]) == write_midi(roll) == write_midi(roll.astype(bool))


def test_tempo_metre_and_format() -> None:
    for kind in (0, 1):
        data = write_midi([[60]] * 8, beats_per_minute=90, metre=(6, 8), kind=kind)  # type: ignore[arg-type]
        assert data[8:12] == bytes([0, kind, 0, kind + 1])
        assert b"\xff\x51\x03" + round(60e6 / 90).to_bytes(3) in data
        assert read_midi(data, "a.mid", PLAIN).metres == ((0.0, 6, 8),)


@pytest.mark.parametrize(
    ("roll", "message"),
    [
        (np.ones((3, 87), np.uint8), r"wanted a roll \[T, 88\], came \[3, 87\]"),
        (np.ones(88, np.uint8), r"came \[88\]"),
        (np.ones((0, 88), np.uint8), "at least one step, came none"),
        ([], "at least one step, came none"),
        ([[60], [20]], "step 1: wanted notes 21 to 108, came 20"),
    ],
)
def test_refuses_what_is_no_roll(roll: Any, message: str) -> None:
    with pytest.raises(ShapeError, match=message):
        write_midi(roll)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"beats_per_minute": 3}, "beats_per_minute: wanted 4 to 1000, came 3"),
        ({"beats_per_minute": float("nan")}, "came nan"),
        ({"steps_per_beat": 97}, "steps_per_beat: wanted 1 to 96"),
        ({"metre": (3, 5)}, r"metre: wanted .* came \(3, 5\)"),
        ({"metre": (0, 4)}, "metre: wanted"),
        ({"kind": 2}, "kind: wanted MIDI format 0 or 1"),
    ],
)
def test_refuses_impossible_options(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        write_midi([[60]], **options)
