"""Piano rolls as MIDI files."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from gatelab.data.midi.notes import END
from gatelab.data.notes import HIGHEST, KEYS, LOWEST
from gatelab.errors import ConfigError, ShapeError

Roll = NDArray[np.uint8] | Sequence[Collection[int]]

Event = tuple[int, int, bytes]
"""Tick, rank among events of one tick, bytes."""


def write_midi(
    roll: Roll,
    beats_per_minute: float = 120.0,
    steps_per_beat: int = 2,
    restrike: bool = False,
    metre: tuple[int, int] = (4, 4),
    kind: Literal[0, 1] = 1,
) -> bytes:
    """Return a piano roll as a MIDI file of a piano.

    A key that is on in neighbouring steps is one note, or, with ``restrike``, a note a step. Reading the
    bytes with ``Grid(steps_per_beat, first=0, overlaps="joined", to_c=False)`` gives the same roll again;
    where it ends in silence, a marker says how long it is.

    Parameters
    ----------
    roll
        ``[T, 88]``, a key is on where it is not 0; or for each step the MIDI notes that sound, 21 to 108.
    beats_per_minute
        Quarter notes a minute, 4 to 1,000.
    steps_per_beat
        Steps a quarter note, 1 to 96.
    metre
        The time signature, numerator and denominator.
    kind
        The format: 1, the tempo in a track of its own; 0, all in one track.

    Raises
    ------
    ShapeError
        The roll is not ``[T, 88]`` with T ≥ 1, or a note is beyond the keys.
    ConfigError
        Tempo, grid, metre or format are impossible.

    Examples
    --------
    >>> data = write_midi([[60, 64, 67], [60], []], beats_per_minute=90)
    >>> data[:4], len(data)
    (b'MThd', 96)

    Notes
    -----
    MIDI Manufacturers Association, "Standard MIDI Files 1.0", RP-001, 1996.
    """
    on = _as_bits(roll)
    _check(beats_per_minute, steps_per_beat, metre, kind)
    ticks = max(1, 480 // steps_per_beat)  # of a step
    header = [(0, 0, _tempo(beats_per_minute)), (0, 0, _metre(metre))]
    notes = [*_notes(on, ticks, restrike), *_end(on, ticks)]
    tracks = [header, notes] if kind else [header + notes]
    division = ticks * steps_per_beat
    head = b"".join(number.to_bytes(2) for number in (kind, len(tracks), division))
    return _chunk(b"MThd", head) + b"".join(_chunk(b"MTrk", _track(events)) for events in tracks)


def _as_bits(roll: Roll) -> NDArray[np.bool_]:
    """Return ``[T, 88]`` of booleans, from either form."""
    if not isinstance(roll, np.ndarray):
        on = np.zeros((len(roll), KEYS), np.bool_)
        for step, notes in enumerate(roll):
            for note in notes:
                if not LOWEST <= note <= HIGHEST:
                    raise ShapeError(
                        f"step {step}: wanted notes {LOWEST} to {HIGHEST}, came {note}; try others"
                    )
                on[step, int(note) - LOWEST] = True
    elif roll.ndim != 2 or roll.shape[1] != KEYS:
        raise ShapeError(f"wanted a roll [T, {KEYS}], came {list(roll.shape)}; try one row a time step")
    else:
        on = roll != 0
    if not len(on):
        raise ShapeError("wanted a roll of at least one step, came none; try a longer one")
    return on


def _check(beats_per_minute: float, steps_per_beat: int, metre: tuple[int, int], kind: int) -> None:
    if not 4 <= beats_per_minute <= 1000:
        raise ConfigError(f"beats_per_minute: wanted 4 to 1000, came {beats_per_minute}; try 120")
    if not 1 <= steps_per_beat <= 96:
        raise ConfigError(f"steps_per_beat: wanted 1 to 96, came {steps_per_beat}; try 2 for eighths")
    if not 1 <= metre[0] <= 255 or metre[1] not in (1, 2, 4, 8, 16, 32, 64):
        raise ConfigError(f"metre: wanted numerator and a power of 2, came {metre}; try (4, 4)")
    if kind not in (0, 1):
        raise ConfigError(f"kind: wanted MIDI format 0 or 1, came {kind}; try 1")


def _notes(on: NDArray[np.bool_], ticks: int, restrike: bool) -> Iterator[Event]:
    """Yield strikes and releases; in one tick the releases come first."""
    silence = np.zeros((1, KEYS), np.bool_)
    before, after = np.concatenate([silence, on]), np.concatenate([on, silence])
    struck = after if restrike else after & ~before  # [T + 1, 88]
    released = before if restrike else before & ~after
    for rank, status, velocity, which in ((0, 0x80, 0, released), (1, 0x90, 80, struck)):
        for step, key in np.argwhere(which).tolist():
            yield step * ticks, rank, bytes([status, key + LOWEST, velocity])


def _end(on: NDArray[np.bool_], ticks: int) -> Iterator[Event]:
    """Yield the marker of the end, where no release stands there."""
    if not on[-1].any():
        yield len(on) * ticks, 2, b"\xff\x06" + bytes([len(END)]) + END.encode()


def _tempo(beats_per_minute: float) -> bytes:
    return b"\xff\x51\x03" + round(60e6 / beats_per_minute).to_bytes(3)


def _metre(metre: tuple[int, int]) -> bytes:
    return b"\xff\x58\x04" + bytes([metre[0], metre[1].bit_length() - 1, 24, 8])


def _track(events: list[Event]) -> bytes:
    """Return events as (waiting time, bytes), and the end of the track."""
    done, now = bytearray(), 0
    for tick, _, content in sorted(events):
        done += _variable(tick - now) + content
        now = tick
    return bytes(done + b"\x00\xff\x2f\x00")


def _variable(number: int) -> bytes:
    """Return a number in groups of seven bits, the highest first, all but the last marked."""
    groups = [number & 127]
    while number := number >> 7:
        groups.append(number & 127 | 128)
    return bytes(reversed(groups))


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + len(content).to_bytes(4) + content
