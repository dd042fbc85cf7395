"""The grid, and how near it comes to the published sequences."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gatelab.data import load_music
from gatelab.data.midi.rolls import PAPER, PLAIN, Grid, read_midi
from gatelab.errors import ConfigError
from midi_bytes import TEXT_END, metre, midi, off, on

LATER = Grid(first=0, to_c=False)


def steps(data: bytes, grid: Grid) -> list[list[int]]:
    return [(row.nonzero()[0] + 21).tolist() for row in read_midi(data, "a.mid", grid).roll]


def test_lines_are_the_nearest_and_halves_go_to_the_later_one() -> None:
    data = midi(
        [(3, on(60)), (6, off(60)), (0, on(62)), (2, off(62)), (0, on(64)), (2, off(64))], division=12
    )
    # in steps of 6 ticks: 60 from 0.5 to 1.5, 62 from 1.5 to 1.83, 64 from 1.83 to 2.17
    assert steps(data, PLAIN) == [[], [60]]
    assert read_midi(data, "a.mid", PLAIN).lost == 2


OVERLAP = midi([(0, on(60)), (3, on(60)), (1, off(60)), (4, off(60))])  # 0 to 4, 3 to 8


def test_overlaps() -> None:
    assert steps(OVERLAP, PLAIN) == [[60]] * 8
    assert steps(OVERLAP, LATER) == [[], [], [], [60]]  # the first release after the later strike ends it
    assert read_midi(OVERLAP, "a.mid", LATER).lost == 1
    other = midi([(0, on(60)), (4, off(60))], [(3, on(60)), (5, off(60))])
    assert steps(other, LATER) == [[60]] * 8, "notes of two tracks do not end each other"


def test_a_strike_at_a_release_is_no_overlap() -> None:
    for first, second in ((off(60), on(60)), (on(60), off(60))):
        data = midi([(0, on(60)), (2, first), (0, second), (2, off(60))])
        assert steps(data, LATER) == steps(data, PLAIN) == [[60]] * 4


def test_a_note_without_length_is_lost() -> None:
    data = midi([(0, on(60)), (2, off(60)), (0, on(62)), (0, off(62)), (0, on(90)), (0, off(90))])
    assert steps(data, LATER) == steps(data, PLAIN) == [[60]] * 2
    assert read_midi(data, "a.mid", LATER).lost == 2


def test_other_grids() -> None:
    data = midi([(0, on(60)), (480, off(60)), (0, on(62)), (240, off(62))], division=480)
    assert steps(data, Grid(1, 0, "joined", False)) == [[60], [62]]  # half a step and more
    assert len(steps(data, Grid(4, 0, "joined", False))) == 6
    assert len(steps(data, Grid(96, 0, "joined", False))) == 144
    assert steps(data, Grid(2, 1, "joined", False)) == [[60], [62]]


def test_transposes_to_c_and_counts_what_leaves_the_piano() -> None:
    scale = [
        event
        for key in (62, 64, 66, 67, 69, 71, 73, 74, 62, 69, 66, 62)
        for event in ((0, on(key)), (2, off(key)))
    ]
    low = [
        (0, on(21)),
        (2, off(21)),
        (0, on(22)),
        (1, off(22)),
        (0, on(23)),
        (1, off(23)),
        (0, on(20)),
        (1, off(20)),
    ]
    music = read_midi(midi(scale, low), "a.mid", PAPER)
    assert (music.transposed, music.outside) == (-2, 3)
    assert (music.roll[1].nonzero()[0] + 21).tolist() == [62]
    assert read_midi(midi(scale, low), "a.mid", PLAIN).outside == 1


def test_metres_beats_and_an_end_in_silence() -> None:
    music = read_midi(midi([(0, metre(3, 2)), (0, on(60)), (2, off(60)), (4, TEXT_END)]), "a.mid", PLAIN)
    assert music.metres == ((0.0, 3, 4),)
    assert (music.beats, len(music.roll), int(music.roll.sum())) == (3.0, 6, 2)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps_per_beat": 0}, "steps_per_beat: wanted 1 to 96, came 0"),
        ({"first": -1}, "first: wanted 0 or more"),
        ({"overlaps": "both"}, "overlaps: wanted 'later' or 'joined', came 'both'"),
    ],
)
def test_impossible_grids(settings: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Grid(**settings)


OTHER_TONIC = {"chpn_op7_2.mid": -2, "waldstein_2.mid": -5}
"""Where another tonic is heard than the authors heard, and how they transposed."""


def test_the_default_makes_the_published_sequences(music_folder: Path) -> None:
    if not (music_folder / "Piano-midi.de.zip").is_file():
        pytest.skip(f"no Piano-midi.de.zip in {music_folder}")
    published = load_music(music_folder / "Piano_midi.mat")
    equal, moved = 0, set[str]()
    with zipfile.ZipFile(music_folder / "Piano-midi.de.zip") as archive:
        for split in ("train", "valid", "test"):
            wanted = {roll.tobytes() for roll in getattr(published, split)}
            for name in archive.namelist():
                if f"/{split}/" not in name or not name.endswith(".mid"):
                    continue
                music, short = read_midi(archive.read(name), name), name.rpartition("/")[2]
                if short in OTHER_TONIC:
                    moved.add(short)
                    music_in_c = np.roll(music.roll, OTHER_TONIC[short] - music.transposed, axis=1)
                    assert music_in_c.tobytes() in wanted
                else:
                    equal += music.roll.tobytes() in wanted
    assert (equal, moved) == (122, set(OTHER_TONIC))
