"""What is refused of a MIDI file, and that nothing else than a DataError comes out of a damaged one."""

from __future__ import annotations

import random
import zipfile
from pathlib import Path

import pytest

from damage import assert_one_line, assert_refusal
from gatelab.data.midi import notes as midi_notes
from gatelab.data.midi.notes import read_notes
from gatelab.data.midi.rolls import PAPER, PLAIN, read_midi
from gatelab.data.midi.write import write_midi
from gatelab.errors import DataError
from midi_bytes import TEXT_END, metre, midi, off, on

NOTE = [(0, on(60)), (2, off(60))]
GOOD = midi(NOTE, NOTE)


def test_reads_notes_drums_metres_and_the_end() -> None:
    first = [(0, metre(6, 3)), (0, on(60)), (3, off(60)), (0, metre(3, 2)), (9, TEXT_END)]
    drums = [(0, on(36, 9)), (1, off(36, 9))]
    notes = read_notes(midi(first, [(1, on(40)), (1, on(40, velocity=0))], drums, division=4), "a.mid")
    assert (notes.start.tolist(), notes.end.tolist(), notes.key.tolist()) == ([0, 1], [3, 2], [60, 40])
    assert (notes.track.tolist(), notes.division, notes.drums, notes.last) == ([0, 1], 4, 1, 12)
    assert notes.metres == ((0, 6, 8), (3, 3, 4))


def test_channels_of_format_0_are_tracks() -> None:
    notes = read_notes(midi([(0, on(60)), (0, on(60, 1)), (2, off(60)), (2, off(60, 1))], kind=0), "a.mid")
    assert notes.end.tolist() == [2, 4]
    assert len(set(notes.track.tolist())) == 2


BAD: dict[str, bytes] = {
    "the file is empty": b"",
    "came a JPEG picture": b"\xff\xd8\xff\xe0" + bytes(300),
    "came a pickle": b"\x80\x04" + bytes(30),
    "came a web page": b"<!DOCTYPE html>",
    "came a zip archive": b"PK\x03\x04" + bytes(30),
    "came a Git LFS pointer": b"version https://git-lfs.github.com/spec/v1\n",
    "begins with b'X:1\\\\nT:A ": b"X:1\nT:A tune\n",
    "wanted a header of 14 bytes, came 9": GOOD[:9],
    "wanted MIDI format 0 or 1, came 2": midi(NOTE, kind=2),
    "came SMPTE clock time": midi(NOTE, division=0xE728),
    "wanted ticks a quarter note, came 0": midi(NOTE, division=0),
    "cut off: the chunk at byte 14 has 12 bytes, came 7": GOOD[:29],
    "cut off: the chunk at byte 34 has 12 bytes, came 11": GOOD[:-1],
    "wanted 2 tracks \\(byte 10\\), came 1": GOOD[:34],
    "wanted 1 tracks \\(byte 10\\), came 2": GOOD[:11] + b"\x01" + GOOD[12:],
    "damaged MIDI \\(": midi([(0, b"\xff\x51\x7f\x00")]),
    "damaged MIDI \\(.*first chunk": b"MThd" + (8).to_bytes(4) + GOOD[8:14] + b"\0\0" + GOOD[14:],
    "wanted times below 2\\^31 ticks": midi([(2**28 - 1, on(60)), (2**28 - 1, off(60))] * 5),
    "wanted an end below 2\\^31": midi([*NOTE, *[(2**28 - 1, b"\xff\x06\x01a")] * 8, (9, TEXT_END)]),
    "wanted a time signature, came 0/4 at tick 0": midi([(0, metre(0, 2)), *NOTE]),
    "wanted fewer than 200,000 time steps, came 2": midi([(0, on(60)), (200_000, off(60))]),
    "wanted notes that sound on the grid, came 0 notes .* 1 on drums": midi(
        [(0, on(36, 9)), (9, off(36, 9))]
    ),
    "wanted notes that sound on the grid, came 1 notes": midi([(4, on(5)), (9, off(5))]),
    "wanted more than 1 steps, came 1": midi([(0, on(60)), (1, off(60)), (0, TEXT_END)]),
}


@pytest.mark.parametrize("message", BAD)
def test_refuses(message: str) -> None:
    with pytest.raises(DataError, match=message) as caught:
        read_midi(BAD[message], "bad.mid")
    assert_refusal(caught.value, "bad.mid: ")
    assert "try" in str(caught.value)


def test_bounds_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(midi_notes, "MIDI_LIMIT", 20)
    with pytest.raises(DataError, match="of MIDI"):
        read_notes(GOOD, "a.mid")


def test_alien_chunks_and_bytes_after_the_end_are_passed_over() -> None:
    alien = b"XFIH" + (3).to_bytes(4) + b"abc"
    assert read_notes(GOOD[:14] + alien + GOOD[14:] + bytes(5), "a.mid").key.tolist() == [60, 60]


# Fuzz: whatever happens to a real file, it is music or a DataError.


def mutated(data: bytes, draw: random.Random) -> bytes:
    for _ in range(draw.randint(1, 6)):
        at, length = draw.randrange(len(data) + 1), draw.randrange(1, 12)
        at = draw.choice([at, min(at, 60)])
        junk = draw.choice(
            [draw.randbytes(length), b"\xff" * length, b"\x90\x3c\x40", b"\xff\x58\x04\x04\x02", b""]
        )
        rest = draw.choice([data[at:], data[at + len(junk) :], data[at + length :], b""])
        data = data[:at] + junk + (rest or data[at:][: draw.randrange(200)])
    return data


def assert_music_or_data_error(data: bytes) -> bool:
    """Return whether it is music."""
    grid = PLAIN if len(data) % 2 else PAPER
    try:
        music = read_midi(data, "fuzz.mid", grid)
    except DataError as error:
        assert_one_line(error)
        return False
    assert music.roll.shape[0] >= 1
    assert music.roll.shape[1] == 88
    assert music.roll.max() <= 1
    assert min(music.outside, music.drums, music.lost) >= 0
    return True


def fuzz(seeds: list[bytes], count: int) -> None:
    draw = random.Random(7)
    read = sum(assert_music_or_data_error(mutated(draw.choice(seeds), draw)) for _ in range(count))
    assert count / 50 < read < count  # damage is often seen, and often not


def test_a_damaged_file_is_music_or_a_data_error() -> None:
    many = [[60 + step % 12, 40 + step % 7] for step in range(64)]
    fuzz(
        [GOOD, write_midi(many), write_midi(many, restrike=True, kind=0), midi([*NOTE, (0, metre(6, 3))])],
        1000,
    )


def real_files(folder: Path) -> list[bytes]:
    found = []
    for file in ("Piano-midi.de.zip", "nottingham_midi_jukedeck.zip"):
        if not (folder / file).is_file():
            pytest.skip(f"no {file} in {folder}")
        with zipfile.ZipFile(folder / file) as archive:
            names = [name for name in archive.namelist() if name.endswith(".mid")]
            found += [archive.read(name) for name in names[:: len(names) // 40]]
    return found


def test_damaged_real_files(music_folder: Path) -> None:
    fuzz(real_files(music_folder), 1500)


@pytest.mark.exhaustive
def test_many_damaged_real_files(music_folder: Path) -> None:
    fuzz(real_files(music_folder), 60_000)
