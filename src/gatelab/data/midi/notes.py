"""The notes of a Standard MIDI File, checked at the border.

symusic's parser (C++) does the reading; what it would pass over in silence is refused here: missing tracks,
independent songs in one file, clock time in place of beats, times beyond its numbers.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gatelab.data.notes import FOREIGN
from gatelab.errors import DataError

MIDI_LIMIT = 16 * 2**20
"""The most bytes of one file; an hour of dense piano music has about one million."""
END = "gatelab: end"
"""The text of the marker that says where a piece ends which ends in silence."""

Ticks = NDArray[np.int64]


class MidiNotes(NamedTuple):
    """The notes of one file, in the order of its tracks.

    Attributes
    ----------
    start, end
        When each note is struck and released, ``[N]``, in ticks.
    key
        Its MIDI number, ``[N]``, 0 to 127; 60 is the middle C.
    track
        Its track, ``[N]``; tracks of a file of format 0 are its channels.
    division
        Ticks of a quarter note.
    drums
        How many notes of drum tracks (channel 10) were left out.
    metres
        Time signatures: (tick, numerator, denominator), in order.
    last
        Ticks of the whole piece where a marker :data:`END` says it, else 0.
    """

    start: Ticks
    end: Ticks
    key: Ticks
    track: Ticks
    division: int
    drums: int
    metres: tuple[tuple[int, int, int], ...]
    last: int


def read_notes(data: bytes, file: str) -> MidiNotes:
    """Return the notes of a MIDI file of format 0 or 1.

    A release ends the earliest note of its key that sounds in its track. A note that is never released is
    not there; so does symusic.

    Parameters
    ----------
    data
        The whole file.
    file
        Its name, for messages.

    Raises
    ------
    DataError
        The bytes are something else, cut off or damaged; the file has format 2, SMPTE time, no beat, or
        times past 2³¹ ticks.

    Examples
    --------
    >>> from gatelab.data.midi.write import write_midi
    >>> notes = read_notes(write_midi([[60, 64], [60]]), "two.mid")
    >>> notes.key, notes.end / notes.division
    (array([60, 64]), array([1. , 0.5]))

    Notes
    -----
    MIDI Manufacturers Association, "Standard MIDI Files 1.0", RP-001, 1996.
    """
    division = _check_header(data, file)
    _check_chunks(data, file)
    from symusic import Score  # here, because importing the room must stay quick

    try:
        score: Any = Score.from_midi(data)  # its stubs hide what a score has
    except RuntimeError as error:
        reason = " ".join(str(error).removeprefix("MiniMidi: ").split())[:120]
        raise DataError(f"{file}: damaged MIDI ({reason}); try to fetch the file again") from None
    played = [track.notes.numpy() for track in score.tracks if not track.is_drum]
    start, length, key = (
        _joined([notes[part] for notes in played]) for part in ("time", "duration", "pitch")
    )
    track = np.repeat(np.arange(len(played)), [len(notes["time"]) for notes in played])
    drums = sum(len(track.notes) for track in score.tracks if track.is_drum)
    metres = sorted({(s.time, s.numerator, s.denominator) for s in score.time_signatures})
    last = max((mark.time for mark in score.markers if mark.text == END), default=0)
    notes = MidiNotes(start, start + length, key, track, division, drums, tuple(metres), last)
    _check_notes(notes, file)
    return notes


def _joined(parts: list[NDArray[np.int32]]) -> Ticks:
    """Return a copy of all parts in one; symusic's own memory ends with its score."""
    return np.concatenate([np.empty(0, np.int64), *parts]).astype(np.int64)


def _check_header(data: bytes, file: str) -> int:
    """Return the ticks of a quarter note; refuse what is no MIDI file of format 0 or 1 in beats."""
    if data[:4] != b"MThd":
        raise DataError(f"{file}: {_foreign(data)}")
    if len(data) > MIDI_LIMIT:
        came = len(data) >> 20
        raise DataError(
            f"{file}: wanted at most {MIDI_LIMIT >> 20} MiB of MIDI, came {came}; try a shorter one"
        )
    if len(data) < 14:
        raise DataError(f"{file}: wanted a header of 14 bytes, came {len(data)}; try to fetch the file again")
    kind, division = int.from_bytes(data[8:10]), int.from_bytes(data[12:14])
    if kind > 1:
        raise DataError(
            f"{file}: wanted MIDI format 0 or 1, came {kind} (byte 8); try to export it as format 1"
        )
    if division >= 0x8000:
        raise DataError(
            f"{file}: wanted time in beats, came SMPTE clock time (byte 12); try to export it in beats"
        )
    if division == 0:
        raise DataError(f"{file}: wanted ticks a quarter note, came 0 (byte 12); try to fetch the file again")
    return division


def _foreign(data: bytes) -> str:
    if not data:
        return "the file is empty; try to fetch it again"
    known = (what for magic, what in FOREIGN.items() if data.startswith(magic))
    return "wanted a MIDI file, came " + next(
        known, f"a file that begins with {data[:8]!r}; try to fetch it again"
    )


def _check_chunks(data: bytes, file: str) -> None:
    """Refuse a file whose tracks are cut off, or more or fewer than its header says."""
    wanted, tracks, at = int.from_bytes(data[10:12]), 0, 8 + int.from_bytes(data[4:8])
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8])
        if at + 8 + size > len(data):
            came = f"{len(data) - at - 8:,}"
            raise DataError(
                f"{file}: cut off: the chunk at byte {at:,} has {size:,} bytes, came {came}; "
                "try to fetch the file again"
            )
        tracks += data[at : at + 4] == b"MTrk"
        at += 8 + size
    if tracks != wanted:
        raise DataError(
            f"{file}: wanted {wanted} tracks (byte 10), came {tracks}; try to fetch the file again"
        )


def _check_notes(notes: MidiNotes, file: str) -> None:
    if len(notes.start) and (notes.start.min() < 0 or (notes.end < notes.start).any()):
        raise DataError(f"{file}: wanted times below 2^31 ticks, came later ones; try a shorter file")
    if len(notes.key) and not 0 <= notes.key.min() <= notes.key.max() <= 127:
        raise DataError(f"{file}: wanted keys 0 to 127, came others; try to fetch the file again")
    for tick, over, under in notes.metres:
        if tick < 0 or over < 1 or under < 1:
            raise DataError(
                f"{file}: wanted a time signature, came {over}/{under} at tick {tick}; try another file"
            )
    if notes.last < 0:
        raise DataError(f"{file}: wanted an end below 2^31 ticks, came a later one; try a shorter file")
