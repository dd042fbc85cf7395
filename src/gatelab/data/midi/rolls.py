"""MIDI files as piano rolls: which grid, and what a note does on it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from gatelab.data.midi.notes import MidiNotes, read_notes
from gatelab.data.midi.tonality import find_tonic
from gatelab.data.notes import KEYS, LOWEST
from gatelab.errors import ConfigError, DataError

FILE_STEPS = 200_000
"""The most time steps of one file: in eighths at 120 beats a minute, 13 hours."""

Overlaps = Literal["later", "joined"]


@dataclass(frozen=True)
class Grid:
    """How the notes of a MIDI file become time steps.

    1. Strike and release of each note go to the nearest line of the grid, halves to the later one. Between
       them the key is on; a note whose two lines are one is not there.
    2. Notes of one key in one track that overlap: ``"later"``, the later strike takes the key over, what
       sounded before it is lost, and the first release after it ends it; ``"joined"``, the key is on as long
       as one of them sounds.
    3. All notes are transposed by −5 to 6 semitones so that the tonic that
       :func:`~gatelab.data.midi.tonality.find_tonic` hears becomes C, where ``to_c`` is true.
    4. The first ``first`` steps are left out. The last step is the last in which a note sounds.

    Attributes
    ----------
    steps_per_beat
        Steps of a quarter note, 1 to 96; 2 are eighths.
    first, overlaps, to_c
        As above.

    Raises
    ------
    ConfigError
        One of the values is impossible.

    Notes
    -----
    The defaults, :data:`PAPER`, are those of N. Boulanger-Lewandowski, Y. Bengio and P. Vincent, ICML 2012,
    arXiv:1206.6392, found out by measurement: they make the sequences of the published ``Piano_midi.mat``
    from the 124 MIDI files of that set. 122 files (98.4 %) come out equal in every cell. In the other two
    (chpn_op7_2, waldstein_2) another tonic is heard; transposed as published they are equal, too: then all
    124 files are, and all 9,106,856 cells. Most pieces of the three other sets are in C as well.
    """

    steps_per_beat: int = 2
    first: int = 1
    overlaps: Overlaps = "later"
    to_c: bool = True

    def __post_init__(self) -> None:
        if not 1 <= self.steps_per_beat <= 96:
            raise ConfigError(
                f"steps_per_beat: wanted 1 to 96, came {self.steps_per_beat}; try 2 for eighths"
            )
        if self.first < 0:
            raise ConfigError(f"first: wanted 0 or more steps to leave out, came {self.first}; try 0")
        if self.overlaps not in get_args(Overlaps):
            raise ConfigError(f"overlaps: wanted 'later' or 'joined', came {self.overlaps!r}; try 'joined'")


PAPER = Grid()
"""The grid of Boulanger-Lewandowski et al. 2012: what the published sets hold."""
PLAIN = Grid(first=0, overlaps="joined", to_c=False)
"""Eighths, and everything as it was written."""


@dataclass(frozen=True, eq=False)
class MidiRoll:
    """One MIDI file on a grid.

    Attributes
    ----------
    roll
        ``[T, 88]`` of 0 and 1, uint8, T ≥ 1 time steps; column k is MIDI note k + 21.
    transposed
        Semitones that were added to every note.
    outside, drums, lost
        How many notes were left out: beyond the 88 keys, on drum tracks, and those that hold no step because
        they are too short, a later strike took their key over, or they end within the steps left out.
    metres
        Time signatures: (beat, numerator, denominator), beats of a quarter note from the beginning.
    beats
        How long the file is, in quarter notes.
    """

    roll: NDArray[np.uint8]
    transposed: int
    outside: int
    drums: int
    lost: int
    metres: tuple[tuple[float, int, int], ...]
    beats: float


def read_midi(data: bytes, file: str, grid: Grid = PAPER) -> MidiRoll:
    """Return a MIDI file as a piano roll.

    Parameters
    ----------
    data
        The whole file, of format 0 or 1.
    file
        Its name, for messages.
    grid
        How notes become steps: :data:`PAPER`, :data:`PLAIN`, or another :class:`Grid`.

    Returns
    -------
    MidiRoll
        The roll, and what was left out.

    Raises
    ------
    DataError
        The file is damaged, foreign, longer than 200,000 steps, or no note of it sounds on the grid.

    Examples
    --------
    >>> from gatelab.data.midi.write import write_midi
    >>> music = read_midi(write_midi([[60, 64], [60], [62]]), "three.mid", PLAIN)
    >>> [(step.nonzero()[0] + 21).tolist() for step in music.roll]
    [[60, 64], [60], [62]]
    """
    notes = read_notes(data, file)
    _check_length(notes, grid, file)
    later = grid.overlaps == "later"
    whole, ends = _later(notes) if later else (np.ones(len(notes.key), np.bool_), notes.end)
    transposed = _to_c(notes.key, np.where(whole, ends - notes.start, 0)) if grid.to_c else 0
    start, end, column = (
        _lines(notes.start, notes, grid),
        _lines(ends, notes, grid),
        notes.key + transposed - LOWEST,
    )
    inside = (column >= 0) & (column < KEYS)
    on = whole & inside & (end > start) & (end > grid.first)
    steps = max(int(end[whole].max(initial=0)), int(_lines(np.int64(notes.last), notes, grid)))
    _check_sound(bool(on.any()), steps, notes, grid, file)
    return MidiRoll(
        _painted(start[on], end[on], column[on], steps)[grid.first :],
        transposed,
        outside=int((~inside).sum()),
        drums=notes.drums,
        lost=int((inside & ~on).sum()),
        metres=tuple((tick / notes.division, over, under) for tick, over, under in notes.metres),
        beats=_last(notes) / notes.division,
    )


def _last(notes: MidiNotes) -> int:
    return max(int(notes.end.max(initial=0)), notes.last)


def _check_length(notes: MidiNotes, grid: Grid, file: str) -> None:
    """Refuse a roll that would be too large, before it is made."""
    steps = _last(notes) * grid.steps_per_beat // notes.division
    if steps >= FILE_STEPS:
        wanted = f"wanted fewer than {FILE_STEPS:,} time steps"
        raise DataError(f"{file}: {wanted}, came {steps:,}; try a shorter file or a coarser grid")


def _check_sound(sounds: bool, steps: int, notes: MidiNotes, grid: Grid, file: str) -> None:
    """Refuse silence, unless the file was written as silence."""
    if not sounds and not notes.last:
        came = f"{len(notes.key):,} notes too short or beyond the keys, {notes.drums:,} on drums"
        raise DataError(
            f"{file}: wanted notes that sound on the grid, came {came}; try to leave the file out"
        )
    if steps <= grid.first:
        raise DataError(f"{file}: wanted more than {grid.first} steps, came {steps}; try a grid with first=0")


def _lines(ticks: Any, notes: MidiNotes, grid: Grid) -> Any:
    """Return the nearest lines of the grid, halves to the later one."""
    return (2 * grid.steps_per_beat * ticks + notes.division) // (2 * notes.division)


def _later(notes: MidiNotes) -> tuple[NDArray[np.bool_], NDArray[np.int64]]:
    """Return which strikes no later one takes over before a release, and when each is released, ``[N]``.

    Strikes and releases are sorted as (track, key, time) in one number, for all tracks at once.
    """
    place = (notes.track * 128 + notes.key) << 32
    order = np.argsort(place + notes.start, kind="stable")
    strikes, releases = (place + notes.start)[order], np.sort(place + notes.end)
    found = np.searchsorted(releases, strikes, side="right")
    release = np.append(releases, 0)[found]
    same = release >> 32 == strikes >> 32  # not so for a note of no length, if it is the last of its key
    following = np.append(strikes[1:], np.iinfo(np.int64).max)
    whole, ends = np.empty(len(order), np.bool_), np.empty(len(order), np.int64)
    whole[order] = same & (following >= release)
    ends[order] = np.where(same, release & 0xFFFFFFFF, notes.start[order])
    return whole, ends


def _to_c(key: NDArray[np.int64], length: NDArray[np.int64]) -> int:
    """Return the semitones, −5 to 6, that bring the tonic to C."""
    tonic, _ = find_tonic(np.bincount(key % 12, weights=length, minlength=12))
    return (5 - tonic) % 12 - 5


def _painted(
    start: NDArray[np.int64], end: NDArray[np.int64], column: NDArray[np.int64], steps: int
) -> NDArray[np.uint8]:
    """Return a roll ``[steps, 88]`` with 1 from start to end in each column."""
    edges = np.zeros((steps + 1, KEYS), np.int32)  # not a slice a note: a hostile file has millions, all long
    np.add.at(edges, (start, column), 1)
    np.add.at(edges, (end, column), -1)
    return (edges.cumsum(axis=0)[:steps] > 0).astype(np.uint8)
